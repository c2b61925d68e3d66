"""The demo's web shop: its orders arrive as signed webhooks, like anybody's."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from apps.cohorts.services import create_cohort, open_cohort
from apps.commerce.api.webhooks import read_order
from apps.commerce.services import NewSecret, add_sellable, add_source, authenticate, receive
from apps.commerce.signatures import SignedMessage, key_of, sign
from apps.contacts.models import Contact
from apps.demo.authoring import Curriculum
from apps.demo.content.organizations import OrderPlan, OrganizationPlan, ShopPlan
from apps.demo.groups import DemoBroken, day_of, moment


def open_shop(
    *,
    organization: OrganizationPlan,
    plan: ShopPlan,
    curriculum: Curriculum,
    owner: Contact,
    now: datetime,
) -> None:
    """Make the source, what it sells and the cohort that this leads to; receive its orders."""
    opened_at = moment(now, organization.timezone, -max(order.days for order in plan.orders), 7)
    cohort = create_cohort(
        program_version=curriculum.program,
        slug=plan.cohort_slug,
        title=plan.cohort_title,
        starts_on=day_of(now, organization.timezone, plan.starts),
        ends_on=day_of(now, organization.timezone, plan.ends),
        capacity=plan.capacity,
        timezone=organization.timezone,
        actor=owner,
    )
    open_cohort(cohort=cohort, actor=owner, at=opened_at)
    made = add_source(slug=plan.slug, title=plan.title, currencies=[plan.currency], actor=owner)
    add_sellable(
        source=made.row.source,
        sku=plan.sku,
        title=organization.program.title,
        program=curriculum.program.definition,
        actor=owner,
    )
    told: list[tuple[datetime, dict[str, Any]]] = []
    for order in plan.orders:
        paid_at = moment(now, organization.timezone, -order.days, 10)
        told.append((paid_at, _payload(plan, order, "paid", placed_at=paid_at, at=paid_at)))
        if order.refunded_after is not None:
            at = paid_at + timedelta(days=order.refunded_after)
            told.append((at, _payload(plan, order, "refunded", placed_at=paid_at, at=at)))
    for number, (at, payload) in enumerate(sorted(told, key=lambda one: one[0]), start=1):
        _deliver(made, f"msg_demo_{number}", payload, at=at)


def _deliver(made: NewSecret, webhook_id: str, payload: dict[str, Any], *, at: datetime) -> None:
    """Sign as the shop does, and receive what it signed. Raises DemoBroken for what is not new."""
    body, timestamp = json.dumps(payload).encode(), str(int(at.timestamp()))
    signature = sign(key=key_of(made.text), webhook_id=webhook_id, timestamp=timestamp, body=body)
    message = SignedMessage(webhook_id, timestamp, (signature,), body, at)
    type_, told = read_order(payload)
    receipt = receive(
        message=message, secret=authenticate(message, at=at), type=type_, told=told, at=at
    )
    if receipt.delivery.outcome != "applied":
        raise DemoBroken(f"{webhook_id} is {receipt.delivery.outcome}.")


def _payload(
    shop: ShopPlan, order: OrderPlan, state: str, *, placed_at: datetime, at: datetime
) -> dict[str, Any]:
    """Return the order in one state, as it stands in a webhook."""
    people = order.beneficiaries or (order.buyer,)
    lines = [
        {
            "id": str(number),
            "sku": order.sku,
            "title": order.sku.replace("-", " ").title(),
            "amount": str(order.price),
            "beneficiary": {"email": email, "name": name},
        }
        for number, (email, name) in enumerate(people, start=1)
    ]
    return {
        "type": f"order.{state}",
        "timestamp": at.isoformat(),
        "data": {
            "id": f"order-{order.number}",
            "number": f"#{order.number}",
            "placed_at": placed_at.isoformat(),
            "updated_at": at.isoformat(),
            "state": state,
            "currency": shop.currency,
            "total": str(order.price * len(people)),
            "buyer": dict(zip(("email", "name"), order.buyer, strict=True)),
            "lines": lines,
        },
    }
