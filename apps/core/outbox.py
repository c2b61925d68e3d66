"""Work owed: a row in the same transaction is the record, Celery only carries it.

Insert-only for requests, so that two requests never wait for each other. A delivery takes an
advisory lock on (topic, key), reads the rows that are there, works once for all of them and
deletes exactly those, all in one transaction: 200 asks become a handful of runs.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.module_loading import import_string

from apps.core.bulk import insert_values
from apps.core.clock import now
from apps.core.courier import courier
from apps.core.models import OutboxMessage
from apps.core.tenancy import connection

log = logging.getLogger(__name__)

Handler = Callable[[str, list[dict[str, Any]]], None]
FIRST_DELAY_SECONDS = 2
LONGEST_DELAY_SECONDS = 900
SENT_AT_ONCE = 100
RESEND_AFTER = timedelta(seconds=60)
MOST_STEPS = 20

_next_steps: ContextVar[dict[tuple[str, str], None] | None] = ContextVar("next_steps", default=None)
"""What a delivery that runs in this thread owes since, for the same worker to go on with."""


def owe(
    topic: str,
    key: str,
    payload: dict[str, Any] | None = None,
    *,
    available_at: datetime | None = None,
) -> None:
    """Record work for (topic, key) in the running transaction and send for it after the commit."""
    fields: dict[str, Any] = {} if available_at is None else {"available_at": available_at}
    OutboxMessage.objects.create(topic=topic, key=key, payload=payload or {}, **fields)
    if available_at is None:
        send_after_commit(topic, key)


def owe_many(topic: str, keys: list[str]) -> None:
    """Record work for many keys of one topic, at once.

    The first are sent for at once; the sweeper sends the rest in a few seconds.
    """
    insert_values(OutboxMessage, ["key"], ((key,) for key in keys), topic=topic)
    for key in keys[:SENT_AT_ONCE]:
        send_after_commit(topic, key)


def send_after_commit(topic: str, key: str) -> None:
    """Ask for a delivery once the transaction has committed; a dead broker costs nothing."""
    transaction.on_commit(partial(_send, str(connection.schema_name), topic, key), robust=True)


def _send(schema: str, topic: str, key: str) -> None:
    next_steps = _next_steps.get()
    if next_steps is None:
        courier.take(schema, topic, key)
    else:
        next_steps[topic, key] = None


def handlers() -> Mapping[str, Handler]:
    """Return topic -> handler, as `config.wiring` lists them."""
    bound: Mapping[str, Handler] = import_string(f"{settings.WIRING}.OUTBOX_HANDLERS")
    return bound


def deliver_with_next_steps(topic: str, key: str) -> int:
    """Work what is owed for (topic, key), then what that owes in turn; return the messages settled.

    A worker goes on at once where it has the reason for the next step, instead of sending for
    another worker. Each step is a delivery of its own. What exceeds MOST_STEPS is sent for.
    """
    due: dict[tuple[str, str], None] = {(topic, key): None}
    token = _next_steps.set(due)
    settled = 0
    try:
        for _ in range(MOST_STEPS):
            if not due:
                return settled
            step = next(iter(due))
            del due[step]
            settled += deliver(*step)
    finally:
        _next_steps.reset(token)
        for step in due:
            courier.take(str(connection.schema_name), *step)
    return settled


def subjects() -> Mapping[str, str]:
    """Return topic -> label of the model whose row a message's key names, as the wiring lists."""
    bound: Mapping[str, str] = import_string(f"{settings.WIRING}.OUTBOX_SUBJECTS")
    return bound


def deliver(topic: str, key: str) -> int:
    """Work what is owed for (topic, key) and return how many messages that settled.

    A failure is noted on the rows, with a growing delay, and swallowed; after
    OUTBOX_MAX_ATTEMPTS they are parked and shown in the admin.
    """
    ids: list[Any] = []
    try:
        with transaction.atomic():
            _lock(topic, key)
            messages = list(
                OutboxMessage.objects.filter(
                    topic=topic, key=key, parked_at=None, available_at__lte=now()
                ).order_by("id")
            )
            ids = [message.id for message in messages]
            if not ids:
                return 0
            handlers()[topic](key, [message.payload for message in messages])
            OutboxMessage.objects.filter(id__in=ids).delete()
    except Exception as error:
        log.exception("outbox delivery failed", extra={"topic": topic, "key": key})
        note_failure(ids, error=f"{type(error).__name__}: {error}", at=now())
        return 0
    return len(ids)


def _lock(topic: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{connection.schema_name}/{topic}/{key}"],
        )


def note_failure(ids: list[Any], *, error: str, at: datetime) -> None:
    """Put the messages back with a growing delay; park them after the last try."""
    with transaction.atomic():
        for message in OutboxMessage.objects.filter(id__in=ids).select_for_update():
            message.attempts += 1
            message.last_error = error[:2000]
            if message.attempts >= settings.OUTBOX_MAX_ATTEMPTS:
                message.parked_at = at
            message.available_at = at + backoff(message.attempts, random.random())  # noqa: S311
            message.save(update_fields=["attempts", "last_error", "parked_at", "available_at"])


def backoff(attempts: int, jitter: float) -> timedelta:
    """Return the wait before the next try: 2 s doubled each time, at most 15 min, ± 25 %."""
    seconds = min(FIRST_DELAY_SECONDS * 2 ** (attempts - 1), LONGEST_DELAY_SECONDS)
    return timedelta(seconds=seconds * (0.75 + jitter / 2))


def retry(messages: list[OutboxMessage]) -> None:
    """Make parked messages due again and send for them."""
    for message in messages:
        OutboxMessage.objects.filter(id=message.id).update(
            parked_at=None, attempts=0, available_at=now()
        )
        send_after_commit(message.topic, message.key)


@transaction.atomic
def send_overdue(*, at: datetime, limit: int = 1000) -> int:
    """Send again for what this organisation is owed and nobody delivered; return how many keys.

    Each message is sent again at most once in RESEND_AFTER, so that a long queue does not fill
    with copies of itself.
    """
    overdue = at - timedelta(seconds=settings.OUTBOX_SWEEP_SECONDS)
    messages = list(
        OutboxMessage.objects.filter(
            Q(sent_again_at=None) | Q(sent_again_at__lte=at - RESEND_AFTER),
            parked_at=None,
            available_at__lte=overdue,
        )
        .order_by("available_at")
        .select_for_update(skip_locked=True)[:limit]
    )
    ids = [message.id for message in messages]
    OutboxMessage.objects.filter(id__in=ids).update(sent_again_at=at)
    pairs = {(message.topic, message.key) for message in messages}
    for topic, key in sorted(pairs):
        courier.take(str(connection.schema_name), topic, key)
    return len(pairs)
