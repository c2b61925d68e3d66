"""A cohort's results in one table, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.assessment.models import AssessmentAttempt, AssessmentTemplate, AssessmentWindow
from apps.assessment.selectors.offers import placements
from apps.assessment.selectors.records import ResultFact, results_of_record
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.models import CohortEnrollment, EnrollmentState


@dataclass(frozen=True)
class Column:
    """One assessment of the cohort, in course order."""

    template_id: UUID
    title: str


@dataclass(frozen=True)
class Cell:
    """What one learner has in one assessment. `fact` is the result of record, if there is one."""

    template_id: UUID
    attempts: int
    in_progress: bool
    awaits_grading: bool
    fact: ResultFact | None


@dataclass(frozen=True)
class Row:
    """One learner of the cohort, with a cell for every column."""

    enrollment_id: UUID
    contact_id: UUID
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Gradebook:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


_LISTED = (EnrollmentState.ENROLLED, EnrollmentState.ENDED, EnrollmentState.WITHDRAWN)


def gradebook(cohort_id: UUID) -> Gradebook:
    """Return everybody who was ever enrolled × every assessment of the cohort.

    Five statements, and one more while the placements are not cached yet.
    """
    columns = _columns(cohort_id)
    people = list(
        CohortEnrollment.objects.filter(
            cohort_id=cohort_id, state__in=_LISTED, enrolled_at__isnull=False
        )
        .order_by("contact__display_name", "id")
        .values_list("id", "contact_id", "contact__display_name")
    )
    enrollment_ids = [person[0] for person in people]
    facts = results_of_record(enrollment_ids)
    statuses = _statuses(enrollment_ids)
    rows = [
        Row(
            enrollment_id=enrollment_id,
            contact_id=contact_id,
            name=name,
            cells=tuple(
                _cell(
                    column.template_id,
                    statuses.get((enrollment_id, column.template_id), []),
                    facts.get((enrollment_id, column.template_id)),
                )
                for column in columns
            ),
        )
        for enrollment_id, contact_id, name in people
    ]
    return Gradebook(columns=columns, rows=tuple(rows))


def _columns(cohort_id: UUID) -> tuple[Column, ...]:
    """Return the placed assessments in course order, then those with a window only."""
    windows = AssessmentWindow.objects.filter(cohort_id=cohort_id).order_by("id")
    ids = [place.template_id for place in placements(cohort_id)]
    ids += list(windows.values_list("template_id", flat=True))
    titles = dict(AssessmentTemplate.objects.filter(id__in=ids).values_list("id", "title"))
    return tuple(Column(template_id, titles[template_id]) for template_id in dict.fromkeys(ids))


def _statuses(enrollment_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], list[str]]:
    statuses: dict[tuple[UUID, UUID], list[str]] = {}
    attempts: Any = AssessmentAttempt.objects.filter(enrollment__in=list(enrollment_ids))
    for enrollment_id, template_id, status in attempts.values_list(
        "enrollment_id", "template_id", "status"
    ):
        statuses.setdefault((enrollment_id, template_id), []).append(status)
    return statuses


def _cell(template_id: UUID, statuses: list[str], fact: ResultFact | None) -> Cell:
    return Cell(
        template_id=template_id,
        attempts=len(statuses),
        in_progress=AttemptStatus.IN_PROGRESS in statuses,
        awaits_grading=AttemptStatus.SUBMITTED in statuses,
        fact=fact,
    )
