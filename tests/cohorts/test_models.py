"""What the database itself refuses, one test a constraint."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction

from apps.cohorts.events import EventType
from apps.cohorts.models import (
    AttendanceRecord,
    Cohort,
    CohortEnrollment,
    CohortSession,
    CohortStaff,
    CourseProgress,
    EnrollmentState,
    ProgressEvent,
    validate_timezone,
)
from tests.cohorts.factories import NOON, open_cohort, person
from tests.programs.factories import published_course, published_program

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort() -> Cohort:
    return open_cohort()


@pytest.fixture
def other() -> Cohort:
    return open_cohort(published_program(published_course("two"), slug="two"), slug="other")


def enrolled(cohort: Cohort, name: str = "Ada", **changes: Any) -> CohortEnrollment:
    fields = {"state": EnrollmentState.ENROLLED, "enrolled_at": NOON, **changes}
    return CohortEnrollment.objects.create(
        cohort=cohort, contact=fields.pop("contact", None) or person(name), **fields
    )


def session_of(cohort: Cohort, **changes: Any) -> CohortSession:
    fields = {
        "title": "Kick-off",
        "starts_at": NOON,
        "ends_at": NOON + timedelta(hours=1),
        "timezone": "UTC",
        "position": 1,
        **changes,
    }
    return CohortSession.objects.create(cohort=cohort, **fields)


def attendance(
    session: CohortSession, enrollment: CohortEnrollment, **changes: Any
) -> AttendanceRecord:
    fields = {
        "cohort": session.cohort,
        "contact": enrollment.contact,
        "revision": 1,
        "status": "present",
        "recorded_by": person(f"Staff{uuid4().hex}"),
        **changes,
    }
    return AttendanceRecord.objects.create(session=session, enrollment=enrollment, **fields)


def event(enrollment: CohortEnrollment, **changes: Any) -> ProgressEvent:
    fields = {
        "contact": enrollment.contact,
        "type": EventType.ENROLLED,
        "occurred_at": NOON,
        **changes,
    }
    return ProgressEvent.objects.create(enrollment=enrollment, **fields)


def test_cohort_that_ends_before_it_starts_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="cohort_ends_after_it_starts"):
        Cohort.objects.update(ends_on=date(2026, 3, 1))


def test_cohort_without_seats_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="cohort_capacity_positive"):
        Cohort.objects.update(capacity=0)


def test_cohort_of_unknown_status_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="cohort_status_known"):
        Cohort.objects.update(status="paused")


def test_second_staff_row_of_a_role_is_refused(cohort: Cohort) -> None:
    staff = CohortStaff.objects.create(cohort=cohort, contact=person("Ada"), role="grader")

    with pytest.raises(IntegrityError, match="cohortstaff_role_once"):
        CohortStaff.objects.create(cohort=cohort, contact=staff.contact, role="grader")


def test_staff_of_unknown_role_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="cohortstaff_role_known"):
        CohortStaff.objects.create(cohort=cohort, contact=person("Ada"), role="boss")


def test_session_that_ends_when_it_starts_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="session_ends_after_it_starts"):
        session_of(cohort, ends_at=NOON)


def test_second_session_at_a_position_is_refused(cohort: Cohort) -> None:
    session_of(cohort)

    with pytest.raises(IntegrityError, match="session_position_once_per_cohort"):
        session_of(cohort)


def test_second_active_enrolment_is_refused(cohort: Cohort) -> None:
    first = enrolled(cohort)

    with pytest.raises(IntegrityError, match="enrollment_one_active_per_cohort"):
        CohortEnrollment.objects.create(
            cohort=cohort, contact=first.contact, state=EnrollmentState.INVITED
        )


def test_enrolment_after_a_withdrawn_one_is_accepted(cohort: Cohort) -> None:
    first = enrolled(cohort, state=EnrollmentState.WITHDRAWN, ended_at=NOON)

    assert enrolled(cohort, contact=first.contact).is_active


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "enrolled", "enrolled_at": None},
        {"state": "waitlisted"},
        {"state": "withdrawn"},
        {"state": "ended"},
        {"state": "enrolled", "ended_at": NOON},
        {"state": "graduated"},
    ],
)
def test_enrolment_whose_state_lacks_its_times_is_refused(
    cohort: Cohort, fields: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match="enrollment_state_has_its_times"):
        enrolled(cohort, **fields)


def test_enrolment_is_never_deleted(cohort: Cohort) -> None:
    enrolled(cohort)

    with pytest.raises(DatabaseError, match="permission denied"):
        CohortEnrollment.objects.all().delete()


def test_attendance_for_a_session_of_another_cohort_is_refused(
    cohort: Cohort, other: Cohort
) -> None:
    session, stranger = session_of(cohort), enrolled(other)

    for claimed, wall in (
        (cohort, "attendance_enrollment_of_its_cohort"),
        (other, "attendance_session_of_its_cohort"),
    ):
        with pytest.raises(IntegrityError, match=wall), transaction.atomic():
            attendance(session, stranger, cohort=claimed)


def test_attendance_of_another_learner_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="attendance_enrollment_of_its_learner"):
        attendance(session_of(cohort), enrolled(cohort), contact=person("Eve"))


def test_second_attendance_of_one_revision_is_refused(cohort: Cohort) -> None:
    session, enrollment = session_of(cohort), enrolled(cohort)
    attendance(session, enrollment)

    with pytest.raises(IntegrityError, match="attendance_revision_once"):
        attendance(session, enrollment)


def test_attendance_of_negative_minutes_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match=r"minutes"):
        attendance(session_of(cohort), enrolled(cohort), minutes=-1)


def test_attendance_of_unknown_status_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="attendance_status_known"):
        attendance(session_of(cohort), enrolled(cohort), status="asleep")


def test_second_event_under_a_key_is_refused(cohort: Cohort) -> None:
    enrollment = enrolled(cohort)
    event(enrollment, idempotency_key="k")

    with pytest.raises(IntegrityError, match="progressevent_key_once_per_contact"):
        event(enrollment, idempotency_key="k", type="other")


def test_events_without_a_key_may_be_many(cohort: Cohort) -> None:
    enrollment = enrolled(cohort)

    assert event(enrollment) != event(enrollment)


def test_event_key_of_another_contact_is_accepted(cohort: Cohort) -> None:
    event(enrolled(cohort, "Ada"), idempotency_key="k")

    assert event(enrolled(cohort, "Bea"), idempotency_key="k").idempotency_key == "k"


def test_event_of_another_learners_enrolment_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="progressevent_enrollment_of_its_learner"):
        event(enrolled(cohort), contact=person("Eve"))


def test_event_without_a_type_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="progressevent_type_given"):
        event(enrolled(cohort), type="")


def test_event_with_half_an_entity_is_refused(cohort: Cohort) -> None:
    with pytest.raises(IntegrityError, match="progressevent_entity_whole"):
        event(enrolled(cohort), entity_type="programs.course")


@pytest.mark.parametrize("table", ["progress_events", "session_attendance_records"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET recorded_at = now()",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
    ],
)
def test_history_is_refused_every_change(table: str, statement: str) -> None:
    refused = pytest.raises(DatabaseError, match=r"permission denied|must be owner")
    with refused, connection.cursor() as cursor:
        cursor.execute(statement.format(table=table))


def progress(enrollment: CohortEnrollment, **changes: Any) -> CourseProgress:
    version = enrollment.cohort.program_version.courses.get().course_version
    return CourseProgress.objects.create(
        enrollment=enrollment, course=version.definition, course_version=version, **changes
    )


def test_second_progress_of_a_course_is_refused(cohort: Cohort) -> None:
    enrollment = enrolled(cohort)
    progress(enrollment)

    with pytest.raises(IntegrityError, match="courseprogress_once_per_enrollment"):
        progress(enrollment)


@pytest.mark.parametrize("percent", [-1, 101])
def test_progress_outside_0_to_100_percent_is_refused(cohort: Cohort, percent: int) -> None:
    with pytest.raises(IntegrityError, match=r"percent_complete|percent_within"):
        progress(enrolled(cohort), percent_complete=percent)


@pytest.mark.parametrize(
    "fields",
    [{"status": "completed"}, {"status": "in_progress", "completed_at": NOON}, {"status": "x"}],
)
def test_progress_completed_without_its_time_is_refused(
    cohort: Cohort, fields: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match="courseprogress_completed_has_its_time"):
        progress(enrolled(cohort), **fields)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "europe/berlin", "CET\x00"])
def test_validate_timezone_refuses(name: str) -> None:
    with pytest.raises(ValidationError):
        validate_timezone(name)
