"""Writing a rubric as a whole: its criteria with their levels, in one step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from apps.assessment.models import AssessmentVersion, Rubric, RubricCriterion, RubricLevel
from apps.assessment.rules.rubrics import CriterionSpec, LevelSpec, RubricSpec, rubric_fingerprint
from apps.assessment.selectors.papers import rubric_spec
from apps.assessment.services.authoring import free_key
from apps.core.problems import Conflict
from apps.core.versions import NotADraft, lock_version


class RubricChanged(Conflict):
    code = "rubric-changed"
    title = "Somebody else changed this rubric in the meantime."


@transaction.atomic
def save_rubric(
    *,
    version: AssessmentVersion,
    spec: RubricSpec,
    rubric: Rubric | None = None,
    seen: str | None = None,
) -> Rubric:
    """Return the draft's rubric as `spec` says: new without `rubric`, else changed.

    Criteria and levels are told apart by their keys; what has a key that the rubric doesn't know,
    or none, is new and gets a free key from its title; what is missing in `spec` goes. `seen` is
    the fingerprint of the rubric that the author had before them. Raises NotADraft, RubricChanged.
    """
    version = lock_version(version)
    if not version.is_draft:
        raise NotADraft
    if rubric is None:
        key = _free(Rubric, version)(spec.title)
        rubric = Rubric(version=version, key=key)
    elif seen is not None and seen != rubric_fingerprint(rubric_spec(rubric)):
        raise RubricChanged
    rubric.title, rubric.description = spec.title, spec.description
    rubric.save()
    _save_criteria(version, rubric, spec.criteria)
    return rubric


def _save_criteria(
    version: AssessmentVersion, rubric: Rubric, specs: Iterable[CriterionSpec]
) -> None:
    known = {criterion.key: criterion for criterion in rubric.criteria.all()}
    named, level_named = _free(RubricCriterion, version), _free(RubricLevel, version)
    for position, spec in enumerate(specs, start=1):
        criterion = known.pop(spec.key, None) or RubricCriterion(
            version=version, rubric=rubric, key=named(spec.title)
        )
        criterion.title, criterion.description = spec.title, spec.description
        criterion.position = position
        criterion.save()
        _save_levels(version, criterion, spec.levels, level_named)
    for criterion in known.values():
        criterion.delete()


def _save_levels(
    version: AssessmentVersion,
    criterion: RubricCriterion,
    specs: Iterable[LevelSpec],
    named: Callable[[str], str],
) -> None:
    known = {level.key: level for level in criterion.levels.all()}
    for position, spec in enumerate(specs, start=1):
        level = known.pop(spec.key, None) or RubricLevel(
            version=version, criterion=criterion, key=named(f"{criterion.key} {spec.title}")
        )
        level.title, level.description = spec.title, spec.description
        level.points, level.position = spec.points, position
        level.save()
    for level in known.values():
        level.delete()


def _free(model: type[Any], version: AssessmentVersion) -> Callable[[str], str]:
    """Return what makes a key out of a title that no row of this kind has in the version."""
    taken = set(model._default_manager.filter(version=version).values_list("key", flat=True))
    stem = str(model._meta.model_name)
    return lambda title: free_key(slugify(title)[:90].strip("-") or stem, taken)
