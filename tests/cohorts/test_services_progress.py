from __future__ import annotations

from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, CourseProgress, ProgressEvent
from apps.cohorts.services import (
    enroll,
    enroll_all,
    project_course_progress,
    project_progress,
    rebuild_course_progress,
    record_event,
)
from apps.cohorts.services.progress import ADVANCE, IdempotencyKeyReused, Projection
from apps.core.models import OutboxMessage
from apps.organizations.models import Organization
from apps.programs.models import ItemType
from tests.cohorts.factories import (
    NOON,
    event_types,
    item_of,
    open_cohort,
    people,
    person,
)
from tests.outbox import drain
from tests.programs.factories import Item, published_course, published_program

pytestmark = pytest.mark.django_db

WITH_TEST = {
    "learn": (Item("read"), Item("extra", is_required=False)),
    "prove": (Item("test", ItemType.ASSESSMENT),),
}


@pytest.fixture
def enrollment() -> CohortEnrollment:
    cohort = open_cohort(published_program(published_course(modules=WITH_TEST)))
    return enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)


def happened(
    enrollment: CohortEnrollment, type_: str, key: str, minute: int, **payload: Any
) -> ProgressEvent:
    return record_event(
        enrollment=enrollment,
        type=type_,
        entity=item_of(enrollment.cohort, key),
        payload=payload,
        occurred_at=NOON + timedelta(minutes=minute),
    )


def outcome(enrollment: CohortEnrollment, type_: str, minute: int) -> ProgressEvent:
    """Record an assessment event about one and the same attempt (here the course stands for it)."""
    test = item_of(enrollment.cohort, "test")
    return record_event(
        enrollment=enrollment,
        type=type_,
        entity=test.version.definition,
        payload={"assessment": str(test.id), "module_items": [str(test.id)]},
        occurred_at=NOON + timedelta(minutes=minute),
    )


def project(enrollment: CohortEnrollment, minute: int = 60) -> CourseProgress:
    project_course_progress(enrollment.id, at=NOON + timedelta(minutes=minute))
    return CourseProgress.objects.get(enrollment=enrollment)


def rows() -> list[dict[str, Any]]:
    return list(CourseProgress.objects.order_by("id").values())


def test_record_event_owes_a_step(enrollment: CohortEnrollment) -> None:
    OutboxMessage.objects.all().delete()

    event = happened(enrollment, EventType.ITEM_COMPLETED, "read", 5, time_spent=60)

    assert (event.contact, event.type, event.payload) == (
        enrollment.contact,
        EventType.ITEM_COMPLETED,
        {"time_spent": 60},
    )
    assert (event.entity_type, event.entity_id) == (
        "programs.moduleitem",
        item_of(enrollment.cohort, "read").id,
    )
    assert list(OutboxMessage.objects.values_list("topic", "key")) == [
        (ADVANCE, str(enrollment.id))
    ]


def test_record_event_again_under_its_key_is_the_same_event(enrollment: CohortEnrollment) -> None:
    record = partial(
        record_event,
        enrollment=enrollment,
        type=EventType.CREDENTIAL_ISSUED,
        occurred_at=NOON,
        idempotency_key="award-1",
    )

    assert record() == record()
    with pytest.raises(IdempotencyKeyReused):
        record(type=EventType.CREDENTIAL_REVOKED)
    assert event_types(enrollment) == [EventType.ENROLLED, EventType.CREDENTIAL_ISSUED]


def test_project_course_progress_follows_the_events(enrollment: CohortEnrollment) -> None:
    happened(enrollment, EventType.ITEM_STARTED, "extra", 3, time_spent=30)
    happened(enrollment, EventType.ITEM_COMPLETED, "read", 5, time_spent=60)

    progress = project(enrollment)

    assert (
        progress.status,
        progress.percent_complete,
        progress.last_activity_at,
        progress.completed_at,
        progress.time_spent_seconds,
    ) == ("in_progress", 50, NOON + timedelta(minutes=5), None, 90)


def test_an_event_brings_progress_up_to_date_through_the_outbox(
    enrollment: CohortEnrollment,
) -> None:
    drain(ADVANCE)
    happened(enrollment, EventType.ITEM_COMPLETED, "read", 5)

    assert drain(ADVANCE) == 1
    assert CourseProgress.objects.get().percent_complete == 50


def test_project_course_progress_records_milestones_once(enrollment: CohortEnrollment) -> None:
    happened(enrollment, EventType.ITEM_COMPLETED, "read", 5)
    outcome(enrollment, EventType.ASSESSMENT_PASSED, 9)
    OutboxMessage.objects.all().delete()

    first = project(enrollment)
    second = project(enrollment)

    assert (first.status, first.percent_complete) == ("completed", 100)
    assert first.completed_at == second.completed_at == NOON + timedelta(minutes=9)
    assert event_types(enrollment)[3:] == [
        EventType.MODULE_STARTED,
        EventType.MODULE_COMPLETED,
        EventType.MODULE_STARTED,
        EventType.MODULE_COMPLETED,
        EventType.COURSE_COMPLETED,
    ]
    course = first.course
    completed = ProgressEvent.objects.get(type=EventType.COURSE_COMPLETED)
    assert (completed.course, completed.entity_type, completed.entity_id) == (
        course,
        "programs.course",
        course.id,
    )
    assert completed.occurred_at == NOON + timedelta(minutes=9)
    assert not OutboxMessage.objects.exists()


def test_project_course_progress_after_a_void_reopens(enrollment: CohortEnrollment) -> None:
    happened(enrollment, EventType.ITEM_COMPLETED, "read", 5)
    outcome(enrollment, EventType.ASSESSMENT_PASSED, 9)
    project(enrollment)
    outcome(enrollment, EventType.ASSESSMENT_VOIDED, 20)

    progress = project(enrollment)

    assert (progress.status, progress.percent_complete, progress.completed_at) == (
        "in_progress",
        50,
        None,
    )
    assert event_types(enrollment)[-2:] == [EventType.MODULE_REOPENED, EventType.COURSE_REOPENED]


def test_progress_is_of_the_course_version_that_the_cohort_pins() -> None:
    course = published_course(modules=WITH_TEST)
    cohort = open_cohort(published_program(course, published_course("second")))
    enrollment = enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)

    found = CourseProgress.objects.filter(enrollment=enrollment).order_by("course__slug")

    assert [(row.course.slug, row.course_version.number) for row in found] == [
        ("first-aid", 1),
        ("second", 1),
    ]


def test_progress_of_who_only_waits_has_no_rows() -> None:
    cohort = open_cohort(capacity=1)
    _, waiting = enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)

    project_course_progress(waiting.id, at=NOON)

    assert not CourseProgress.objects.filter(enrollment=waiting).exists()


def test_project_progress_takes_the_same_statements_for_any_number() -> None:
    cohort = open_cohort()
    enrollments = enroll_all(cohort=cohort, contacts=people(*"ABCDEFGHIJKL"), actor=None, at=NOON)
    statements = []
    for batch in (enrollments[:2], enrollments[2:]):
        for enrollment in batch:
            happened(enrollment, EventType.ITEM_COMPLETED, "welcome", 5)
        with CaptureQueriesContext(connection) as captured:
            done = project_progress(enrollment_ids=[e.id for e in batch], at=NOON)
        statements.append(len(captured))
        assert done == Projection(written=len(batch), advanced=frozenset(e.id for e in batch))

    assert statements[0] == statements[1]


def damage(enrollment: CohortEnrollment, other: CohortEnrollment) -> None:
    """Make the projection wrong in every way a row can be wrong."""
    CourseProgress.objects.filter(enrollment=enrollment).update(percent_complete=99)
    CourseProgress.objects.filter(enrollment=other).delete()


def test_rebuild_course_progress_gives_the_same_rows(enrollment: CohortEnrollment) -> None:
    other = enroll(cohort=enrollment.cohort, contact=person("Bea"), actor=None, at=NOON)
    happened(enrollment, EventType.ITEM_COMPLETED, "read", 5)
    outcome(enrollment, EventType.ASSESSMENT_PASSED, 9)
    happened(other, EventType.ITEM_STARTED, "read", 7, time_spent=12)
    for one in (enrollment, other):
        project(one)
    before, events = rows(), ProgressEvent.objects.count()

    assert rebuild_course_progress(at=NOON) == Projection()
    assert rows() == before

    damage(enrollment, other)
    assert rebuild_course_progress(at=NOON) == Projection(written=2)
    assert [{**row, "id": None} for row in rows()] == [{**row, "id": None} for row in before]
    assert ProgressEvent.objects.count() == events


def test_rebuild_projections_names_each_organisation(
    enrollment: CohortEnrollment, org_a: Organization
) -> None:
    CourseProgress.objects.update(time_spent_seconds=7)
    out = StringIO()

    call_command("rebuild_projections", organization=org_a.slug, stdout=out)

    assert out.getvalue() == (
        "a: 1 enrolments, 1 rows written, 0 removed, 0 learners owed a step\n"
    )


def test_rebuild_projections_of_an_unknown_organisation_is_refused() -> None:
    with pytest.raises(CommandError, match="no organisation “nowhere”"):
        call_command("rebuild_projections", organization="nowhere")
