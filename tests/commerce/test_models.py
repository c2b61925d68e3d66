"""What PostgreSQL itself refuses about shops, orders and entitlements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from psycopg import errors

from apps.commerce.models import (
    Entitlement,
    Order,
    OrderLine,
    Sellable,
    SourceSecret,
    WebhookDelivery,
)
from apps.commerce.vocabulary import Effect, EntitlementState
from apps.core.ids import uuid7
from tests.cohorts.factories import open_cohort, person
from tests.commerce.factories import AT, MINUTE, Shop, order, shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> Shop:
    made = shop()
    made.sells(open_cohort())
    return made


@pytest.fixture
def mirrored(own: Shop) -> Order:
    return own.tells(order())


def refuses(rule: str, statement: Any) -> None:
    """Assert that the database refuses, by this constraint."""
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        statement()


# --- Sellables and sources ----------------------------------------------------------------------


def test_a_sku_is_sold_once_per_source(own: Shop) -> None:
    program = Sellable.objects.get().cohort.program_version.definition  # type: ignore[union-attr]
    refuses(
        "sellable_sku_once_per_source",
        lambda: Sellable.objects.create(
            source=own.source, sku="RESPONDER", title="x", program=program
        ),
    )
    other = shop(slug="other").source
    assert Sellable.objects.create(source=other, sku="RESPONDER", title="x", program=program)


@pytest.mark.parametrize("kinds", [(), ("program", "cohort"), ("program", "cohort", "course")])
def test_a_sellable_is_exactly_one_thing(own: Shop, kinds: tuple[str, ...]) -> None:
    version = Sellable.objects.get().cohort.program_version  # type: ignore[union-attr]
    things = {
        "program": version.definition,
        "cohort": Sellable.objects.get().cohort,
        "course": version.courses.get().course_version.definition,
    }
    refuses(
        "sellable_sells_exactly_one",
        lambda: Sellable.objects.create(
            source=own.source, sku="X", title="x", **{kind: things[kind] for kind in kinds}
        ),
    )


def test_a_sku_is_not_empty(own: Shop) -> None:
    refuses("sellable_has_a_sku", lambda: Sellable.objects.update(sku=""))


def test_a_source_has_one_secret_without_an_end(own: Shop) -> None:
    refuses(
        "sourcesecret_one_without_end",
        lambda: SourceSecret.objects.create(source=own.source, hint="x", sealed=b"x"),
    )


def test_a_revoked_secret_is_destroyed(own: Shop) -> None:
    refuses(
        "sourcesecret_destroyed_when_revoked",
        lambda: SourceSecret.objects.update(revoked_at=AT),
    )
    refuses("sourcesecret_destroyed_when_revoked", lambda: SourceSecret.objects.update(sealed=None))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE commerce_source_secrets SET hint = 'x'",
        "UPDATE commerce_source_secrets SET source_id = source_id",
        "DELETE FROM commerce_source_secrets",
        "DELETE FROM commerce_sources",
        "DELETE FROM orders",
        "DELETE FROM order_lines",
        "UPDATE entitlements SET state = 'granted'",
        "DELETE FROM entitlements",
        "UPDATE webhook_deliveries SET outcome = 'applied'",
        "DELETE FROM webhook_deliveries",
    ],
)
def test_the_organisations_role_may_not(mirrored: Order, statement: str) -> None:
    with pytest.raises(DatabaseError) as told, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert isinstance(told.value.__cause__, errors.InsufficientPrivilege)


# --- Orders -------------------------------------------------------------------------------------


def test_an_order_is_mirrored_once_per_source(mirrored: Order) -> None:
    mirrored.pk = uuid7()
    refuses("order_once_per_source", lambda: mirrored.save(force_insert=True))


@pytest.mark.parametrize(
    ("rule", "change"),
    [("order_state_known", {"state": "lost"}), ("order_total_not_negative", {"total": -1})],
)
def test_an_order_makes_sense(mirrored: Order, rule: str, change: dict[str, Any]) -> None:
    refuses(rule, lambda: Order.objects.update(**change))


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({}, {"updated_at": AT - MINUTE}),
        ({"revision": 7}, {"revision": 6, "updated_at": AT + MINUTE}),
        ({"revision": 7}, {"revision": None, "updated_at": AT - MINUTE}),
        ({}, {"revision": 1, "updated_at": AT - MINUTE}),
        ({}, {"external_id": "1002"}),
    ],
)
def test_a_mirror_never_becomes_older_or_another(
    mirrored: Order, before: dict[str, Any], change: dict[str, Any]
) -> None:
    if before:
        Order.objects.update(**before)
    with pytest.raises(DatabaseError) as told, transaction.atomic():
        Order.objects.update(**change)

    assert isinstance(told.value.__cause__, errors.RestrictViolation)


def test_a_mirror_may_become_newer(mirrored: Order) -> None:
    assert Order.objects.update(updated_at=AT + MINUTE, revision=1) == 1
    assert Order.objects.update(updated_at=AT, revision=2) == 1


# --- Lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("orderline_state_known", {"state": "lost", "outcome": "waiting"}),
        ("orderline_outcome_known", {"outcome": "lost"}),
        ("orderline_amounts_make_sense", {"amount": Decimal(-1)}),
        ("orderline_amounts_make_sense", {"quantity": 0}),
        ("orderline_unresolved_with_a_reason", {"outcome": "unresolved"}),
        ("orderline_unresolved_with_a_reason", {"reason": "sku-unknown"}),
        ("orderline_dismissed_by_somebody", {"outcome": "dismissed", "reason": "x"}),
        ("orderline_dismissed_by_somebody", {"dismissed_because": "x"}),
        ("orderline_granted_when_paid", {"state": "refunded"}),
        ("orderline_granted_when_paid", {"sellable": None}),
    ],
)
def test_a_line_makes_sense(mirrored: Order, rule: str, change: dict[str, Any]) -> None:
    refuses(rule, lambda: OrderLine.objects.update(**change))


def test_a_line_is_there_once(mirrored: Order) -> None:
    line = mirrored.lines.get()
    line.pk = uuid7()
    refuses("orderline_once", lambda: line.save(force_insert=True))


def test_line_order_and_sellable_are_of_one_source(mirrored: Order) -> None:
    other = shop(slug="other")
    foreign = other.sells(Sellable.objects.get().cohort)

    refuses("orderline_sellable_of_its_source", lambda: OrderLine.objects.update(sellable=foreign))
    refuses("orderline_(sellable|of)", lambda: OrderLine.objects.update(source=other.source))


# --- Entitlements -------------------------------------------------------------------------------


def entitle(mirrored: Order, **fields: Any) -> Entitlement:
    first = Entitlement.objects.get()
    given = {
        "line_id": first.line_id,
        "revision": 2,
        "sellable_id": first.sellable_id,
        "contact_id": first.contact_id,
        "enrollment_id": first.enrollment_id,
        "state": EntitlementState.WITHDRAWN,
        "effect": Effect.LEFT,
    }
    return Entitlement.objects.create(**{**given, **fields})


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("entitlement_revision_once", {"revision": 1, "state": "granted", "effect": "joined"}),
        ("take_turns", {"revision": 2, "state": "granted", "effect": "joined"}),
        ("take_turns", {"revision": 3}),
        ("entitlement_effect_fits_its_state", {"effect": "joined"}),
        ("entitlement_effect_fits_its_state", {"revision": 3, "state": "granted"}),
        ("entitlement_effect_fits_its_state", {"state": "lost"}),
    ],
)
def test_entitlements_follow_each_other(mirrored: Order, rule: str, fields: dict[str, Any]) -> None:
    refuses(rule, lambda: entitle(mirrored, **fields))
    assert entitle(mirrored).revision == 2


def test_an_entitlement_is_to_an_enrolment_of_the_same_learner(mirrored: Order) -> None:
    bob = person("Bob")

    refuses("entitlement_enrollment_of_its_learner", lambda: entitle(mirrored, contact_id=bob.id))


# --- Deliveries ---------------------------------------------------------------------------------


def delivery(own: Shop, **fields: Any) -> WebhookDelivery:
    given: dict[str, Any] = {
        "source": own.source,
        "secret": own.source.secrets.first(),
        "webhook_id": "msg_1",
        "sent_at": AT,
        "body_sha256": "0" * 64,
        "body_bytes": 1,
        "outcome": "applied",
    }
    return WebhookDelivery.objects.create(**{**given, **fields})


def test_a_webhook_is_accepted_once(own: Shop) -> None:
    delivery(own)
    for outcome in ("applied", "unchanged", "stale", "ignored"):
        refuses(
            "webhookdelivery_accepted_once",
            lambda outcome=outcome: delivery(own, outcome=outcome),
        )
    assert delivery(own, outcome="duplicate")
    assert delivery(own, outcome="refused", code="invalid")
    other = shop(slug="other")
    assert delivery(other)


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ("webhookdelivery_signed_or_refused", {"secret": None}),
        ("webhookdelivery_signed_or_refused", {"sent_at": None}),
        ("webhookdelivery_signed_or_refused", {"code": "invalid"}),
        ("webhookdelivery_signed_or_refused", {"outcome": "refused"}),
        ("webhookdelivery_signed_or_refused", {"outcome": "lost"}),
        ("webhookdelivery_has_a_digest", {"body_sha256": "x" * 64}),
    ],
)
def test_a_delivery_is_signed_or_refused(own: Shop, rule: str, fields: dict[str, Any]) -> None:
    refuses(rule, lambda: delivery(own, **fields))


def test_secret_and_order_of_a_delivery_are_of_its_source(own: Shop, mirrored: Order) -> None:
    other = shop(slug="other")
    foreign = other.source.secrets.get()

    refuses("webhookdelivery_secret_of_its_source", lambda: delivery(own, secret=foreign))
    refuses(
        "webhookdelivery_order_of_its_source",
        lambda: delivery(other, secret=foreign, order=mirrored),
    )
