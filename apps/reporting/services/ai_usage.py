"""Bringing the facts of AI conversations up to date: what differs from the log is written."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apps.ai_logs.models import AiSession
from apps.ai_logs.services.sessions import lock_sessions
from apps.core.bulk import insert_many
from apps.reporting.models import FactAiUsage
from apps.reporting.selectors.ai_sources import COLUMNS, ai_usage_differences

BATCH: Final = 1_000


def refresh_session_usage(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler of `ai_logs.session_changed`; the key is the session."""
    refresh_ai_usage([UUID(key)])


def refresh_ai_usage(session_ids: Collection[UUID]) -> int:
    """Return how many rows were written or removed for these sessions; called again, none.

    Each batch is a transaction with a constant number of statements, and holds its sessions.
    """
    ids = sorted(set(session_ids))
    return sum(_refresh(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))


def rebuild_ai_usage() -> int:
    """Make every fact about AI what the log says; return how many rows were not right."""
    return refresh_ai_usage(list(AiSession.objects.values_list("id", flat=True)))


@transaction.atomic
def _refresh(session_ids: Collection[UUID]) -> int:
    lock_sessions(session_ids)
    gone, new = ai_usage_differences(session_ids)
    if gone:
        FactAiUsage.objects.filter(id__in=gone).delete()
    insert_many(FactAiUsage, [FactAiUsage(**dict(zip(COLUMNS, row, strict=True))) for row in new])
    return len(gone) + len(new)
