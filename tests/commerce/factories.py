"""Shops and their orders for tests: webhooks are signed by the reference library, not by us."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from rest_framework.test import APIClient
from standardwebhooks import Webhook

from apps.cohorts.models import Cohort, CohortEnrollment
from apps.commerce.models import Entitlement, Order, OrderLine, Sellable, Source
from apps.commerce.services import add_sellable, add_source
from apps.commerce.services.mirroring import mirror_order
from apps.commerce.told import Person, ToldLine, ToldOrder
from apps.commerce.vocabulary import PaymentState
from apps.contacts.services import contact_by_email
from apps.core.clock import now
from tests.clients import api

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PATH = "/v1/commerce/orders"
BUYER = Person("ada@example.org", "Ada")

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Shop:
    """A source with the secret that it was shown."""

    source: Source
    secret: str

    def sells(self, target: Any, sku: str = "RESPONDER") -> Sellable:
        """Return a new sellable of a program, cohort or course."""
        return add_sellable(
            source=self.source,
            sku=sku,
            title=sku.title(),
            actor=None,
            **{type(target).__name__.lower(): target},
        )

    def tells(self, order: ToldOrder, *, at: datetime = AT) -> Order:
        """Mirror a state of an order, without the webhook around it; return the order."""
        _outcome, mirrored = mirror_order(source=self.source, told=order, at=at)
        return mirrored

    def headers(self, body: bytes, *, webhook_id: str, at: datetime) -> dict[str, str]:
        """Return the headers of a webhook, as a shop's library makes them."""
        signature = Webhook(self.secret).sign(webhook_id, at, body.decode())
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }

    def sends(
        self,
        payload: Any,
        *,
        webhook_id: str = "",
        at: datetime | None = None,
        client: APIClient | None = None,
        **headers: str,
    ) -> Any:
        """Post a signed webhook as a shop does; return the answer."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signed = self.headers(
            body, webhook_id=webhook_id or f"msg_{next(_numbers)}", at=at or now()
        )
        return (client or api()).post(
            PATH, body, content_type="application/json", headers={**signed, **headers}
        )


def shop(*currencies: str, slug: str = "shop") -> Shop:
    made = add_source(slug=slug, title=slug.title(), currencies=currencies, actor=None)
    return Shop(made.row.source, made.text)


def line(
    sku: str = "RESPONDER",
    *,
    id: str = "1",  # noqa: A002
    state: PaymentState = PaymentState.PAID,
    quantity: int = 1,
    beneficiary: Person | None = None,
) -> ToldLine:
    return ToldLine(
        external_id=id,
        sku=sku,
        amount=Decimal("120.00"),
        state=state,
        quantity=quantity,
        beneficiary=beneficiary,
    )


def order(
    *lines: ToldLine,
    id: str = "1001",  # noqa: A002
    state: PaymentState = PaymentState.PAID,
    minutes: int = 0,
    revision: int | None = None,
    currency: str = "EUR",
    buyer: Person = BUYER,
) -> ToldOrder:
    """Return a state of an order, `minutes` after AT."""
    return ToldOrder(
        external_id=id,
        number=f"#{id}",
        state=state,
        currency=currency,
        total=Decimal("120.00"),
        buyer=buyer,
        updated_at=AT + minutes * MINUTE,
        revision=revision,
        lines=lines or (line(),),
    )


def payload(told: ToldOrder, *, type: str = "order.updated") -> dict[str, Any]:  # noqa: A002
    """Return a state of an order as it stands in a webhook."""
    data: dict[str, Any] = {
        "id": told.external_id,
        "number": told.number,
        "updated_at": told.updated_at.isoformat(),
        "state": told.state.value,
        "currency": told.currency,
        "total": str(told.total),
        "buyer": {"email": told.buyer.email, "name": told.buyer.name},
        "lines": [_line_payload(one) for one in told.lines],
    }
    if told.revision is not None:
        data["revision"] = told.revision
    return {"type": type, "timestamp": told.updated_at.isoformat(), "data": data}


def _line_payload(one: ToldLine) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": one.external_id,
        "sku": one.sku,
        "quantity": one.quantity,
        "amount": str(one.amount),
        "state": one.state.value,
    }
    if one.beneficiary is not None:
        told["beneficiary"] = {"email": one.beneficiary.email, "name": one.beneficiary.name}
    return told


def outcomes(mirrored: Order) -> list[tuple[str, str]]:
    """Return (outcome, reason) of each line, in order."""
    rows = OrderLine.objects.filter(order=mirrored).order_by("position", "id")
    return list(rows.values_list("outcome", "reason"))


def story(mirrored: Order) -> list[tuple[str, str]]:
    """Return (state, effect) of everything that the order's lines entitled to, as it happened."""
    rows = Entitlement.objects.filter(line__order=mirrored).order_by("recorded_at", "revision")
    return list(rows.values_list("state", "effect"))


def enrollments(cohort: Cohort, email: str = BUYER.email) -> list[str]:
    """Return the states of somebody's enrolments in a cohort, the oldest first."""
    contact = contact_by_email(email)
    rows = CohortEnrollment.objects.filter(cohort=cohort, contact=contact).order_by("id")
    return list(rows.values_list("state", flat=True))
