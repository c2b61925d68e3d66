"""What people think of answers; a flag asks somebody to look."""

from __future__ import annotations

from django.db import transaction

from apps.ai_logs.models import AiFeedback, AiInteraction, AiSafetyReview
from apps.ai_logs.selectors.ciphers import ciphers_of
from apps.ai_logs.services.sessions import (
    SessionErased,
    erased_among,
    lock_sessions,
    tell_of_changes,
)
from apps.ai_logs.vocabulary import Rating, ReviewState
from apps.contacts.models import Contact
from apps.core.ids import uuid7
from apps.core.revisions import append_revision


@transaction.atomic
def give_feedback(
    *,
    interaction: AiInteraction,
    contact: Contact,
    rating: str,
    comment: str = "",
    asserted_by: Contact | None = None,
) -> tuple[AiFeedback, bool]:
    """Return this person's feedback as it is now, and whether this said something new.

    The same again changes nothing; something else is a revision. A flag opens a safety review
    unless one is open. Raises SessionErased for a comment on an erased conversation.
    """
    session_id = interaction.session_id
    lock_sessions([session_id])
    is_erased = session_id in erased_among([session_id])
    if comment and is_erased:
        raise SessionErased
    ciphers = ciphers_of([session_id])
    mine = AiFeedback.objects.filter(interaction=interaction, contact=contact)
    before = mine.order_by("-revision").first()
    if before is not None and before.rating == rating:
        known = before.sealed_comment
        cipher = ciphers.get(session_id)
        said = cipher.open(bytes(known), place=before.id).decode() if known and cipher else ""
        if said == comment:
            return before, False
    feedback_id = uuid7()
    sealed = (
        ciphers[session_id].seal(comment.encode("utf-8", "replace"), place=feedback_id)
        if comment
        else None
    )
    feedback = append_revision(
        AiFeedback,
        expected=before.revision if before else 0,
        id=feedback_id,
        interaction=interaction,
        contact=contact,
        rating=rating,
        sealed_comment=sealed,
        asserted_by=asserted_by,
    )
    tell_of_changes([session_id])
    if rating == Rating.FLAG:
        _ask_for_review(feedback)
    return feedback, True


def _ask_for_review(feedback: AiFeedback) -> None:
    """Open a review of the flagged interaction unless one is open; the session is locked."""
    reviews = AiSafetyReview.objects.filter(
        interaction_id=feedback.interaction_id, state=ReviewState.OPEN
    )
    if not reviews.exists():
        AiSafetyReview.objects.create(interaction_id=feedback.interaction_id, feedback=feedback)
