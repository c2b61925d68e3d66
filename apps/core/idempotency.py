"""Writes that may be sent again: the key is claimed inside the business transaction."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import OperationalError

from apps.core.ids import uuid7
from apps.core.models import IdempotencyRecord
from apps.core.problems import BadRequest, Conflict, Invalid
from apps.core.tenancy import connection

MAX_KEY = 255


class KeyReused(Invalid):
    code = "idempotency-key-reused"
    title = "This Idempotency-Key was used with another body."


class KeyInUse(Conflict):
    code = "idempotency-key-in-use"
    title = "The same request is still being carried out."


class KeyNotUsable(BadRequest):
    code = "idempotency-key-not-usable"
    title = "An Idempotency-Key is 1 to 255 printable ASCII characters."


def claim(
    *, actor_id: uuid.UUID, method: str, path: str, key: str, body: bytes
) -> tuple[IdempotencyRecord, bool]:
    """Return the key's record and whether this request is its first.

    Waits while another transaction holds the key. Call inside the business transaction. Raises
    KeyReused for another body, KeyInUse when the wait outlasts the lock timeout.
    """
    if not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise KeyNotUsable
    digest = hashlib.sha256(body).hexdigest()
    subject = {"actor_id": actor_id, "method": method, "path": path[:500], "key": key}
    try:
        is_first = _insert(subject, digest)
    except OperationalError as error:
        raise KeyInUse from error
    record = IdempotencyRecord.objects.get(**subject)
    if record.body_hash != digest:
        raise KeyReused
    return record, is_first


def _insert(subject: dict[str, Any], digest: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO idempotency_records"
            " (id, actor_id, method, path, key, body_hash, answer)"
            " VALUES (%s, %s, %s, %s, %s, %s, '{}') ON CONFLICT DO NOTHING",
            [uuid7(), *subject.values(), digest],
        )
        return bool(cursor.rowcount)


def settle(record: IdempotencyRecord, *, status: int, answer: dict[str, Any]) -> None:
    """Store what was answered: the status and the object's reference."""
    record.status = status
    record.answer = answer
    record.save(update_fields=["status", "answer"])
