"""What is paid for is granted, what is not is withdrawn; nothing that was earned is touched."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from apps.cohorts.events import EventType
from apps.cohorts.models import Cohort, CohortStatus, CourseProgress, EnrollmentState
from apps.cohorts.services import enroll, withdraw
from apps.commerce.models import Entitlement, OrderLine
from apps.commerce.services import change_sellable, dismiss_line, retry_line
from apps.commerce.services.resolving import DismissalUnexplained, LineNotOpen
from apps.commerce.told import Person
from apps.commerce.vocabulary import PaymentState
from apps.contacts.models import AdminAction, Contact
from apps.contacts.services import contact_by_email, create_contact, merge_contacts
from tests.cohorts.factories import event_types, open_cohort, person, planned_cohort, states
from tests.commerce.factories import (
    AT,
    BUYER,
    MINUTE,
    enrollments,
    line,
    order,
    outcomes,
    shop,
    story,
)
from tests.outbox import drain
from tests.programs.factories import published_course, published_program
from tests.requirements.factories import complete_item

pytestmark = pytest.mark.django_db

PENDING, PAID = PaymentState.PENDING, PaymentState.PAID
REFUNDED, CANCELLED = PaymentState.REFUNDED, PaymentState.CANCELLED


def enrollment_of(cohort: Cohort, email: str = BUYER.email) -> str:
    return str(enrollments(cohort, email)[-1])


# --- Paid ---------------------------------------------------------------------------------------


def test_a_paid_line_enrols_a_buyer_nobody_knew() -> None:
    cohort, own = open_cohort(), shop()
    sold = own.sells(cohort)

    mirrored = own.tells(order())

    buyer = contact_by_email(BUYER.email)
    assert buyer is not None
    assert (buyer.display_name, buyer.user_id) == ("Ada", None)
    assert mirrored.buyer == buyer
    assert enrollments(cohort) == ["enrolled"]
    assert event_types(cohort.enrollments.get()) == [EventType.ENROLLED]
    assert outcomes(mirrored) == [("granted", "")]
    entitlement = Entitlement.objects.get()
    assert (entitlement.contact, entitlement.sellable, entitlement.enrollment.cohort) == (
        buyer,
        sold,
        cohort,
    )
    assert story(mirrored) == [("granted", "joined")]


def test_a_line_is_for_its_beneficiary() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    ada = person("Ada")

    mirrored = own.tells(
        order(
            line(id="1", beneficiary=Person("bob@example.org", "Bob")),
            line(id="2", beneficiary=Person("Cem@Example.org")),
            line(id="3"),
        )
    )

    assert states(cohort) == {
        "Bob": "enrolled",
        "cem@example.org": "enrolled",
        "Ada": "enrolled",
    }
    assert mirrored.buyer == ada
    assert [one.learner.display_name for one in mirrored.lines.all()] == [
        "Bob",
        "cem@example.org",
        "Ada",
    ]


def test_nothing_follows_before_the_payment() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)

    pending = own.tells(order(state=PENDING))
    before = outcomes(pending), enrollments(cohort)
    own.tells(order(state=PAID, minutes=1))

    assert before == ([("waiting", "")], [])
    assert (outcomes(pending), enrollments(cohort)) == ([("granted", "")], ["enrolled"])


def test_a_full_cohort_puts_the_buyer_on_its_waitlist() -> None:
    cohort, own = open_cohort(capacity=1), shop()
    own.sells(cohort)
    enroll(cohort=cohort, contact=person("First"), actor=None, at=AT)

    mirrored = own.tells(order())

    assert states(cohort) == {"First": "enrolled", "Ada": "waitlisted"}
    assert outcomes(mirrored) == [("granted", "")]
    withdraw(enrollment=cohort.enrollments.get(contact__display_name="First"), actor=None, at=AT)
    assert enrollments(cohort) == ["enrolled"]


def test_lines_for_the_last_seat_are_granted_in_their_order() -> None:
    cohort, own = open_cohort(capacity=1), shop()
    own.sells(cohort)

    own.tells(
        order(
            line(id="b", beneficiary=Person("bob@example.org", "Bob")),
            line(id="a", beneficiary=Person("cem@example.org", "Cem")),
        )
    )

    assert states(cohort) == {"Bob": "enrolled", "Cem": "waitlisted"}


def test_a_program_leads_to_the_next_cohort_with_a_seat() -> None:
    program = published_program()
    full, later = (
        open_cohort(program, slug=slug, capacity=capacity)
        for slug, capacity in (("full", 1), ("later", None))
    )
    Cohort.objects.filter(pk=full.pk).update(starts_on=AT.date() + timedelta(days=5))
    Cohort.objects.filter(pk=later.pk).update(starts_on=AT.date() + timedelta(days=40))
    enroll(cohort=full, contact=person("First"), actor=None, at=AT)
    own = shop()
    own.sells(program.definition)

    own.tells(order())

    assert (enrollments(full), enrollments(later)) == ([], ["enrolled"])


def test_a_program_leads_where_the_buyer_is_already() -> None:
    program = published_program()
    first, second = (open_cohort(program, slug=slug) for slug in ("first", "second"))
    Cohort.objects.filter(pk=second.pk).update(starts_on=AT.date() + timedelta(days=300))
    enroll(cohort=second, contact=person("Ada"), actor=None, at=AT)
    own = shop()
    own.sells(program.definition)

    mirrored = own.tells(order())

    assert (enrollments(first), enrollments(second)) == ([], ["enrolled"])
    assert story(mirrored) == [("granted", "found")]


def test_a_cohort_that_is_over_by_its_dates_is_not_offered_for_a_program() -> None:
    program = published_program()
    over = open_cohort(program)
    Cohort.objects.filter(pk=over.pk).update(starts_on=date(2026, 1, 1), ends_on=date(2026, 3, 1))
    own = shop()
    own.sells(program.definition)

    assert outcomes(own.tells(order())) == [("unresolved", "no-open-cohort")]
    last_day = AT.replace(day=1, hour=22)  # 23:00 in Berlin: its last day is not over there
    assert outcomes(own.tells(order(id="1002"), at=last_day)) == [("granted", "")]


def test_a_course_leads_to_its_self_paced_cohort() -> None:
    version = published_course()
    program = published_program(version)
    dated = open_cohort(program, slug="dated")
    self_paced = open_cohort(program, slug="self-paced", is_self_paced=True)
    own = shop()
    own.sells(version.definition)

    own.tells(order())

    assert (enrollments(dated), enrollments(self_paced)) == ([], ["enrolled"])


def test_a_course_leads_where_it_is_taken_already() -> None:
    version = published_course()
    program = published_program(version)
    dated = open_cohort(program, slug="dated")
    open_cohort(program, slug="self-paced", is_self_paced=True)
    enroll(cohort=dated, contact=person("Ada"), actor=None, at=AT)
    own = shop()
    own.sells(version.definition)

    assert story(own.tells(order())) == [("granted", "found")]


def test_an_invitation_is_accepted_by_paying() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    ada = person("Ada")
    cohort.enrollments.create(contact=ada, state=EnrollmentState.INVITED)

    mirrored = own.tells(order())

    assert enrollments(cohort) == ["enrolled"]
    assert story(mirrored) == [("granted", "joined")]


def test_a_contact_that_was_merged_is_enrolled_as_the_survivor() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    pending = own.tells(order(state=PENDING))
    survivor = create_contact(display_name="Ada Lovelace", email="ada@work.example")
    merge_contacts(source=pending.buyer, into=survivor, actor=None)

    own.tells(order(minutes=1))

    assert states(cohort) == {"Ada Lovelace": "enrolled"}
    own.tells(order(minutes=2))
    assert story(pending) == [("granted", "joined")]


# --- Paid, but something is in the way ----------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (order(line("UNHEARD-OF")), "sku-unknown"),
        (order(line(quantity=3)), "several-of-one"),
        (order(currency="EURO"), "currency-unknown"),
        (order(currency="USD"), "currency-not-accepted"),
        (order(line("OLD")), "sellable-archived"),
        (order(line("CLOSED")), "not-open-for-enrolment"),
        (order(line("EMPTY")), "no-open-cohort"),
        (order(line("COURSE")), "no-self-paced-cohort"),
    ],
)
def test_a_line_that_cannot_be_granted_is_kept_with_the_reason(told: object, reason: str) -> None:
    own, cohort, actor = shop("EUR"), open_cohort(), person("Registrar")
    own.sells(cohort)
    old = own.sells(cohort, sku="OLD")
    change_sellable(sellable=old, actor=actor, archived_at=AT)
    own.sells(planned_cohort(cohort.program_version, slug="closed"), sku="CLOSED")
    empty = published_program(published_course("other"), slug="empty")
    own.sells(empty.definition, sku="EMPTY")
    own.sells(empty.courses.get().course_version.definition, sku="COURSE")

    mirrored = own.tells(told)  # type: ignore[arg-type]

    assert outcomes(mirrored) == [("unresolved", reason)]
    assert (enrollments(cohort), story(mirrored)) == ([], [])
    assert mirrored.buyer == contact_by_email(BUYER.email)


def test_one_line_in_the_way_keeps_no_other_from_being_granted() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)

    mirrored = own.tells(order(line("UNHEARD-OF", id="1"), line(id="2"), line("X", id="3")))

    assert outcomes(mirrored) == [
        ("unresolved", "sku-unknown"),
        ("granted", ""),
        ("unresolved", "sku-unknown"),
    ]


def test_retry_grants_once_the_cause_is_gone() -> None:
    cohort, own, actor = open_cohort(), shop(), person("Registrar")
    mirrored = own.tells(order())
    unresolved = mirrored.lines.get()
    still = retry_line(line=unresolved, actor=actor, at=AT + MINUTE)
    own.sells(cohort)

    granted = retry_line(line=unresolved, actor=actor, at=AT + 2 * MINUTE)

    assert (still.outcome, still.reason, still.outcome_at) == ("unresolved", "sku-unknown", AT)
    assert (granted.outcome, granted.outcome_at) == ("granted", AT + 2 * MINUTE)
    assert enrollments(cohort) == ["enrolled"]
    assert Entitlement.objects.get().actor == actor
    told = AdminAction.objects.filter(action="orderline.retried").order_by("recorded_at")
    assert [row.details["outcome"] for row in told] == ["unresolved", "granted"]
    with pytest.raises(LineNotOpen):
        retry_line(line=unresolved, actor=actor, at=AT)


def test_a_dismissed_line_stays_so_until_somebody_tries_again() -> None:
    cohort, own, actor = open_cohort(), shop(), person("Registrar")
    mirrored = own.tells(order())
    [unresolved] = mirrored.lines.all()
    with pytest.raises(DismissalUnexplained):
        dismiss_line(line=unresolved, actor=actor, because="  ", at=AT)

    dismiss_line(line=unresolved, actor=actor, because="Paid back by hand", at=AT)
    own.sells(cohort)
    own.tells(order(minutes=1))
    dismissed = mirrored.lines.get()

    assert (dismissed.outcome, dismissed.reason) == ("dismissed", "sku-unknown")
    assert (dismissed.dismissed_by, dismissed.dismissed_because) == (actor, "Paid back by hand")
    assert enrollments(cohort) == []
    again = retry_line(line=dismissed, actor=actor, at=AT)
    assert (again.outcome, again.dismissed_by, enrollments(cohort)) == (
        "granted",
        None,
        ["enrolled"],
    )


def test_a_dismissed_line_that_is_refunded_is_dismissed_no_more() -> None:
    own, actor = shop(), person("Registrar")
    mirrored = own.tells(order())
    dismiss_line(line=mirrored.lines.get(), actor=actor, because="Wrong shop", at=AT)

    own.tells(order(state=REFUNDED, minutes=1))

    assert outcomes(mirrored) == [("cancelled", "")]


# --- Not paid any more --------------------------------------------------------------------------


def test_a_refund_ends_participation_and_nothing_else() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    mirrored = own.tells(order())
    enrollment = cohort.enrollments.get()
    complete_item(enrollment, "welcome")
    progress = list(CourseProgress.objects.filter(enrollment=enrollment).values())

    own.tells(order(state=REFUNDED, minutes=1))
    drain()

    assert enrollments(cohort) == ["withdrawn"]
    assert outcomes(mirrored) == [("withdrawn", "")]
    assert story(mirrored) == [("granted", "joined"), ("withdrawn", "left")]
    assert list(CourseProgress.objects.filter(enrollment=enrollment).values()) == progress
    assert progress[0]["percent_complete"] > 0
    assert event_types(enrollment)[-1] == EventType.UNENROLLED


@pytest.mark.parametrize("state", [REFUNDED, CANCELLED, PENDING])
def test_a_single_line_is_withdrawn_by_itself(state: PaymentState) -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    bob = Person("bob@example.org", "Bob")
    mirrored = own.tells(order(line(id="1"), line(id="2", beneficiary=bob)))

    own.tells(order(line(id="1"), line(id="2", beneficiary=bob, state=state), minutes=1))

    assert states(cohort) == {"Ada": "enrolled", "Bob": "withdrawn"}
    assert outcomes(mirrored) == [("granted", ""), ("withdrawn", "")]


def test_a_line_that_is_told_no_more_is_cancelled() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    mirrored = own.tells(
        order(line(id="1"), line(id="2", beneficiary=Person("bob@example.org", "Bob")))
    )

    own.tells(order(line(id="1"), minutes=1))

    assert states(cohort) == {"Ada": "enrolled", "Bob": "withdrawn"}
    assert list(mirrored.lines.values_list("state", flat=True)) == ["paid", "cancelled"]


def test_a_refund_of_somebody_who_waits_frees_the_place_in_line() -> None:
    cohort, own = open_cohort(capacity=1), shop()
    own.sells(cohort)
    own.tells(order(id="1", buyer=Person("first@example.org", "First")))
    own.tells(order(id="2", buyer=Person("second@example.org", "Second")))
    own.tells(order(id="3", buyer=Person("third@example.org", "Third")))

    own.tells(
        order(id="2", buyer=Person("second@example.org", "Second"), state=REFUNDED, minutes=1)
    )
    own.tells(order(id="1", buyer=Person("first@example.org", "First"), state=REFUNDED, minutes=1))

    assert states(cohort) == {"First": "withdrawn", "Second": "withdrawn", "Third": "enrolled"}


def test_who_buys_again_is_enrolled_again() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    first = own.tells(order(id="1"))
    own.tells(order(id="1", state=REFUNDED, minutes=1))

    second = own.tells(order(id="2", minutes=2))

    assert enrollments(cohort) == ["withdrawn", "enrolled"]
    assert story(first) == [("granted", "joined"), ("withdrawn", "left")]
    assert story(second) == [("granted", "joined")]


def test_an_order_that_is_paid_after_all_is_granted_again() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    mirrored = own.tells(order())
    own.tells(order(state=CANCELLED, minutes=1))

    own.tells(order(minutes=2))

    assert enrollments(cohort) == ["withdrawn", "enrolled"]
    assert story(mirrored) == [
        ("granted", "joined"),
        ("withdrawn", "left"),
        ("granted", "joined"),
    ]
    assert list(Entitlement.objects.values_list("revision", flat=True).order_by("revision")) == [
        1,
        2,
        3,
    ]


def test_an_enrolment_that_was_there_before_outlives_the_refund() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    enroll(cohort=cohort, contact=person("Ada"), actor=None, at=AT)
    mirrored = own.tells(order())

    own.tells(order(state=REFUNDED, minutes=1))

    assert enrollments(cohort) == ["enrolled"]
    assert story(mirrored) == [("granted", "found"), ("withdrawn", "kept_from_before")]


def test_an_enrolment_lasts_as_long_as_any_order_pays_for_it() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    first, second = own.tells(order(id="1")), own.tells(order(id="2"))

    own.tells(order(id="1", state=REFUNDED, minutes=1))
    between = enrollments(cohort)
    own.tells(order(id="2", state=REFUNDED, minutes=1))

    assert (between, enrollments(cohort)) == (["enrolled"], ["withdrawn"])
    assert story(first)[-1] == ("withdrawn", "kept_for_another")
    assert story(second) == [("granted", "found"), ("withdrawn", "left")]


def test_a_refund_after_the_cohort_has_ended_changes_no_enrolment() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    mirrored = own.tells(order())
    enrollment = cohort.enrollments.get()
    withdraw(enrollment=enrollment, actor=None, at=AT)
    events = event_types(enrollment)

    own.tells(order(state=REFUNDED, minutes=1))

    assert story(mirrored)[-1] == ("withdrawn", "over_before")
    assert event_types(enrollment) == events


def test_a_cohort_that_is_closed_now_still_lets_people_leave() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    mirrored = own.tells(order())
    Cohort.objects.filter(pk=cohort.pk).update(status=CohortStatus.CANCELLED)

    own.tells(order(state=REFUNDED, minutes=1))

    assert enrollments(cohort) == ["withdrawn"]
    assert outcomes(mirrored) == [("withdrawn", "")]


def test_a_line_for_somebody_else_or_something_else_moves() -> None:
    spring, own = open_cohort(), shop()
    autumn = open_cohort(spring.program_version, slug="autumn")
    own.sells(spring)
    own.sells(autumn, sku="AUTUMN")
    mirrored = own.tells(order())

    own.tells(order(line(beneficiary=Person("bob@example.org", "Bob")), minutes=1))
    own.tells(order(line("AUTUMN", beneficiary=Person("bob@example.org")), minutes=2))

    assert states(spring) == {"Ada": "withdrawn", "Bob": "withdrawn"}
    assert states(autumn) == {"Bob": "enrolled"}
    assert outcomes(mirrored) == [("granted", "")]


def test_what_was_never_granted_is_cancelled_quietly() -> None:
    own = shop()
    mirrored = own.tells(order())

    own.tells(order(state=REFUNDED, minutes=1))

    assert (outcomes(mirrored), story(mirrored)) == ([("cancelled", "")], [])


# --- In any order -------------------------------------------------------------------------------


def test_an_older_state_changes_nothing() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    own.tells(order(state=REFUNDED, minutes=5))
    before = list(OrderLine.objects.values())

    mirrored = own.tells(order(state=PAID, minutes=1))

    assert (mirrored.state, enrollments(cohort)) == ("refunded", [])
    assert list(OrderLine.objects.values()) == before


def test_revisions_go_before_moments() -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    own.tells(order(revision=7, state=REFUNDED))

    mirrored = own.tells(order(revision=6, state=PAID, minutes=60))

    assert (mirrored.state, mirrored.revision) == ("refunded", 7)
    assert own.tells(order(revision=8, state=PAID, minutes=-60)).state == "paid"


def test_a_shop_may_begin_or_cease_to_number_its_states() -> None:
    own = shop()
    own.tells(order(revision=7))
    own.tells(order(state=REFUNDED, minutes=1))

    mirrored = own.tells(order(state=PAID, revision=6, minutes=2))

    assert (mirrored.state, mirrored.revision) == ("refunded", 7)


def test_the_buyers_name_does_not_change_a_contact_that_is_known() -> None:
    own = shop()
    ada = create_contact(display_name="Ada Lovelace", email=BUYER.email)

    own.tells(order())

    assert Contact.objects.get(pk=ada.pk).display_name == "Ada Lovelace"
    assert Contact.objects.count() == 1


def test_the_same_external_id_of_two_shops_is_two_orders() -> None:
    one, two = shop(), shop(slug="other")

    assert one.tells(order()) != two.tells(order())
