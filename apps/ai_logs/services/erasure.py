"""Destroying what was said in a session: its key at once, its objects right after."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from apps.ai_logs.models import (
    AiContent,
    AiErasure,
    AiSafetyReview,
    AiSession,
    AiSessionKey,
)
from apps.ai_logs.services.sessions import lock_sessions
from apps.ai_logs.vocabulary import ErasureReason, ReviewState
from apps.contacts.models import AdminAction, Contact
from apps.core import objects
from apps.core.bulk import insert_many
from apps.core.outbox import owe_many
from apps.core.problems import Conflict

REMOVE_OBJECTS = "ai_logs.remove_objects"


class UnderReview(Conflict):
    code = "ai-session-under-review"
    title = "Something in this session was flagged and is being looked at: it can't be erased yet."


@transaction.atomic
def erase_session(
    *, session: AiSession, reason: ErasureReason, actor: Contact | None, note: str = ""
) -> tuple[AiErasure, bool]:
    """Return the erasure, and whether it is new; a session is erased once.

    From the commit on nobody can read or recognise what was said; the objects are removed by work
    that is owed. The log, its tokens and costs stay. Raises UnderReview for a learner's request
    while something of it waits for a decision.
    """
    lock_sessions([session.id])
    before = AiErasure.objects.filter(session=session).first()
    if before is not None:
        return before, False
    if reason == ErasureReason.LEARNER_REQUEST and _is_under_review(session):
        raise UnderReview
    [erasure] = destroy([session.id], reason=reason, actor=actor, note=note)
    return erasure, True


def destroy(
    session_ids: Sequence[UUID], *, reason: str, actor: Contact | None, note: str = ""
) -> list[AiErasure]:
    """Return the erasures of these sessions: locked by the caller, none of them erased.

    A constant number of statements.
    """
    counts = dict(
        AiContent.objects.filter(session_id__in=session_ids)
        .values_list("session_id")
        .annotate(n=Count("id"))
        .order_by()
    )
    erasures = insert_many(
        AiErasure,
        [
            AiErasure(
                session_id=one, reason=reason, actor=actor, note=note, contents=counts.get(one, 0)
            )
            for one in session_ids
        ],
    )
    AiSessionKey.objects.filter(session_id__in=session_ids).delete()
    record_erasures(erasures)
    owe_many(REMOVE_OBJECTS, [str(one) for one in session_ids])
    return erasures


def record_erasures(erasures: Sequence[AiErasure]) -> None:
    """Leave a row of `admin_actions` for each erasure."""
    insert_many(
        AdminAction,
        [
            AdminAction(
                actor=one.actor,
                action="aisession.erased",
                entity_type=AiSession._meta.label_lower,
                entity_id=one.session_id,
                details={"reason": str(one.reason), "note": one.note, "contents": one.contents},
            )
            for one in erasures
        ],
    )


def _is_under_review(session: AiSession) -> bool:
    reviews = AiSafetyReview.objects.filter(interaction__session=session, state=ReviewState.OPEN)
    return reviews.exists()


def remove_objects(session_id: UUID) -> int:
    """Remove the objects of an erased session; return how many. Raises StoreUnavailable."""
    rows = AiContent.objects.filter(session_id=session_id, session__erasure__isnull=False)
    names = sorted(set(rows.values_list("object_name", flat=True)))
    objects.delete_many(names)
    return len(names)
