"""Webhooks as they arrive: who signed them, whether they came before, what became of them."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from apps.commerce.models import Order, SourceSecret, WebhookDelivery
from apps.commerce.selectors import signing_keys
from apps.commerce.services.mirroring import mirror_order
from apps.commerce.signatures import SignedMessage, signer_of
from apps.commerce.told import ToldOrder
from apps.commerce.vocabulary import ACCEPTED, DeliveryOutcome
from apps.core.problems import Invalid, Problem
from apps.core.tenancy import connection

log = logging.getLogger(__name__)

STRANGERS_KEPT = 100
"""How many webhooks that nobody signed are put on record in an hour: strangers fill no table."""


class WebhookIdReused(Invalid):
    code = "webhook-id-reused"
    title = "This webhook-id came before with another body."


@dataclass(frozen=True)
class Receipt:
    """What became of a webhook, and of its order as it is now; None for what is not about one."""

    delivery: WebhookDelivery
    order: Order | None


def authenticate(message: SignedMessage, *, at: datetime) -> SourceSecret:
    """Return the secret that signed the message, with its source.

    Raises SignatureInvalid, SignatureExpired.
    """
    return signer_of(message, signing_keys(at=at), at=at)


@transaction.atomic
def receive(
    *,
    message: SignedMessage,
    secret: SourceSecret,
    type: str,  # noqa: A002
    told: ToldOrder | None,
    at: datetime,
) -> Receipt:
    """Return what became of a signed webhook: applied once, however often it is delivered.

    `told` is None for a type from which nothing follows. Deliveries of one id wait for each
    other. Raises WebhookIdReused.
    """
    _wait_for_the_same(message, secret)
    earlier = (
        WebhookDelivery.objects.filter(
            source_id=secret.source_id, webhook_id=message.webhook_id, outcome__in=ACCEPTED
        )
        .select_related("order")
        .first()
    )
    if earlier is not None:
        if earlier.body_sha256 != digest(message.body):
            raise WebhookIdReused
        outcome, order = DeliveryOutcome.DUPLICATE, earlier.order
    elif told is None:
        outcome, order = DeliveryOutcome.IGNORED, None
    else:
        outcome, order = mirror_order(source=secret.source, told=told, at=at)
    delivery = _record(message, secret=secret, type_=type, outcome=outcome, order=order)
    return Receipt(delivery, order)


@transaction.atomic
def record_refusal(
    *, message: SignedMessage, secret: SourceSecret | None, problem: Problem
) -> WebhookDelivery | None:
    """Return the record of a webhook that was refused; None where it is not kept.

    Of those that no known secret signed, at most STRANGERS_KEPT an hour are.
    """
    if secret is None and _strangers_lately() >= STRANGERS_KEPT:
        log.warning("unsigned webhook not recorded", extra={"code": problem.code})
        return None
    return _record(
        message, secret=secret, type_="", outcome=DeliveryOutcome.REFUSED, problem=problem
    )


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _wait_for_the_same(message: SignedMessage, secret: SourceSecret) -> None:
    key = f"{connection.schema_name}/webhook/{secret.source_id}/{message.webhook_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _strangers_lately() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE source_id IS NULL"
            " AND recorded_at > clock_timestamp() - %s LIMIT %s) AS lately",
            [timedelta(hours=1), STRANGERS_KEPT],
        )
        return int(cursor.fetchone()[0])


def _record(
    message: SignedMessage,
    *,
    secret: SourceSecret | None,
    type_: str,
    outcome: DeliveryOutcome,
    order: Order | None = None,
    problem: Problem | None = None,
) -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        source_id=secret.source_id if secret else None,
        secret=secret,
        webhook_id=message.webhook_id,
        sent_at=message.sent_at,
        type=type_,
        body_sha256=digest(message.body),
        body_bytes=len(message.body),
        outcome=outcome,
        code=problem.code if problem else "",
        detail=_told(problem)[:500] if problem else "",
        order=order,
    )


def _told(problem: Problem) -> str:
    parts = [f"{error['field']}: {error['message']}" for error in problem.errors]
    return "; ".join([problem.detail or problem.title, *parts])
