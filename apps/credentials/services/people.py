"""What every write about an award begins with: the learner's locks, and who may decide."""

from __future__ import annotations

from uuid import UUID

from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.contacts.services import lock_learners
from apps.core.problems import Forbidden
from apps.core.revisions import RevisionConflict
from apps.requirements.selectors.subjects import Subject, subjects


class OwnAward(Forbidden):
    code = "own-award"
    title = "Nobody decides about their own awards."


def lock_subject(enrollment_id: UUID) -> Subject:
    """Return the enrolment's subject, read while the learner and all aliases are locked.

    Raises RevisionConflict when a merge came in between: try again with the new alias.
    """
    before = subjects([enrollment_id])[enrollment_id]
    lock_learners(before.contacts)
    subject = subjects([enrollment_id])[enrollment_id]
    if not set(before.contacts).issuperset(subject.contacts):
        raise RevisionConflict
    return subject


def require_other(actor: Contact | None, learner_id: UUID) -> None:
    """Raise OwnAward when a person decides about themselves; the platform may."""
    if actor is not None and is_own_work(actor_id=actor.id, learner_id=learner_id):
        raise OwnAward
