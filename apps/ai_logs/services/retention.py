"""Retention by policy: what is older than the organisation wants is destroyed, the log stays."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.ai_logs.models import AiRetentionPolicy
from apps.ai_logs.selectors.retention import due_sessions, retention_cutoff
from apps.ai_logs.services.erasure import destroy
from apps.ai_logs.vocabulary import ErasureReason
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.outbox import owe

RETENTION = "ai_logs.retention"
KEY = "policy"
BATCH = 200


@transaction.atomic
def set_retention(*, days: int | None, actor: Contact) -> AiRetentionPolicy:
    """Return the policy from now on; None keeps texts until somebody erases them.

    What is too old by it is erased soon.
    """
    before = AiRetentionPolicy.objects.first()
    policy = AiRetentionPolicy.objects.create(days=days, actor=actor)
    record_admin_action(
        actor=actor,
        action="airetentionpolicy.set",
        entity=policy,
        details={"before": before.days if before else None, "days": days},
    )
    if days is not None:
        owe(RETENTION, KEY)
    return policy


@transaction.atomic
def owe_retention(*, at: datetime) -> bool:
    """Owe an erasure if something is too old; return whether."""
    cutoff = retention_cutoff(at=at)
    is_due = cutoff is not None and due_sessions(cutoff).exists()
    if is_due:
        owe(RETENTION, KEY)
    return is_due


@transaction.atomic
def erase_due(*, at: datetime) -> int:
    """Erase a batch of what is too old and owe the rest; return how many sessions that were.

    Sessions in which something is being recorded are left to the next time.
    """
    cutoff = retention_cutoff(at=at)
    if cutoff is None:
        return 0
    oldest = due_sessions(cutoff).order_by("started_at", "id")
    locked = oldest.select_for_update(skip_locked=True, of=("self",))
    ids = list(locked.values_list("id", flat=True)[:BATCH])
    if ids:
        destroy(ids, reason=ErasureReason.RETENTION, actor=None)
    if len(ids) == BATCH:
        owe(RETENTION, KEY)
    return len(ids)
