"""Cases of the safety queue: who looks, and what they decide."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.ai_logs.models import AiSafetyReview
from apps.ai_logs.selectors.safety import reviewers
from apps.ai_logs.vocabulary import ReviewState
from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict, Forbidden, Invalid


class ReviewDecided(Conflict):
    code = "ai-safety-review-decided"
    title = "This case is decided. A new flag opens another."


class OwnConversation(Forbidden):
    code = "own-conversation"
    title = "Nobody decides about their own conversation."


class NoReviewer(Invalid):
    code = "not-a-safety-reviewer"
    title = "This person may not decide about this conversation."


@transaction.atomic
def assign_review(
    *, review: AiSafetyReview, assignee: Contact | None, actor: Contact
) -> AiSafetyReview:
    """Return the case in the hands of somebody, or of nobody; the same again changes nothing.

    Raises ReviewDecided, and NoReviewer for somebody who may not decide about it.
    """
    locked = _locked(review)
    if assignee == locked.assignee:
        return locked
    if assignee is not None and not reviewers(locked).filter(pk=assignee.pk).exists():
        raise NoReviewer(
            errors=[{"field": "assignee", "code": "role", "message": NoReviewer.title}]
        )
    locked.assignee = assignee
    locked.save(update_fields=["assignee"])
    record_admin_action(
        actor=actor,
        action="aisafetyreview.assigned",
        entity=locked,
        details={"to": assignee.display_name if assignee else "nobody"},
    )
    return locked


@transaction.atomic
def decide_review(
    *, review: AiSafetyReview, decision: str, note: str, actor: Contact, at: datetime
) -> AiSafetyReview:
    """Return the case with its decision, which is final.

    Raises ReviewDecided, and OwnConversation for whose conversation it is.
    """
    locked = _locked(review)
    if _is_own(actor, locked):
        raise OwnConversation
    locked.state = ReviewState.DECIDED
    locked.decision, locked.note = decision, note
    locked.decided_by, locked.decided_at = actor, at
    locked.assignee = locked.assignee or actor
    locked.save()
    record_admin_action(
        actor=actor,
        action="aisafetyreview.decided",
        entity=locked,
        details={"decision": decision, "note": note},
    )
    return locked


def _is_own(person: Contact, review: AiSafetyReview) -> bool:
    learner_id = review.interaction.session.contact_id
    return learner_id is not None and is_own_work(actor_id=person.id, learner_id=learner_id)


def _locked(review: AiSafetyReview) -> AiSafetyReview:
    rows = AiSafetyReview.objects.select_related("interaction__session__enrollment", "assignee")
    locked = rows.select_for_update(of=("self",)).get(pk=review.pk)
    if locked.state == ReviewState.DECIDED:
        raise ReviewDecided
    return locked
