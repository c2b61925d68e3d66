"""One order, and one way to write an answer key, so that equal content is equal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final, TypeVar

from apps.assessment.questions.keys import default_grader, default_rule, key_as_json, read_key
from apps.portability.content import (
    Assessment,
    AssessmentContent,
    Bank,
    CertificationContent,
    CourseContent,
    PackageContent,
    ProgramContent,
    RequirementsContent,
)
from apps.portability.content.assessments import Asked, Rubric

T = TypeVar("T")
A = TypeVar("A", bound=Asked)

_SLUG = attrgetter("slug")
_KEY = attrgetter("key")
_PLACE = attrgetter("position", "key")


def in_order(content: PackageContent) -> PackageContent:
    """Return the content as a package tells it. Raises KeyRefused for an unreadable answer key."""
    return replace(
        content,
        courses=_each(_with_ordered_content, content.courses),
        assessments=_each(_assessment, content.assessments),
        banks=_each(_bank, content.banks),
        programs=_each(_with_ordered_content, content.programs),
        requirement_sets=_each(_with_ordered_content, content.requirement_sets),
        certifications=_each(_with_ordered_content, content.certifications),
    )


def content_in_order(content: T) -> T:
    """Return what one version says, in order. Raises KeyRefused for an unreadable answer key."""
    ordered: T = _ORDERED[type(content)](content)
    return ordered


def settled(asked: A) -> A:
    """Return the question with its rule, grader and key as they are stored. Raises KeyRefused."""
    rule = asked.scoring_rule or default_rule(asked.kind)
    return replace(
        asked,
        scoring_rule=rule,
        graded_by=asked.graded_by or default_grader(asked.kind),
        key_data=key_as_json(read_key(asked.kind, rule, asked.key_data)),
    )


def _each(put: Callable[[T], T], parts: Iterable[T]) -> tuple[T, ...]:
    return tuple(sorted(map(put, parts), key=_SLUG))


def _sorted(parts: Iterable[T], key: Any) -> tuple[T, ...]:
    return tuple(sorted(parts, key=key))


def _with_ordered_content(part: Any) -> Any:
    return replace(part, content=content_in_order(part.content))


def _assessment(assessment: Assessment) -> Assessment:
    editions = map(_with_ordered_content, assessment.editions)
    return replace(assessment, editions=_sorted(editions, attrgetter("edition")))


def _bank(bank: Bank) -> Bank:
    return replace(bank, questions=_sorted(map(settled, bank.questions), _KEY))


def _course_content(content: CourseContent) -> CourseContent:
    modules = (replace(module, items=_sorted(module.items, _PLACE)) for module in content.modules)
    return replace(content, modules=_sorted(modules, _PLACE))


def _assessment_content(content: AssessmentContent) -> AssessmentContent:
    return replace(
        content,
        rubrics=_sorted(map(_rubric, content.rubrics), _KEY),
        items=_sorted(map(settled, content.items), _PLACE),
    )


def _rubric(rubric: Rubric) -> Rubric:
    criteria = (replace(c, levels=_sorted(c.levels, _PLACE)) for c in rubric.criteria)
    return replace(rubric, criteria=_sorted(criteria, _PLACE))


def _program_content(content: ProgramContent) -> ProgramContent:
    return replace(content, courses=_sorted(content.courses, attrgetter("position", "course")))


def _requirements(content: RequirementsContent) -> RequirementsContent:
    edges = sorted(
        content.edges,
        key=lambda e: (e.source, e.target, e.kind, e.condition, str(e.threshold)),
    )
    return RequirementsContent(_sorted(content.nodes, _PLACE), tuple(edges))


def _certification(content: CertificationContent) -> CertificationContent:
    return content


_ORDERED: Final[Mapping[type, Callable[[Any], Any]]] = {
    CourseContent: _course_content,
    AssessmentContent: _assessment_content,
    ProgramContent: _program_content,
    RequirementsContent: _requirements,
    CertificationContent: _certification,
}
