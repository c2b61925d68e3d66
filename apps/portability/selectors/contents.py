"""Rows of a version, read into the plain values of a package. Each in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db import models

from apps.assessment.models import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentVersion,
    BankItem,
    RubricCriterion,
    RubricLevel,
)
from apps.portability import content as package
from apps.portability.codec import field_types
from apps.portability.row_checks import plain_fields
from apps.portability.selectors.names import Names
from apps.portability.vocabulary import PartKind
from apps.programs.models import CourseVersion, ModuleItem, ProgramVersion
from apps.requirements.models import RequirementSetVersion

T = TypeVar("T")


def told(kind: type[T], row: models.Model, **more: Any) -> T:
    """Return the value whose plain fields are those of the row; lists become tuples."""
    of: Any = kind
    tuples = {name for name, hint in field_types(of).items() if hint is tuple}
    values = {name: getattr(row, name) for name in plain_fields(kind) if name not in more}
    values = {name: tuple(v) if name in tuples else v for name, v in values.items()}
    return kind(**values, **more)


def course_content(version: CourseVersion, names: Names) -> package.CourseContent:
    """Return the course version's modules and items: three queries."""
    placed = {
        module_item: names.editions.get(assessment_version)
        for module_item, assessment_version in AssessmentPlacement.objects.filter(
            version=version
        ).values_list("module_item_id", "assessment_version_id")
    }
    # A comparison must not take what it can't name for an item without an assessment.
    nameless = package.Placement("?", 1)
    items: dict[UUID, list[package.Item]] = defaultdict(list)
    for row in ModuleItem.objects.filter(version=version).order_by("position", "key"):
        stands_for = (placed[row.id] or nameless) if row.id in placed else None
        items[row.module_id].append(told(package.Item, row, assessment=stands_for))
    modules = (
        told(package.Module, row, items=tuple(items[row.id]))
        for row in version.modules.order_by("position", "key")
    )
    return told(package.CourseContent, version, modules=tuple(modules))


def assessment_content(version: AssessmentVersion, names: Names) -> package.AssessmentContent:
    """Return the assessment version's terms, rubrics and items: four queries."""
    rows = AssessmentItem.objects.filter(version=version)
    items = (
        told(
            package.Question,
            row,
            rubric=row.rubric.key if row.rubric else None,
            bank_item=_source(row.bank_item, names),
        )
        for row in rows.select_related("rubric", "bank_item__bank").order_by("position", "key")
    )
    return told(
        package.AssessmentContent, version, items=tuple(items), rubrics=tuple(_rubrics(version))
    )


def _source(item: BankItem | None, names: Names) -> package.QuestionSource | None:
    """Return where a question was copied from, as long as the bank still offers it."""
    if item is None or item.archived_at is not None:
        return None
    return package.QuestionSource(cast(str, names.of(PartKind.BANK, item.bank)), item.key)


def _rubrics(version: AssessmentVersion) -> Iterable[package.Rubric]:
    levels: dict[UUID, list[package.Level]] = defaultdict(list)
    for level in RubricLevel.objects.filter(version=version).order_by("position", "key"):
        levels[level.criterion_id].append(told(package.Level, level))
    criteria: dict[UUID, list[package.Criterion]] = defaultdict(list)
    for row in RubricCriterion.objects.filter(version=version).order_by("position", "key"):
        criterion = told(package.Criterion, row, levels=tuple(levels[row.id]))
        criteria[row.rubric_id].append(criterion)
    for rubric in version.rubrics.order_by("key"):
        yield told(package.Rubric, rubric, criteria=tuple(criteria[rubric.id]))


def program_content(version: ProgramVersion, names: Names) -> package.ProgramContent:
    """Return the courses that the program version pins: one query."""
    pins = (
        told(
            package.Pin,
            pin,
            course=names.course_versions.get(
                pin.course_version_id, f"{names.foreign}{pin.course_version.definition.slug}"
            ),
        )
        for pin in version.courses.select_related("course_version__definition").order_by("position")
    )
    return told(package.ProgramContent, version, courses=tuple(pins))


def requirements_content(
    version: RequirementSetVersion, names: Names
) -> package.RequirementsContent:
    """Return the graph: two queries."""
    nodes = (
        told(
            package.Node,
            node,
            course=names.of(PartKind.COURSE, node.course),
            assessment=names.of(PartKind.ASSESSMENT, node.assessment),
            credential_program=_program_of(node.credential_program, names),
        )
        for node in version.nodes.select_related(
            "course", "assessment", "credential_program"
        ).order_by("position", "key")
    )
    edges = (
        told(package.Edge, edge, source=edge.source.key, target=edge.target.key)
        for edge in version.edges.select_related("source", "target")
    )
    return package.RequirementsContent(tuple(nodes), tuple(edges))


def _program_of(program: models.Model | None, names: Names) -> str | None:
    """Return a program by its short name: it may be one that is not in the package."""
    if program is None or names.is_inside(PartKind.PROGRAM, program):
        return names.of(PartKind.PROGRAM, program)
    return cast(str, getattr(program, "slug", ""))


def certification_content(version: Any, names: Names) -> package.CertificationContent:
    """Return what the credential says; the version comes with its `requirement_set`."""
    return told(
        package.CertificationContent,
        version,
        requirement_set=names.of(PartKind.REQUIREMENT_SET, version.requirement_set) or "",
    )


def bank_questions(items: Iterable[BankItem]) -> tuple[package.BankQuestion, ...]:
    """Return questions of one bank as a package tells them."""
    return tuple(
        told(package.BankQuestion, item, tags=tuple(map(str, item.tags))) for item in items
    )
