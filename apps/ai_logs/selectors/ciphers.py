"""Opening the keys of sessions."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from apps.ai_logs.ciphers import SessionCipher, cipher_of
from apps.ai_logs.models import AiSessionKey


def ciphers_of(session_ids: Collection[UUID]) -> dict[UUID, SessionCipher]:
    """Return session -> cipher for those that have a key, in one statement. Raises SealBroken."""
    keys = AiSessionKey.objects.filter(session_id__in=session_ids)
    return {
        session_id: cipher_of(bytes(sealed), session_id=session_id)
        for session_id, sealed in keys.values_list("session_id", "sealed_key")
    }
