"""Standard Webhooks: who sent this, and when (specification 1.0, symmetric signatures `v1`).

What is signed is `webhook-id`, `webhook-timestamp` and the body, joined by full stops, with
HMAC-SHA256. The header may carry several signatures, for a shop that rotates its secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from apps.core.problems import BadRequest, Problem

TOLERANCE: Final = timedelta(minutes=5)
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what secrets begin with
SECRET_BYTES: Final = 32
MAX_ID: Final = 255
MOST_SIGNATURES: Final = 20

Key = TypeVar("Key")


class SignatureMissing(BadRequest):
    code = "webhook-headers-missing"
    title = "A webhook carries webhook-id, webhook-timestamp and webhook-signature."


class SignatureInvalid(Problem):
    code, status = "webhook-signature-invalid", 401
    title = "The webhook is not signed with a secret that is known here."


class SignatureExpired(Problem):
    code, status = "webhook-timestamp-out-of-tolerance", 401
    title = "The webhook was signed too long ago, or in the future."


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A body with the headers that sign it; `sent_at` is when this attempt was signed."""

    webhook_id: str
    timestamp: str
    signatures: tuple[bytes, ...]
    body: bytes
    sent_at: datetime


def new_secret() -> str:
    """Return a new secret as shops are given it: `whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Return the bytes that sign, out of a secret as `new_secret` made it."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX))


def sign(*, key: bytes, webhook_id: str, timestamp: str, body: bytes) -> bytes:
    """Return the signature of a message."""
    content = b".".join((webhook_id.encode(), timestamp.encode(), body))
    return hmac.new(key, content, hashlib.sha256).digest()


def read_headers(
    *, webhook_id: str | None, timestamp: str | None, signature: str | None, body: bytes
) -> SignedMessage:
    """Return the message that the headers sign; nothing is checked but their form.

    Signatures of other versions than `v1` are passed over. Raises SignatureMissing.
    """
    if not webhook_id or not timestamp or not signature:
        raise SignatureMissing
    if len(webhook_id) > MAX_ID or not webhook_id.isprintable():
        raise SignatureMissing(detail=f"webhook-id has 1 to {MAX_ID} printable characters.")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise SignatureMissing(detail="webhook-timestamp is in whole seconds since 1970.")
    return SignedMessage(
        webhook_id=webhook_id,
        timestamp=timestamp,
        signatures=tuple(_signatures(signature)),
        body=body,
        sent_at=datetime.fromtimestamp(min(int(timestamp), 253_402_300_799), tz=UTC),
    )


def _signatures(header: str) -> Iterable[bytes]:
    for part in header.split(" ")[:MOST_SIGNATURES]:
        version, _, encoded = part.partition(",")
        if version == "v1":
            try:
                yield base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                continue


def signer_of(message: SignedMessage, keys: Iterable[tuple[Key, bytes]], *, at: datetime) -> Key:
    """Return whose key signed the message, of (owner, key) pairs.

    Every key is tried against every signature, each in constant time, so that the answer's
    moment tells nothing. Raises SignatureInvalid; SignatureExpired beyond TOLERANCE.
    """
    found: list[Key] = []
    for owner, key in keys:
        expected = sign(
            key=key,
            webhook_id=message.webhook_id,
            timestamp=message.timestamp,
            body=message.body,
        )
        matches = [hmac.compare_digest(expected, given) for given in message.signatures]
        if any(matches):
            found.append(owner)
    if not found:
        raise SignatureInvalid
    if abs(at - message.sent_at) > TOLERANCE:
        seconds = int(TOLERANCE.total_seconds())
        raise SignatureExpired(detail=f"The clocks may be {seconds} seconds apart.")
    return found[0]
