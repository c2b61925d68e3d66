"""What a fact says, from the rows that it is made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo


class Meeting(NamedTuple):
    """A session that stands, for one enrolment of its cohort."""

    enrollment_id: UUID
    contact_id: UUID
    cohort_id: UUID
    program_id: UUID
    session_id: UUID
    starts_at: datetime
    timezone: str
    is_required: bool
    ended_at: datetime | None


class Word(NamedTuple):
    """What was last said about one enrolment at one session."""

    enrollment_id: UUID
    session_id: UUID
    status: str
    minutes: int | None
    revision: int
    recorded_at: datetime


class Attendance(NamedTuple):
    """A row of fact_attendance."""

    enrollment_id: UUID
    session_id: UUID
    contact_id: UUID
    cohort_id: UUID
    program_id: UUID
    held_on: date
    starts_at: datetime
    is_required: bool
    status: str
    minutes: int | None
    revision: int
    recorded_at: datetime | None


class Assessed(NamedTuple):
    """A row of fact_assessment."""

    enrollment_id: UUID
    template_id: UUID
    contact_id: UUID
    cohort_id: UUID
    program_id: UUID
    attempt_id: UUID
    result_id: UUID
    attempts: int
    score: Decimal
    max_score: Decimal
    percent: Decimal
    passed: bool
    is_final: bool
    submitted_at: datetime | None
    submitted_on: date | None


class Studied(NamedTuple):
    """A row of course_progress with its enrolment and cohort.

    `is_required` is what the program says of the course, `asks_some` whether it requires any.
    """

    enrollment_id: UUID
    contact_id: UUID
    cohort_id: UUID
    program_id: UUID
    course_id: UUID
    course_version_id: UUID
    status: str
    percent_complete: int
    time_spent_seconds: int
    last_activity_at: datetime | None
    completed_at: datetime | None
    state: str
    enrolled_at: datetime
    ended_at: datetime | None
    starts_on: date
    timezone: str
    is_required: bool
    asks_some: bool


class Progress(NamedTuple):
    """A row of fact_progress."""

    enrollment_id: UUID
    course_id: UUID
    contact_id: UUID
    cohort_id: UUID
    program_id: UUID
    course_version_id: UUID
    is_required: bool
    status: str
    percent_complete: int
    time_spent_seconds: int
    begins_on: date
    last_activity_at: datetime | None
    completed_at: datetime | None
    completed_on: date | None
    enrollment_state: str
    ended_at: datetime | None


def day_of(moment: datetime, timezone: str) -> date:
    """Return the day on which a clock of this zone has this moment."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def attendance_facts(
    meetings: Iterable[Meeting], words: Mapping[tuple[UUID, UUID], Word]
) -> Iterator[Attendance]:
    """Yield a row for each meeting that concerns its learner; `words` go by enrolment, session.

    Who left is not expected any more at what begins later.
    """
    for one in meetings:
        word = words.get((one.enrollment_id, one.session_id))
        if word is None and one.ended_at is not None and one.starts_at >= one.ended_at:
            continue
        yield Attendance(
            enrollment_id=one.enrollment_id,
            session_id=one.session_id,
            contact_id=one.contact_id,
            cohort_id=one.cohort_id,
            program_id=one.program_id,
            held_on=day_of(one.starts_at, one.timezone),
            starts_at=one.starts_at,
            is_required=one.is_required,
            status=word.status if word else "",
            minutes=word.minutes if word else None,
            revision=word.revision if word else 0,
            recorded_at=word.recorded_at if word else None,
        )


def progress_fact(studied: Studied) -> Progress:
    """Return the row of one enrolment and course."""
    enrolled_on = day_of(studied.enrolled_at, studied.timezone)
    completed = studied.completed_at
    return Progress(
        enrollment_id=studied.enrollment_id,
        course_id=studied.course_id,
        contact_id=studied.contact_id,
        cohort_id=studied.cohort_id,
        program_id=studied.program_id,
        course_version_id=studied.course_version_id,
        is_required=studied.is_required or not studied.asks_some,
        status=studied.status,
        percent_complete=studied.percent_complete,
        time_spent_seconds=studied.time_spent_seconds,
        begins_on=max(enrolled_on, studied.starts_on),
        last_activity_at=studied.last_activity_at,
        completed_at=completed,
        completed_on=None if completed is None else day_of(completed, studied.timezone),
        enrollment_state=studied.state,
        ended_at=studied.ended_at,
    )
