"""What the organisation's policy says about old conversations, and which those are."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.ai_logs.models import AiInteraction, AiRetentionPolicy, AiSafetyReview, AiSession
from apps.ai_logs.vocabulary import ReviewState


def retention_days() -> int | None:
    """Return for how many days texts are kept, None for until somebody erases them."""
    newest = AiRetentionPolicy.objects.order_by("-recorded_at", "-id").values_list("days")[:1]
    return next((days for (days,) in newest), None)


def retention_cutoff(*, at: datetime) -> datetime | None:
    """Return the moment before which conversations are too old, None where none is."""
    days = retention_days()
    return None if days is None else at - timedelta(days=days)


def due_sessions(cutoff: datetime) -> QuerySet[AiSession]:
    """Return the sessions that have a key still and whose last message is older than that.

    A message is as old as it says, unless it came in before. Sessions with a flag that nobody has
    decided about wait for the decision.
    """
    later = AiInteraction.objects.filter(
        session=OuterRef("pk"), occurred_at__gte=cutoff, recorded_at__gte=cutoff
    )
    flagged = AiSafetyReview.objects.filter(
        interaction__session=OuterRef("pk"), state=ReviewState.OPEN
    )
    return AiSession.objects.filter(
        Q(ended_at=None) | Q(ended_at__lt=cutoff), started_at__lt=cutoff, key__isnull=False
    ).filter(~Exists(later), ~Exists(flagged))
