"""How the plan stands: which attempts are allowed, and what was decided about their results."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import BooleanField, DateTimeField, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Cast

from apps.assessment.models import (
    Accommodation,
    AssessmentVersion,
    AssessmentWindow,
    ResultRelease,
)
from apps.assessment.rules.policy import (
    AccommodationTerms,
    VersionTerms,
    WindowTerms,
    effective_policy,
)
from apps.assessment.selectors.papers import version_terms
from apps.requirements.rows import FOREVER, AttemptRow, History, ReleaseRow
from apps.requirements.selectors.kept import Kept, Loaded
from apps.requirements.selectors.prepared import Among, Prepared
from apps.requirements.selectors.subjects import Subject


class AttemptTerms(NamedTuple):
    """What the version of an attempt says about taking it, and which result counts."""

    result_policy: str
    terms: VersionTerms


_TERMS: Final[Kept[AttemptTerms]] = Kept(most=2_000)


def attempt_terms(version_ids: Collection[UUID]) -> dict[UUID, AttemptTerms]:
    """Return assessment version -> its terms; no statement for those that are kept."""
    return _TERMS.fetch(version_ids, _load_terms)


def _load_terms(version_ids: Collection[UUID]) -> Loaded[AttemptTerms]:
    """Attempts are of published versions, which never change."""
    rows = AssessmentVersion.objects.filter(id__in=version_ids)
    found = {row.id: AttemptTerms(row.result_policy, version_terms(row)) for row in rows}
    return found, found.keys()


@dataclass
class Limits:
    """What versions say, what cohorts and people were granted, and what was released when.

    Terms go by assessment version, windows by cohort and assessment, accommodations by person and
    assessment, or without an assessment for all of them.
    """

    terms: dict[UUID, AttemptTerms] = field(default_factory=dict)
    windows: dict[tuple[UUID, UUID], WindowTerms] = field(default_factory=dict)
    accommodations: dict[tuple[UUID, UUID | None], AccommodationTerms] = field(default_factory=dict)
    releases: list[ReleaseRow] = field(default_factory=list)


class _Row(NamedTuple):
    """A window, an accommodation or a release: three tables in one statement."""

    id: UUID
    kind: str
    template: UUID | None
    owner: UUID | None
    attempt: UUID | None
    attempts: int | None
    is_released: bool | None
    at: datetime | None


def limits(
    attempts: Collection[AttemptRow],
    contact_ids: Collection[UUID],
    terms: dict[UUID, AttemptTerms],
) -> Limits:
    """Return what bears on these attempts, in one statement."""
    rows = _LIMITS.rows(
        attempts=[attempt.id for attempt in attempts],
        cohorts={attempt.cohort for attempt in attempts},
        contacts=contact_ids,
        templates={attempt.template for attempt in attempts},
    )
    found = Limits(terms)
    for row in sorted((_Row(*row) for row in rows), key=lambda row: (row.at or FOREVER, row.id)):
        _sort_in(found, row)
    return found


def _limits() -> QuerySet[Any, Any]:
    windows = _read(
        AssessmentWindow.objects.filter(Among("cohort_id", "cohorts"), _OF_TEMPLATES),
        kind="window",
        owner="cohort_id",
        attempts="attempts_allowed",
    )
    accommodations = _read(
        Accommodation.objects.filter(
            _OF_TEMPLATES | Q(template=None), Among("contact_id", "contacts"), ended_at=None
        ),
        kind="accommodation",
        owner="contact_id",
        attempts="extra_attempts",
        at="created_at",
    )
    releases = _read(
        ResultRelease.objects.filter(
            Q(Among("cohort_id", "cohorts")) | Q(Among("attempt_id", "attempts")), _OF_TEMPLATES
        ),
        kind="release",
        owner="cohort_id",
        attempt="attempt_id",
        is_released="is_released",
        at="recorded_at",
    )
    return windows.union(accommodations, releases, all=True)


_LIMITS: Final = Prepared(_limits)
_OF_TEMPLATES: Final = Q(Among("template_id", "templates"))
_NOTHING: Final[Mapping[str, Any]] = {
    "owner": Cast(Value(None), UUIDField()),
    "attempt": Cast(Value(None), UUIDField()),
    "attempts": Value(0),
    "is_released": Cast(Value(None), BooleanField()),
    "at": Cast(Value(None), DateTimeField()),
}


def _read(rows: QuerySet[Any], *, kind: str, **columns: str) -> QuerySet[Any, Any]:
    """Return the rows of one of the tables in the columns of all three."""
    chosen = {**_NOTHING, **columns}
    return rows.order_by().values_list("id", Value(kind), "template_id", *chosen.values())


def _sort_in(found: Limits, row: _Row) -> None:
    if row.kind == "window" and row.owner and row.template:
        found.windows[row.owner, row.template] = WindowTerms(attempts_allowed=row.attempts)
    elif row.kind == "accommodation" and row.owner:
        granted = AccommodationTerms(extra_attempts=row.attempts or 0)
        found.accommodations[row.owner, row.template] = granted
    elif row.kind == "release" and row.template and row.at:
        found.releases.append(
            ReleaseRow(row.template, row.owner, row.attempt, bool(row.is_released), row.at)
        )


def attempts_allowed(subject: Subject, history: History, granted: Limits) -> dict[UUID, int | None]:
    """Return template -> how many attempts the learner has, None without a limit.

    Only of what was tried: nobody is out of attempts before the first. The version's terms, the
    cohort's window and the learner's accommodation are combined as they are when one is started.
    """
    return {
        attempt.template: effective_policy(
            granted.terms[attempt.version].terms,
            granted.windows.get((subject.cohort_id, attempt.template)),
            _accommodation(subject, attempt.template, granted),
        ).attempts_allowed
        for attempt in history.attempts
    }


def _accommodation(subject: Subject, template: UUID, granted: Limits) -> AccommodationTerms | None:
    """Return what the learner or an alias is granted: for this assessment, else for all."""
    for scope in (template, None):
        for contact_id in subject.contacts:
            if (contact_id, scope) in granted.accommodations:
                return granted.accommodations[contact_id, scope]
    return None
