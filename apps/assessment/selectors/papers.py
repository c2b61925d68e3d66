"""Published versions as frozen values. They never change, so they are cached.

The cache's keys carry the organisation (settings.CACHES), and a number here that changes with the
shape of the values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.core.cache import cache

from apps.assessment.models import AssessmentItem, AssessmentVersion, Rubric
from apps.assessment.questions.items import ItemSpec
from apps.assessment.rules.policy import VersionTerms
from apps.assessment.rules.results import ResultTerms
from apps.assessment.rules.rubrics import CriterionSpec, LevelSpec, RubricSpec
from apps.core.models import VersionStatus

SHAPE: Final = 2
KEPT_SECONDS: Final = 24 * 60 * 60
FROZEN: Final = (VersionStatus.PUBLISHED, VersionStatus.RETIRED)


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything that a published version says, items in the author's order."""

    version_id: UUID
    template_id: UUID
    number: int
    instructions_markdown: str
    pass_percent: Decimal
    percent_places: int
    result_policy: str
    shuffle_items: bool
    shuffle_options: bool
    terms: VersionTerms
    items: tuple[ItemSpec, ...]
    rubrics: Mapping[UUID, RubricSpec]

    def items_of(self, item_order: Iterable[str]) -> list[ItemSpec]:
        """Return the items of an attempt, in the order that it shows them."""
        by_id = {str(item.id): item for item in self.items}
        return [by_id[item_id] for item_id in item_order]

    @property
    def result_terms(self) -> ResultTerms:
        return ResultTerms(
            points={str(item.id): item.points for item in self.items},
            pass_percent=self.pass_percent,
            percent_places=self.percent_places,
        )


def published_paper(version_id: UUID) -> Paper:
    """Return a published (or retired) version; raises AssessmentVersion.DoesNotExist for others."""
    key = f"assessment.paper.{SHAPE}.{version_id}"
    paper = cache.get(key)
    if not isinstance(paper, Paper):
        paper = _load(version_id)
        cache.set(key, paper, KEPT_SECONDS)
    return paper


def published_items(item_ids: Collection[UUID]) -> dict[UUID, ItemSpec]:
    """Return those of the items that belong to published versions: one statement, mostly none."""
    keys = {f"assessment.item.{SHAPE}.{item_id}": item_id for item_id in item_ids}
    found = {
        keys[key]: item for key, item in cache.get_many(keys).items() if isinstance(item, ItemSpec)
    }
    missing = [item_id for item_id in item_ids if item_id not in found]
    if missing:
        rows = AssessmentItem.objects.filter(id__in=missing, version__status__in=FROZEN)
        loaded = {row.id: item_spec(row) for row in rows}
        cache.set_many(
            {key: loaded[item_id] for key, item_id in keys.items() if item_id in loaded},
            KEPT_SECONDS,
        )
        found.update(loaded)
    return found


def _load(version_id: UUID) -> Paper:
    version = AssessmentVersion.objects.get(id=version_id, status__in=FROZEN)
    items = AssessmentItem.objects.filter(version_id=version_id).order_by("position", "key")
    return Paper(
        version_id=version.id,
        template_id=version.definition_id,
        number=version.number or 0,
        instructions_markdown=version.instructions_markdown,
        pass_percent=version.pass_percent,
        percent_places=version.percent_places,
        result_policy=version.result_policy,
        shuffle_items=version.shuffle_items,
        shuffle_options=version.shuffle_options,
        terms=version_terms(version),
        items=tuple(item_spec(row) for row in items),
        rubrics=rubrics_of(version_id),
    )


def version_terms(version: AssessmentVersion) -> VersionTerms:
    """Return what a version says about taking it."""
    return VersionTerms(
        attempts_allowed=version.attempts_allowed,
        time_limit_seconds=version.time_limit_seconds,
        grace_seconds=version.grace_seconds,
        late_percent_per_day=version.late_percent_per_day,
        late_cap_percent=version.late_cap_percent,
        late_cut_off_days=version.late_cut_off_days,
        release_policy=version.release_policy,
    )


def item_spec(row: AssessmentItem) -> ItemSpec:
    """Return an item as the rules take it; raises KeyRefused for a draft that is not right yet."""
    return ItemSpec(
        id=row.id,
        version_id=row.version_id,
        key=row.key,
        kind=row.kind,
        title=row.title,
        prompt_markdown=row.prompt_markdown,
        points=row.points,
        position=row.position,
        rule=row.scoring_rule,
        graded_by=row.graded_by,
        answer_key=row.read_key(),
        feedback=row.feedback_markdown,
        rubric_id=row.rubric_id,
    )


def rubrics_of(version_id: UUID) -> dict[UUID, RubricSpec]:
    """Return the rubrics of a version: one statement without any, three with."""
    rubrics = Rubric.objects.filter(version_id=version_id).prefetch_related("criteria__levels")
    return {rubric.id: rubric_spec(rubric) for rubric in rubrics}


def rubric_spec(rubric: Rubric) -> RubricSpec:
    """Return a rubric as the rules take it."""
    return RubricSpec(
        key=rubric.key,
        title=rubric.title,
        description=rubric.description,
        criteria=tuple(
            CriterionSpec(
                key=criterion.key,
                title=criterion.title,
                description=criterion.description,
                levels=tuple(
                    LevelSpec(level.key, level.title, level.points, level.description)
                    for level in criterion.levels.all()
                ),
            )
            for criterion in rubric.criteria.all()
        ),
    )
