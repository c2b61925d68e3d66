"""The served status lists: what events add up to, signed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.core.cache import cache

from apps.core.tenancy import connection
from apps.credentials.dataintegrity import sign
from apps.credentials.models import StatusListEntry
from apps.credentials.selectors.issuers import Issuer, signing_key
from apps.credentials.statuslist import status_list_credential
from apps.credentials.vocabulary import CredentialEventType, StatusPurpose

VALID_FOR: Final = timedelta(days=2)
_SETS_BIT: Final = {StatusPurpose.REVOCATION.value: CredentialEventType.REVOKED.value}


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A document as it is served, with the strong ETag of its bytes."""

    content: bytes
    etag: str


def signed_bytes(content: bytes) -> SignedBytes:
    return SignedBytes(content, f'"{hashlib.sha256(content).hexdigest()}"')


def status_list(own: Issuer, purpose: str, number: int, *, at: datetime) -> SignedBytes | None:
    """Return the signed list as the events are now, or None if nobody is in such a list.

    The same events give the same bytes for a day, from whichever process; a new event is in the
    next answer. Raises NoIssuerKey.
    """
    entries = StatusListEntry.objects.filter(purpose=purpose, list_number=number)
    if purpose not in _SETS_BIT or not entries.exists():
        return None
    set_indices = sorted(
        entries.filter(award__events__type=_SETS_BIT[purpose]).values_list("index", flat=True)
    )
    document = _unsigned(own, purpose, number, set_indices, at)
    key = signing_key(own)
    cache_key = f"credentials.list.{_digest(document, key.verification_method)}"
    content = cache.get(cache_key)
    if content is None:
        signed = sign(
            document,
            private_key=key.private_key,
            verification_method=key.verification_method,
            created=_start_of_day(at),
        )
        content = json.dumps(signed, ensure_ascii=False).encode()
        cache.set(cache_key, content, int(VALID_FOR.total_seconds()))
    return signed_bytes(content)


def _unsigned(
    own: Issuer, purpose: str, number: int, set_indices: list[int], at: datetime
) -> dict[str, Any]:
    starts = _start_of_day(at)
    return status_list_credential(
        url=own.status_list_url(purpose, number),
        issuer=own.did,
        purpose=purpose,
        set_indices=set_indices,
        valid_from=starts,
        valid_until=starts + VALID_FOR,
    )


def _start_of_day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _digest(document: dict[str, Any], verification_method: str) -> str:
    text = json.dumps([connection.schema_name, verification_method, document], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
