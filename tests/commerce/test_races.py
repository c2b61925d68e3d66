"""The same things delivered at the same moment, on connections of their own."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from apps.cohorts.models import CohortEnrollment
from apps.commerce.models import Entitlement, Order, WebhookDelivery
from apps.commerce.services import rotate_secret
from apps.commerce.told import Person, ToldOrder
from apps.commerce.vocabulary import PaymentState
from apps.contacts.models import Contact
from tests.cohorts.factories import open_cohort, person, states
from tests.cohorts.threads import at_once
from tests.commerce.factories import AT, MINUTE, Shop, line, order, payload, shop, story

PAID, REFUNDED = PaymentState.PAID, PaymentState.REFUNDED


def post(own: Shop, told: ToldOrder, webhook_id: str) -> tuple[int, str]:
    """Deliver over HTTP; return the status and what became of it."""
    answer: Any = own.sends(payload(told), webhook_id=webhook_id)
    return answer.status_code, answer.json().get("outcome")


def test_eight_deliveries_of_one_webhook_at_once_are_one_enrolment(own_database: str) -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)

    found = at_once(*[partial(post, own, order(), "msg_1")] * 8)

    assert Counter(found) == {(200, "applied"): 1, (200, "duplicate"): 7}
    assert CohortEnrollment.objects.count() == Entitlement.objects.count() == 1
    assert Contact.objects.count() == Order.objects.count() == 1
    assert WebhookDelivery.objects.count() == 8


def test_eight_webhooks_of_one_new_order_at_once_are_one_order(own_database: str) -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)

    found = at_once(*(partial(post, own, order(), f"msg_{n}") for n in range(8)))

    assert Counter(found) == {(200, "applied"): 1, (200, "unchanged"): 7}
    assert Order.objects.count() == CohortEnrollment.objects.count() == 1


def test_a_refund_racing_its_payment_wins_in_any_order(own_database: str) -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    paid, refunded = order(), order(state=REFUNDED, minutes=1)

    found = at_once(*(partial(post, own, paid, "p"), partial(post, own, refunded, "r")) * 4)

    assert {status for status, _outcome in found} == {200}
    mirrored = Order.objects.get()
    assert mirrored.state == "refunded"
    assert not cohort.enrollments.active().exists()
    assert story(mirrored) in ([], [("granted", "joined"), ("withdrawn", "left")])


def test_two_refunds_at_once_of_one_enrolment_end_it(own_database: str) -> None:
    cohort, own = open_cohort(), shop()
    own.sells(cohort)
    own.tells(order(id="1"))
    own.tells(order(id="2"))

    at_once(
        *(
            partial(own.tells, order(id=number, state=REFUNDED, minutes=1), at=AT)
            for number in ("1", "2")
        )
    )

    assert states(cohort) == {"Ada": "withdrawn"}
    effects = Entitlement.objects.filter(state="withdrawn").values_list("effect", flat=True)
    assert sorted(effects) == ["kept_for_another", "left"]


def test_orders_at_once_never_exceed_the_seats(own_database: str) -> None:
    cohort, own = open_cohort(capacity=3), shop()
    own.sells(cohort)

    found = at_once(
        *(
            partial(post, own, order(id=name, buyer=Person(f"{name}@example.org")), name)
            for name in "abcdefgh"
        )
    )

    assert Counter(found) == {(200, "applied"): 8}
    assert sorted(states(cohort).values()) == ["enrolled"] * 3 + ["waitlisted"] * 5


def test_orders_of_the_same_people_in_opposite_orders_do_not_deadlock(own_database: str) -> None:
    spring, own = open_cohort(), shop()
    autumn = open_cohort(spring.program_version, slug="autumn")
    own.sells(spring, sku="SPRING")
    own.sells(autumn, sku="AUTUMN")
    people = [Person(f"{name}@example.org") for name in "abcd"]

    def told(number: int) -> ToldOrder:
        turned = people if number % 2 else people[::-1]
        skus = ["SPRING", "AUTUMN"] if number % 2 else ["AUTUMN", "SPRING"]
        lines = [
            line(sku, id=f"{sku}-{one.email}", beneficiary=one) for sku in skus for one in turned
        ]
        return order(*lines, id=str(number), buyer=turned[0])

    found = at_once(*(partial(post, own, told(number), str(number)) for number in range(6)))

    assert Counter(found) == {(200, "applied"): 6}
    assert CohortEnrollment.objects.count() == 8
    assert Contact.objects.count() == 4


def test_rotations_at_once_leave_one_secret_without_an_end(own_database: str) -> None:
    own, registrar = shop(), person("Registrar")

    at_once(
        *[partial(rotate_secret, source=own.source, overlap=MINUTE, actor=registrar, at=AT)] * 6
    )

    secrets = own.source.secrets
    assert (secrets.count(), secrets.filter(expires_at=None).count()) == (7, 1)
