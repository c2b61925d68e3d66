"""What sign-offs and waivers have in common: a person's word about a learner's requirement."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.contacts.services import lock_learner
from apps.core.problems import Conflict, Forbidden, Invalid
from apps.requirements.models import RequirementNode
from apps.requirements.selectors.versions import assigned_versions


class OwnWork(Forbidden):
    code = "own-work"
    title = "Nobody decides about their own requirements."


class NotRequired(Conflict):
    code = "not-required"
    title = "This requirement is not asked of this learner."


class ReasonMissing(Invalid):
    code = "reason-missing"
    title = "A reason must be given."


def lock_for_word(
    *, enrollment: CohortEnrollment, node: RequirementNode, actor: Contact, at: datetime
) -> None:
    """Lock the learner, and make sure that this person may speak about this requirement.

    Raises OwnWork, or NotRequired when no version that holds for the enrolment has the node.
    """
    lock_learner(enrollment.contact_id)
    if is_own_work(actor_id=actor.id, learner_id=enrollment.contact_id):
        raise OwnWork
    held = assigned_versions([enrollment.id], as_of=at).get(enrollment.id, ())
    if node.version_id not in {assigned.version_id for assigned in held}:
        raise NotRequired


def given_reason(reason: str) -> str:
    """Return the reason without blanks around it. Raises ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing(
            errors=[{"field": "reason", "code": "blank", "message": ReasonMissing.title}]
        )
    return reason.strip()


def same_subject(enrollment_id: UUID, node: RequirementNode) -> dict[str, object]:
    """Return the filter for words about this requirement, in any version of its set."""
    return {
        "enrollment_id": enrollment_id,
        "node__version__definition_id": node.version.definition_id,
        "node__key": node.key,
    }
