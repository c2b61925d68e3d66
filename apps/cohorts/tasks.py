"""What the outbox delivers to cohorts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.cohorts import services
from apps.core.clock import now


def notify_promoted(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `cohorts.notify_promoted`; the key is the enrolment."""
    services.notify_promoted(enrollment_id=UUID(key), at=now())


def import_roster(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `cohorts.import_roster`; the key is the import."""
    services.carry_out_import(import_id=UUID(key), at=now())


def forget_roster(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `cohorts.forget_roster`; the key is the import."""
    services.forget_import(import_id=UUID(key), at=now())
