from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts import ports
from apps.cohorts.events import EventType
from apps.cohorts.models import Cohort, CohortEnrollment, CourseProgress, ProgressEvent
from apps.cohorts.services import (
    Assertion,
    AssertionOutcome,
    assert_progress,
    end_cohort,
    enroll,
    enroll_all,
    record_event,
    withdraw,
)
from apps.cohorts.services.assertions import MAX_BATCH, BatchTooLarge
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.principal import Principal
from apps.contacts.services import merge_contacts
from apps.core.models import OutboxMessage
from apps.core.ports import OPEN, Gate
from tests.cohorts.conftest import Answer
from tests.cohorts.factories import (
    NOON,
    event_types,
    item_of,
    open_cohort,
    people,
    person,
    principal_for,
)
from tests.programs.factories import Item, published_course, published_program

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
MODULES = {"all": (Item("read"), Item("visit", "external"), Item("test", "assessment"))}


@pytest.fixture
def cohort() -> Cohort:
    return open_cohort(published_program(published_course(modules=MODULES)))


@pytest.fixture
def enrollment(cohort: Cohort) -> CohortEnrollment:
    return enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)


def claim(enrollment: CohortEnrollment, key: str = "read", **changes: Any) -> Assertion:
    fields: dict[str, Any] = {
        "enrollment_id": enrollment.id,
        "type": EventType.ITEM_COMPLETED,
        "item_id": item_of(enrollment.cohort, key).id,
        "occurred_at": NOON + timedelta(minutes=5),
        **changes,
    }
    return Assertion(**fields)


def own(enrollment: CohortEnrollment) -> Principal:
    return principal_for(enrollment.contact)


def said(outcomes: list[AssertionOutcome]) -> list[str]:
    """Return each outcome's status or, refused, its problem's code."""
    return [outcome.problem.code if outcome.problem else outcome.status for outcome in outcomes]


def fields(outcome: AssertionOutcome) -> list[str]:
    assert outcome.problem is not None
    return [error["field"] for error in outcome.problem.errors]


def test_assert_progress_of_ones_own_lesson_is_recorded(enrollment: CohortEnrollment) -> None:
    OutboxMessage.objects.all().delete()

    (outcome,) = assert_progress(
        principal=own(enrollment), assertions=[claim(enrollment, time_spent=90)], at=LATER
    )

    event = ProgressEvent.objects.get(type=EventType.ITEM_COMPLETED)
    assert (outcome.status, outcome.event) == ("recorded", event)
    assert (event.contact, event.asserted_by, event.enrollment, event.payload) == (
        enrollment.contact,
        enrollment.contact,
        enrollment,
        {"time_spent": 90},
    )
    assert event.course == item_of(enrollment.cohort, "read").version.definition
    assert list(OutboxMessage.objects.values_list("topic", "key")) == [
        (ADVANCE, str(enrollment.id))
    ]


def test_assert_progress_with_projection_is_up_to_date_at_once(
    enrollment: CohortEnrollment,
) -> None:
    assert_progress(
        principal=own(enrollment), assertions=[claim(enrollment)], at=LATER, project=True
    )

    assert CourseProgress.objects.get().percent_complete == 33


@pytest.mark.parametrize(
    ("type_", "key"),
    [
        (EventType.ASSESSMENT_PASSED, "test"),
        (EventType.ASSESSMENT_PASSED, "read"),
        (EventType.COURSE_COMPLETED, "read"),
        (EventType.MODULE_COMPLETED, "read"),
        (EventType.CREDENTIAL_ISSUED, "read"),
        (EventType.ITEM_COMPLETED, "test"),
        (EventType.ITEM_STARTED, "test"),
        ("made_up", "read"),
    ],
)
def test_assert_progress_of_what_only_the_platform_finds_is_forbidden(
    enrollment: CohortEnrollment, type_: str, key: str
) -> None:
    before = event_types(enrollment)
    staff = principal_for(person("Staff"), "owner")

    for principal in (own(enrollment), staff):
        (outcome,) = assert_progress(
            principal=principal, assertions=[claim(enrollment, key, type=type_)], at=LATER
        )
        assert outcome.problem is not None
        assert (outcome.problem.code, outcome.problem.status) == ("event-not-assertable", 403)

    assert event_types(enrollment) == before


def test_assert_progress_for_somebody_else_is_not_found(
    cohort: Cohort, enrollment: CohortEnrollment
) -> None:
    elsewhere = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    stranger, auditor, teacher = people("Eve", "Auditor", "Teacher")

    for principal in (
        principal_for(stranger),
        principal_for(auditor, "auditor"),
        principal_for(teacher, "instructor", elsewhere),
    ):
        outcomes = assert_progress(principal=principal, assertions=[claim(enrollment)], at=LATER)
        assert said(outcomes) == ["not-found"]


def test_assert_progress_by_who_runs_the_cohort_is_recorded_as_theirs(
    cohort: Cohort, enrollment: CohortEnrollment
) -> None:
    teacher = person("Teacher")

    assert_progress(
        principal=principal_for(teacher, "instructor", cohort),
        assertions=[claim(enrollment)],
        at=LATER,
    )

    event = ProgressEvent.objects.get(type=EventType.ITEM_COMPLETED)
    assert (event.contact, event.asserted_by) == (enrollment.contact, teacher)


def test_assert_progress_under_an_enrolment_of_an_alias_is_recorded(
    enrollment: CohortEnrollment,
) -> None:
    survivor = person("Adele")
    merge_contacts(source=enrollment.contact, into=survivor, actor=None)

    outcomes = assert_progress(
        principal=principal_for(survivor), assertions=[claim(enrollment)], at=LATER
    )

    assert said(outcomes) == ["recorded"]


def test_assert_progress_of_items_outside_the_program_is_not_found(
    enrollment: CohortEnrollment,
) -> None:
    other = published_course("other")
    foreign = other.items.first()
    assert foreign is not None
    claims = [
        claim(enrollment, item_id=foreign.id),
        claim(enrollment, item_id=uuid4()),
        claim(enrollment, item_id=None),
        claim(enrollment, enrollment_id=uuid4()),
    ]

    outcomes = assert_progress(principal=own(enrollment), assertions=claims, at=LATER)

    assert said(outcomes) == ["not-found"] * 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"occurred_at": LATER + timedelta(microseconds=1)}, "occurred_at"),
        ({"occurred_at": NOON - timedelta(microseconds=1)}, "occurred_at"),
        ({"time_spent": -1}, "time_spent"),
        ({"time_spent": 86_401}, "time_spent"),
        ({"idempotency_key": "k" * 201}, "idempotency_key"),
    ],
)
def test_assert_progress_that_cannot_be_is_refused(
    enrollment: CohortEnrollment, changes: dict[str, Any], field: str
) -> None:
    (outcome,) = assert_progress(
        principal=own(enrollment), assertions=[claim(enrollment, **changes)], at=LATER
    )

    assert fields(outcome) == [field]


def test_assert_progress_of_a_locked_item_is_refused_with_the_reason(
    enrollment: CohortEnrollment, answers: Answer
) -> None:
    locked = item_of(enrollment.cohort, "visit").id

    def gates(asked: Mapping[UUID, Collection[UUID]]) -> dict[UUID, dict[UUID, Gate]]:
        shut = Gate(False, "locked", "First read.")
        return {
            one: {item: shut if item == locked else OPEN for item in items}
            for one, items in asked.items()
        }

    answers(ports.may_open_items, gates)

    read, visit = assert_progress(
        principal=own(enrollment),
        assertions=[claim(enrollment), claim(enrollment, "visit")],
        at=LATER,
    )

    assert said([read, visit]) == ["recorded", "item-locked"]
    assert visit.problem is not None
    assert (visit.problem.status, visit.problem.detail) == (403, "First read.")
    assert visit.problem.extensions == {"reason": "locked"}


def test_assert_progress_after_leaving_is_refused(enrollment: CohortEnrollment) -> None:
    withdraw(enrollment=enrollment, actor=None, at=NOON)

    outcomes = assert_progress(principal=own(enrollment), assertions=[claim(enrollment)], at=LATER)

    assert said(outcomes) == ["not-taking-part"]


def test_assert_progress_after_the_end_is_refused(
    cohort: Cohort, enrollment: CohortEnrollment
) -> None:
    end_cohort(cohort=cohort, actor=None, at=NOON)

    outcomes = assert_progress(principal=own(enrollment), assertions=[claim(enrollment)], at=LATER)

    assert said(outcomes) == ["not-taking-part"]


def test_assert_progress_again_under_its_key_is_repeated(enrollment: CohortEnrollment) -> None:
    keyed = claim(enrollment, idempotency_key="phone-1")
    other = claim(enrollment, "visit", idempotency_key="phone-1")

    first = assert_progress(principal=own(enrollment), assertions=[keyed, keyed, other], at=LATER)
    again = assert_progress(principal=own(enrollment), assertions=[keyed], at=LATER)

    assert said(first) == ["recorded", "repeated", "idempotency-key-reused"]
    assert said(again) == ["repeated"]
    assert again[0].event == first[0].event == first[1].event
    assert ProgressEvent.objects.filter(type=EventType.ITEM_COMPLETED).count() == 1


def test_assert_progress_cannot_occupy_a_key_of_the_platform(
    enrollment: CohortEnrollment,
) -> None:
    assert_progress(
        principal=own(enrollment),
        assertions=[claim(enrollment, idempotency_key="award-1")],
        at=LATER,
    )

    issued = record_event(
        enrollment=enrollment,
        type=EventType.CREDENTIAL_ISSUED,
        occurred_at=NOON,
        idempotency_key="award-1",
    )

    assert issued.type == EventType.CREDENTIAL_ISSUED


def test_assert_progress_of_a_batch_has_an_outcome_each_and_constant_statements(
    cohort: Cohort,
) -> None:
    enrollments = enroll_all(cohort=cohort, contacts=people(*"ABCDEFGHIJ"), actor=None, at=NOON)
    runner = principal_for(person("Staff"), "admin")
    statements = []
    for number, batch in enumerate((enrollments[:1], enrollments)):
        claims = [
            assertion
            for enrollment in batch
            for assertion in (
                claim(enrollment, idempotency_key=f"{number}"),
                claim(enrollment, "test"),
            )
        ]
        with CaptureQueriesContext(connection) as captured:
            outcomes = assert_progress(principal=runner, assertions=claims, at=LATER)
        assert said(outcomes) == ["recorded", "event-not-assertable"] * len(batch)
        statements.append(len(captured))

    assert statements[0] == statements[1]


def test_assert_progress_of_too_many_is_refused(enrollment: CohortEnrollment) -> None:
    claims = [claim(enrollment)] * (MAX_BATCH + 1)

    with pytest.raises(BatchTooLarge):
        assert_progress(principal=own(enrollment), assertions=claims, at=LATER)
