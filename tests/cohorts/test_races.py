"""The same things done at the same moment, on connections of their own."""

from __future__ import annotations

from functools import partial

from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, ProgressEvent
from apps.cohorts.services import (
    enroll,
    enroll_all,
    project_course_progress,
    record_event,
    withdraw,
)
from tests.cohorts.factories import NOON, event_types, item_of, open_cohort, people, person, states
from tests.cohorts.threads import at_once


def test_eight_enrols_at_once_are_one(own_database: str) -> None:
    cohort, ada = open_cohort(), person("Ada")

    found = at_once(*[partial(enroll, cohort=cohort, contact=ada, actor=None, at=NOON)] * 8)

    assert found == [CohortEnrollment.objects.get()] * 8
    assert event_types(found[0]) == [EventType.ENROLLED]


def test_eight_learners_at_once_never_exceed_the_seats(own_database: str) -> None:
    cohort = open_cohort(capacity=3)
    contacts = people(*"ABCDEFGH")

    at_once(
        *(
            partial(enroll, cohort=cohort, contact=contact, actor=None, at=NOON)
            for contact in contacts
        )
    )

    assert sorted(states(cohort).values()) == ["enrolled"] * 3 + ["waitlisted"] * 5


def test_enrols_in_opposite_orders_do_not_deadlock(own_database: str) -> None:
    cohort = open_cohort(capacity=4)
    contacts = people(*"ABCDEFGH")
    orders = [contacts, contacts[::-1], contacts[4:] + contacts[:4], contacts[::2]]

    found = at_once(
        *(
            partial(enroll_all, cohort=cohort, contacts=order, actor=None, at=NOON)
            for order in orders
        )
    )

    assert [len(result) for result in found] == [8, 8, 8, 4]
    assert cohort.enrollments.count() == 8


def test_withdrawals_and_enrols_at_once_keep_the_house_full(own_database: str) -> None:
    cohort = open_cohort(capacity=3)
    enrollments = enroll_all(cohort=cohort, contacts=people(*"ABCDEF"), actor=None, at=NOON)
    newcomers = people(*"UVWXYZ")

    found = at_once(
        *(partial(withdraw, enrollment=e, actor=None, at=NOON) for e in enrollments[:4]),
        *(partial(enroll, cohort=cohort, contact=c, actor=None, at=NOON) for c in newcomers),
    )

    assert [result for result in found if isinstance(result, Exception)] == []
    assert cohort.enrollments.enrolled().count() == 3
    assert [e.contact.display_name for e in enrollments[4:]] == ["E", "F"]
    assert {states(cohort)[name] for name in "EF"} == {"enrolled"}


def test_eight_events_at_once_under_one_key_are_one(own_database: str) -> None:
    enrollment = enroll(cohort=open_cohort(), contact=person("Ada"), actor=None, at=NOON)
    record = partial(
        record_event,
        enrollment=enrollment,
        type=EventType.CREDENTIAL_ISSUED,
        occurred_at=NOON,
        idempotency_key="award-1",
    )

    found = at_once(*[record] * 8)

    assert found == [ProgressEvent.objects.get(type=EventType.CREDENTIAL_ISSUED)] * 8


def test_projections_at_once_record_each_milestone_once(own_database: str) -> None:
    cohort = open_cohort()
    enrollment = enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)
    for key in ("welcome", "rules", "video"):
        record_event(
            enrollment=enrollment,
            type=EventType.ITEM_COMPLETED,
            entity=item_of(cohort, key),
            occurred_at=NOON,
        )

    found = at_once(*[partial(project_course_progress, enrollment.id, at=NOON)] * 6)

    assert found == [None] * 6
    assert sorted(event_types(enrollment)[4:]) == sorted(
        [
            *[EventType.MODULE_STARTED] * 2,
            *[EventType.MODULE_COMPLETED] * 2,
            EventType.COURSE_COMPLETED,
        ]
    )
