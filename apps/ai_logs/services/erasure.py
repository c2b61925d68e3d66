"""Destroying what was said in a session: its key at once, its objects right after."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.ai_logs.models import (
    AiContent,
    AiErasure,
    AiSafetyReview,
    AiSession,
    AiSessionKey,
)
from apps.ai_logs.services.sessions import lock_sessions
from apps.ai_logs.vocabulary import ErasureReason, ReviewState
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core import objects
from apps.core.outbox import owe
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
    contents = AiContent.objects.filter(session=session).count()
    erasure = AiErasure.objects.create(
        session=session, reason=reason, actor=actor, note=note, contents=contents
    )
    AiSessionKey.objects.filter(session=session).delete()
    record_admin_action(
        actor=actor,
        action="aisession.erased",
        entity=session,
        details={"reason": str(reason), "note": note, "contents": contents},
    )
    owe(REMOVE_OBJECTS, str(session.id))
    return erasure, True


def _is_under_review(session: AiSession) -> bool:
    reviews = AiSafetyReview.objects.filter(interaction__session=session, state=ReviewState.OPEN)
    return reviews.exists()


def remove_objects(session_id: UUID) -> int:
    """Remove the objects of an erased session; return how many. Raises StoreUnavailable."""
    rows = AiContent.objects.filter(session_id=session_id, session__erasure__isnull=False)
    names = sorted(set(rows.values_list("object_name", flat=True)))
    objects.delete_many(names)
    return len(names)
