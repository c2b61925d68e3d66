"""The same things done at the same moment, on connections of their own."""

from __future__ import annotations

from functools import partial

from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import enroll, enroll_all, withdraw
from tests.cohorts.factories import NOON, event_types, open_cohort, people, person, states
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
