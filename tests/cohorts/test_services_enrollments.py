from __future__ import annotations

from functools import partial

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, CohortStatus, CourseProgress, ProgressEvent
from apps.cohorts.services import (
    end_enrollment,
    enroll,
    enroll_all,
    invite,
    notify_promoted,
    update_cohort,
    withdraw,
)
from apps.cohorts.services.enrollments import NOTIFY_PROMOTED, NotOpenForEnrolment
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact, ContactChannel
from apps.contacts.services import ContactGone, merge_contacts
from apps.core.models import OutboxMessage
from tests.cohorts.factories import (
    NOON,
    event_types,
    open_cohort,
    people,
    person,
    planned_cohort,
    states,
)
from tests.outbox import drain

pytestmark = pytest.mark.django_db


def owed(topic: str) -> list[str]:
    return list(
        OutboxMessage.objects.filter(topic=topic).order_by("id").values_list("key", flat=True)
    )


def test_enroll_gives_a_seat_an_event_and_a_row_of_progress() -> None:
    cohort, ada, clerk = open_cohort(), person("Ada"), person("Clerk")

    enrollment = enroll(cohort=cohort, contact=ada, actor=clerk, at=NOON)

    assert (enrollment.state, enrollment.enrolled_at) == ("enrolled", NOON)
    event = ProgressEvent.objects.get()
    assert (event.type, event.contact, event.asserted_by) == (EventType.ENROLLED, ada, clerk)
    progress = CourseProgress.objects.get()
    assert (progress.enrollment, progress.status, progress.percent_complete) == (
        enrollment,
        "not_started",
        0,
    )
    assert owed(ADVANCE) == [str(enrollment.id)]


def test_enroll_twice_changes_nothing() -> None:
    cohort, ada = open_cohort(), person("Ada")
    again = partial(enroll, cohort=cohort, contact=ada, actor=None, at=NOON)

    first, second = again(), again()

    assert first == second
    assert event_types(first) == [EventType.ENROLLED]


@pytest.mark.parametrize("status", ["planned", "ended", "cancelled"])
def test_enroll_in_a_cohort_that_is_not_open_is_refused(status: str) -> None:
    cohort = planned_cohort()
    cohort.status = CohortStatus(status)
    cohort.save()

    with pytest.raises(NotOpenForEnrolment, match=status):
        enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)

    assert not CohortEnrollment.objects.exists()


def test_enroll_beyond_capacity_waits_in_order() -> None:
    cohort = open_cohort(capacity=1)
    ada, bea, cleo = people("Ada", "Bea", "Cleo")

    for contact in (ada, bea, cleo):
        enroll(cohort=cohort, contact=contact, actor=None, at=NOON)

    assert states(cohort) == {"Ada": "enrolled", "Bea": "waitlisted", "Cleo": "waitlisted"}
    assert CourseProgress.objects.count() == 1


def test_withdraw_gives_the_seat_to_the_next_in_line_and_owes_a_notice() -> None:
    cohort = open_cohort(capacity=1)
    first, second, _ = enroll_all(
        cohort=cohort, contacts=people("Ada", "Bea", "Cleo"), actor=None, at=NOON
    )

    withdrawn = withdraw(enrollment=first, actor=None, at=NOON)

    assert (withdrawn.state, withdrawn.ended_at) == ("withdrawn", NOON)
    assert states(cohort) == {"Ada": "withdrawn", "Bea": "enrolled", "Cleo": "waitlisted"}
    assert event_types(first) == [EventType.ENROLLED, EventType.UNENROLLED]
    assert event_types(second) == [EventType.WAITLISTED, EventType.ENROLLED]
    assert owed(NOTIFY_PROMOTED) == [str(second.id)]


def test_withdraw_twice_promotes_once() -> None:
    cohort = open_cohort(capacity=1)
    first, *_ = enroll_all(
        cohort=cohort, contacts=people("Ada", "Bea", "Cleo"), actor=None, at=NOON
    )

    for _ in range(2):
        withdraw(enrollment=first, actor=None, at=NOON)

    assert states(cohort) == {"Ada": "withdrawn", "Bea": "enrolled", "Cleo": "waitlisted"}


def test_withdraw_from_the_waitlist_promotes_nobody() -> None:
    cohort = open_cohort(capacity=1)
    _, second, _ = enroll_all(
        cohort=cohort, contacts=people("Ada", "Bea", "Cleo"), actor=None, at=NOON
    )

    withdraw(enrollment=second, actor=None, at=NOON)

    assert states(cohort) == {"Ada": "enrolled", "Bea": "withdrawn", "Cleo": "waitlisted"}


def test_end_enrollment_frees_the_seat() -> None:
    cohort = open_cohort(capacity=1)
    first, _ = enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)

    end_enrollment(enrollment=first, actor=None, at=NOON)

    assert states(cohort) == {"Ada": "ended", "Bea": "enrolled"}
    assert event_types(first) == [EventType.ENROLLED, EventType.ENROLLMENT_ENDED]


def test_update_cohort_with_more_seats_promotes_in_order() -> None:
    cohort = open_cohort(capacity=1)
    enroll_all(cohort=cohort, contacts=people("Ada", "Bea", "Cleo", "Dan"), actor=None, at=NOON)

    update_cohort(cohort=cohort, actor=None, at=NOON, capacity=3)

    assert states(cohort) == {
        "Ada": "enrolled",
        "Bea": "enrolled",
        "Cleo": "enrolled",
        "Dan": "waitlisted",
    }


def test_update_cohort_with_fewer_seats_unseats_nobody() -> None:
    cohort = open_cohort(capacity=2)
    enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)

    update_cohort(cohort=cohort, actor=None, at=NOON, capacity=1)
    enroll(cohort=cohort, contact=person("Cleo"), actor=None, at=NOON)

    assert states(cohort) == {"Ada": "enrolled", "Bea": "enrolled", "Cleo": "waitlisted"}


def test_invite_then_enroll_is_one_enrolment() -> None:
    cohort, ada = planned_cohort(), person("Ada")
    invited = invite(cohort=cohort, contact=ada, actor=None, at=NOON)
    assert invited == invite(cohort=cohort, contact=ada, actor=None, at=NOON)
    cohort.status = CohortStatus.OPEN
    cohort.save()

    enrolled = enroll(cohort=cohort, contact=ada, actor=ada, at=NOON)

    assert (enrolled.id, enrolled.state) == (invited.id, "enrolled")
    assert event_types(enrolled) == [EventType.INVITED, EventType.ENROLLED]


def test_enroll_a_merged_contact_is_refused_and_its_survivor_finds_the_enrolment() -> None:
    cohort, old, new = open_cohort(), person("Old"), person("New")
    before = enroll(cohort=cohort, contact=old, actor=None, at=NOON)
    merge_contacts(source=old, into=new, actor=None)

    with pytest.raises(ContactGone):
        enroll(cohort=cohort, contact=old, actor=None, at=NOON)

    assert enroll(cohort=cohort, contact=new, actor=None, at=NOON) == before


def test_enroll_all_seats_in_the_order_given_and_each_person_once() -> None:
    cohort = open_cohort(capacity=2)
    ada, bea, cleo = people("Ada", "Bea", "Cleo")

    found = enroll_all(cohort=cohort, contacts=[cleo, ada, cleo, bea], actor=None, at=NOON)

    assert [enrollment.contact for enrollment in found] == [cleo, ada, cleo, bea]
    assert [e.state for e in found] == ["enrolled", "enrolled", "enrolled", "waitlisted"]
    assert CohortEnrollment.objects.count() == 3


def test_enroll_all_takes_the_same_statements_for_any_number() -> None:
    cohort = open_cohort()
    statements = []
    for size in (1, 2, 40):  # the first reads the frozen course as well
        contacts = Contact.objects.bulk_create(
            Contact(display_name=f"P{size}-{n}") for n in range(size)
        )
        with CaptureQueriesContext(connection) as captured:
            enroll_all(cohort=cohort, contacts=contacts, actor=None, at=NOON)
        statements.append(len(captured))

    assert cohort.enrollments.enrolled().count() == 43
    assert statements[1] == statements[2]


def promoted(name: str = "Bea") -> CohortEnrollment:
    cohort = open_cohort(capacity=1)
    first, second = enroll_all(cohort=cohort, contacts=people("Ada", name), actor=None, at=NOON)
    withdraw(enrollment=first, actor=None, at=NOON)
    return second


def test_promotion_is_told_by_mail_once() -> None:
    enrollment = promoted()

    drain(NOTIFY_PROMOTED)
    again = notify_promoted(enrollment_id=enrollment.id, at=NOON)

    assert again is False
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["bea@example.org"], "You have a seat in Spring")
    assert "Hello Bea," in sent.body
    assert "It starts on March 2, 2026." in sent.body
    assert event_types(enrollment)[-1] == EventType.PROMOTION_NOTIFIED


def test_promotion_of_somebody_without_an_address_is_recorded() -> None:
    enrollment = promoted()
    ContactChannel.objects.all().delete()

    assert notify_promoted(enrollment_id=enrollment.id, at=NOON) is False

    told = ProgressEvent.objects.get(type=EventType.PROMOTION_NOTIFIED)
    assert (told.enrollment, told.payload) == (enrollment, {"channel": "none"})
    assert mail.outbox == []


def test_promotion_that_was_withdrawn_meanwhile_is_not_told() -> None:
    enrollment = promoted()
    withdraw(enrollment=enrollment, actor=None, at=NOON)

    assert notify_promoted(enrollment_id=enrollment.id, at=NOON) is False
    assert mail.outbox == []
