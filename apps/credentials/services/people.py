"""What every write about an award begins with: the learner's locks, and who may decide."""

from __future__ import annotations

from uuid import UUID

from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.core.problems import Forbidden
from apps.requirements.selectors.subjects import Subject
from apps.requirements.services.evaluations import locked_subjects


class OwnAward(Forbidden):
    code = "own-award"
    title = "Nobody decides about their own awards."


def lock_subject(enrollment_id: UUID) -> Subject:
    """Return the enrolment's subject, read while the learner and all aliases are locked.

    Raises RevisionConflict when people are merged again and again meanwhile.
    """
    return locked_subjects([enrollment_id])[enrollment_id]


def require_other(actor: Contact | None, learner_id: UUID) -> None:
    """Raise OwnAward when a person decides about themselves; the platform may."""
    if actor is not None and is_own_work(actor_id=actor.id, learner_id=learner_id):
        raise OwnAward
