"""What the facts of some enrolments should be, read from the rows of record.

One list of tables: the pipeline writes what differs, the rebuild does it for everybody, and the
audit only says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.assessment.selectors.records import results_of_record
from apps.cohorts.models import AttendanceRecord, CohortEnrollment, CohortSession, CourseProgress
from apps.programs.models import ProgramCourse
from apps.reporting.models import Fact, FactAssessment, FactAttendance, FactProgress
from apps.reporting.rules import (
    Assessed,
    Attendance,
    Meeting,
    Progress,
    Studied,
    Word,
    attendance_facts,
    day_of,
    progress_fact,
)
from apps.requirements.selectors.prepared import Among, Prepared

Row = tuple[Any, ...]


class Place(NamedTuple):
    """Where an enrolment that ever had a seat belongs."""

    enrollment_id: UUID
    contact_id: UUID
    cohort_id: UUID
    program_id: UUID
    timezone: str


def _places() -> QuerySet[Any, Any]:
    return CohortEnrollment.objects.filter(
        Among("id", "enrollments"), enrolled_at__isnull=False
    ).values_list(
        "id",
        "contact_id",
        "cohort_id",
        "cohort__program_version__definition_id",
        "cohort__timezone",
    )


_PLACES: Final = Prepared(_places)


def places_of(enrollment_ids: Collection[UUID]) -> dict[UUID, Place]:
    """Return enrolment -> its place, for those that ever had a seat: one statement."""
    rows = map(Place._make, _PLACES.rows(enrollments=enrollment_ids))
    return {place.enrollment_id: place for place in rows}


@dataclass
class Differences:
    """How the rows of a table differ from what they should be, by (enrolment, subject).

    `changed` are the rows as they should be under the id that they have.
    """

    new: list[Row] = field(default_factory=list)
    changed: list[tuple[UUID, Row]] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    enrollments: set[UUID] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)

    def __len__(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)


@dataclass(frozen=True)
class FactTable:
    """One table of facts: its columns, the first two of which say what a row is about."""

    model: type[Fact]
    columns: tuple[str, ...]
    read: Callable[[Mapping[UUID, Place]], Iterable[Row]]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def _stored(self) -> Prepared:
        rows = self.model._default_manager.filter(Among("enrollment_id", "enrollments"))
        return Prepared(lambda: rows.values_list("id", *self.columns))

    def differences(
        self, enrollment_ids: Collection[UUID], places: Mapping[UUID, Place]
    ) -> Differences:
        """Return how the rows of these enrolments differ from their sources."""
        stored = {row[1:3]: row for row in self._stored.rows(enrollments=enrollment_ids)}
        found = Differences()
        for row in self.read(places):
            known = stored.pop(row[:2], None)
            if known is None:
                found.new.append(tuple(row))
            elif known[1:] != row:
                found.changed.append((known[0], tuple(row)))
            else:
                continue
            found.enrollments.add(row[0])
        found.gone = [row[0] for row in stored.values()]
        found.enrollments |= {row[1] for row in stored.values()}
        return found


def _meetings() -> QuerySet[Any, Any]:
    return CohortSession.objects.filter(
        Among("cohort__enrollments__id", "enrollments"),
        cancelled_at=None,
    ).values_list(
        "cohort__enrollments__id",
        "cohort__enrollments__contact_id",
        "cohort_id",
        "cohort__program_version__definition_id",
        "id",
        "starts_at",
        "timezone",
        "is_required",
        "cohort__enrollments__ended_at",
    )


def _words() -> QuerySet[Any, Any]:
    records = AttendanceRecord.objects.filter(Among("enrollment_id", "enrollments"))
    return records.current().values_list(*Word._fields)


_MEETINGS: Final = Prepared(_meetings)
_WORDS: Final = Prepared(_words)


def _attendance(places: Mapping[UUID, Place]) -> Iterator[Attendance]:
    words = map(Word._make, _WORDS.rows(enrollments=places))
    said = {(word.enrollment_id, word.session_id): word for word in words}
    meetings = map(Meeting._make, _MEETINGS.rows(enrollments=places))
    return attendance_facts(meetings, said)


def _assessed(places: Mapping[UUID, Place]) -> Iterator[Assessed]:
    for fact in results_of_record(places).values():
        place, at = places[fact.enrollment_id], fact.submitted_at
        yield Assessed(
            enrollment_id=fact.enrollment_id,
            template_id=fact.template_id,
            contact_id=place.contact_id,
            cohort_id=place.cohort_id,
            program_id=place.program_id,
            attempt_id=fact.attempt_id,
            result_id=fact.result_id,
            attempts=fact.attempts,
            score=fact.score,
            max_score=fact.max_score,
            percent=fact.percent,
            passed=fact.passed,
            is_final=fact.is_final,
            submitted_at=at,
            submitted_on=None if at is None else day_of(at, place.timezone),
        )


def _studied() -> QuerySet[Any, Any]:
    asked = ProgramCourse.objects.filter(
        version=OuterRef("enrollment__cohort__program_version"), is_required=True
    )
    pinned = ProgramCourse.objects.filter(
        version=OuterRef("enrollment__cohort__program_version"),
        course_version__definition=OuterRef("course"),
    )
    return (
        CourseProgress.objects.filter(Among("enrollment_id", "enrollments"))
        .annotate(
            required=Coalesce(Subquery(pinned.values("is_required")[:1]), False),
            asks_some=Exists(asked),
        )
        .values_list(
            "enrollment_id",
            "enrollment__contact_id",
            "enrollment__cohort_id",
            "enrollment__cohort__program_version__definition_id",
            "course_id",
            "course_version_id",
            "status",
            "percent_complete",
            "time_spent_seconds",
            "last_activity_at",
            "completed_at",
            "enrollment__state",
            "enrollment__enrolled_at",
            "enrollment__ended_at",
            "enrollment__cohort__starts_on",
            "enrollment__cohort__timezone",
            "required",
            "asks_some",
        )
    )


_STUDIED: Final = Prepared(_studied)


def _progress(places: Mapping[UUID, Place]) -> Iterator[Progress]:
    return map(progress_fact, map(Studied._make, _STUDIED.rows(enrollments=places)))


FACT_TABLES: Final = (
    FactTable(FactAttendance, Attendance._fields, _attendance),
    FactTable(FactAssessment, Assessed._fields, _assessed),
    FactTable(FactProgress, Progress._fields, _progress),
)
