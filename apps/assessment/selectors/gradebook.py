"""A cohort's results in one table, in a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from apps.assessment.models import AssessmentAttempt, AssessmentTemplate, AssessmentWindow
from apps.assessment.selectors.offers import placements
from apps.assessment.selectors.records import ResultFact, results_of_record
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.models import CohortEnrollment, EnrollmentState


class CellState(TextChoices):
    """What can be said of one learner and one assessment; several of them may hold at once."""

    PASSED = "passed", _("Passed")
    NOT_PASSED = "not_passed", _("Not passed")
    PROVISIONAL = "provisional", _("Provisional result")
    AWAITS_GRADING = "awaits_grading", _("Waiting for a grade")
    IN_PROGRESS = "in_progress", _("In progress")
    NOT_STARTED = "not_started", _("Not started")


@dataclass(frozen=True)
class Column:
    """One assessment of the cohort, in course order."""

    template_id: UUID
    title: str


@dataclass(frozen=True)
class Cell:
    """What one learner has in one assessment. `fact` is the result of record, if there is one.

    `attempt_id` is the attempt to look at: the one that counts, else the newest.
    """

    template_id: UUID
    attempts: int
    in_progress: bool
    awaits_grading: bool
    fact: ResultFact | None
    attempt_id: UUID | None

    @property
    def states(self) -> tuple[CellState, ...]:
        """Return what holds, the result first."""
        said = {
            CellState.PROVISIONAL: self.fact is not None and not self.fact.is_final,
            CellState.PASSED: self.fact is not None and self.fact.is_final and self.fact.passed,
            CellState.NOT_PASSED: (
                self.fact is not None and self.fact.is_final and not self.fact.passed
            ),
            CellState.AWAITS_GRADING: self.awaits_grading,
            CellState.IN_PROGRESS: self.in_progress,
            CellState.NOT_STARTED: self.attempts == 0,
        }
        return tuple(state for state, holds in said.items() if holds)


@dataclass(frozen=True)
class Row:
    """One learner of the cohort, with a cell for every column."""

    enrollment_id: UUID
    contact_id: UUID
    name: str
    external_id: str
    enrollment_state: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Gradebook:
    """Rows of `total` learners that match: all of them, or the part that was asked for.

    `assessments` are all of the cohort, `columns` those that were asked for.
    """

    assessments: tuple[Column, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True)
class Wanted:
    """Which part of a gradebook. A state is looked for in the columns that are wanted."""

    template_id: UUID | None = None
    state: CellState | None = None
    name: str = ""
    without: Collection[UUID] = ()
    """Contacts who are left out."""


_LISTED = (EnrollmentState.ENROLLED, EnrollmentState.ENDED, EnrollmentState.WITHDRAWN)
_PERSON = ("id", "contact_id", "contact__display_name", "contact__external_id", "state")
EVERYTHING = Wanted()


def gradebook(
    cohort_id: UUID,
    wanted: Wanted = EVERYTHING,
    *,
    offset: int = 0,
    limit: int | None = None,
) -> Gradebook:
    """Return everybody who was ever enrolled × every assessment of the cohort, or a part of it.

    Five statements whatever the number of learners; one more for a page of them, and one more
    while the placements are not cached yet.
    """
    every = _columns(cohort_id)
    columns = tuple(one for one in every if wanted.template_id in (None, one.template_id))
    people = _people(cohort_id, wanted)
    # What a cell holds is known only when it is there: then the page is cut from the rows.
    if wanted.state is not None or limit is None:
        rows = [row for row in _rows(people, columns) if _has(row, wanted.state)]
        end = None if limit is None else offset + limit
        return Gradebook(every, columns, rows=tuple(rows[offset:end]), total=len(rows))
    shown = _rows(people[offset : offset + limit], columns)
    return Gradebook(every, columns, rows=tuple(shown), total=people.count())


def _has(row: Row, state: CellState | None) -> bool:
    return state is None or any(state in cell.states for cell in row.cells)


def _people(cohort_id: UUID, wanted: Wanted) -> QuerySet[Any, Any]:
    people = CohortEnrollment.objects.filter(
        cohort_id=cohort_id, state__in=_LISTED, enrolled_at__isnull=False
    )
    if wanted.name:
        people = people.filter(contact__display_name__icontains=wanted.name)
    if wanted.without:
        people = people.exclude(contact__in=list(wanted.without))
    return people.order_by("contact__display_name", "id").values_list(*_PERSON)


def _rows(people: Iterable[Any], columns: tuple[Column, ...]) -> list[Row]:
    listed = list(people)
    enrollment_ids = [person[0] for person in listed]
    facts = results_of_record(enrollment_ids)
    attempts = _attempts(enrollment_ids)
    return [
        Row(
            enrollment_id=enrollment_id,
            contact_id=contact_id,
            name=name,
            external_id=external_id or "",
            enrollment_state=state,
            cells=tuple(
                _cell(
                    column.template_id,
                    attempts.get((enrollment_id, column.template_id), []),
                    facts.get((enrollment_id, column.template_id)),
                )
                for column in columns
            ),
        )
        for enrollment_id, contact_id, name, external_id, state in listed
    ]


def _columns(cohort_id: UUID) -> tuple[Column, ...]:
    """Return the placed assessments in course order, then those with a window only."""
    windows = AssessmentWindow.objects.filter(cohort_id=cohort_id).order_by("id")
    ids = [place.template_id for place in placements(cohort_id)]
    ids += list(windows.values_list("template_id", flat=True))
    titles = dict(AssessmentTemplate.objects.filter(id__in=ids).values_list("id", "title"))
    return tuple(Column(template_id, titles[template_id]) for template_id in dict.fromkeys(ids))


def _attempts(enrollment_ids: Iterable[UUID]) -> dict[tuple[UUID, UUID], list[tuple[UUID, str]]]:
    """Return (enrolment, assessment) -> id and status of its attempts, the newest last."""
    found: dict[tuple[UUID, UUID], list[tuple[UUID, str]]] = defaultdict(list)
    attempts: Any = AssessmentAttempt.objects.filter(enrollment__in=list(enrollment_ids))
    for enrollment_id, template_id, attempt_id, status in attempts.order_by("id").values_list(
        "enrollment_id", "template_id", "id", "status"
    ):
        found[enrollment_id, template_id].append((attempt_id, status))
    return found


def _cell(template_id: UUID, attempts: list[tuple[UUID, str]], fact: ResultFact | None) -> Cell:
    statuses = {status for _attempt_id, status in attempts}
    newest = attempts[-1][0] if attempts else None
    return Cell(
        template_id=template_id,
        attempts=len(attempts),
        in_progress=AttemptStatus.IN_PROGRESS in statuses,
        awaits_grading=AttemptStatus.SUBMITTED in statuses,
        fact=fact,
        attempt_id=fact.attempt_id if fact else newest,
    )
