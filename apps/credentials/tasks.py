"""What the outbox delivers to credentials."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.core.clock import now
from apps.credentials import services


def expire(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `credentials.expire`; the key is the award."""
    services.record_expiry(UUID(key), at=now())
