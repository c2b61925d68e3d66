"""What sign-offs and waivers have in common: a person's word about a learner's requirement."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.contacts.services import lock_learner, record_admin_action
from apps.core.outbox import owe
from apps.core.problems import Conflict, Forbidden, Invalid
from apps.core.revisions import append_revision
from apps.requirements.models import RequirementNode, SignOff, Waiver
from apps.requirements.selectors.versions import assigned_versions

Word = TypeVar("Word", SignOff, Waiver)


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


def latest_word(
    model: type[Word], *, enrollment: CohortEnrollment, node: RequirementNode
) -> Word | None:
    """Return the last word about this requirement, in any version of its set."""
    words = model.objects.filter(**same_subject(enrollment.id, node))
    latest: Word | None = words.order_by("-recorded_at", "-id").first()
    return latest


def withdraw_word(
    model: type[Word],
    *,
    enrollment: CohortEnrollment,
    node: RequirementNode,
    given: str,
    withdrawn: str,
    refusal: type[Conflict],
    actor: Contact,
    at: datetime,
    reason: str,
    only: UUID | None,
) -> Word:
    """Return the row that takes the last word back: only what has the status `given` can be.

    `only` names the row that is meant. Raises the refusal when there is none, or another; and
    OwnWork, NotRequired, ReasonMissing, RevisionConflict.
    """
    reason = given_reason(reason)
    lock_for_word(enrollment=enrollment, node=node, actor=actor, at=at)
    latest = latest_word(model, enrollment=enrollment, node=node)
    if latest is None or latest.status != given:
        raise refusal
    if only is not None and latest.id != only:
        raise refusal(detail="This one is no longer in force.")
    return append_word(
        model,
        enrollment=enrollment,
        node=node,
        status=withdrawn,
        actor=actor,
        at=at,
        reason=reason,
    )


def append_word(
    model: type[Word],
    *,
    enrollment: CohortEnrollment,
    node: RequirementNode,
    status: str,
    actor: Contact,
    at: datetime,
    reason: str,
    **more: Any,
) -> Word:
    """Return the new word; it is in the record of acts, and the learner is owed an evaluation.

    Raises RevisionConflict.
    """
    seen = model.objects.filter(enrollment=enrollment, node=node).order_by("-revision").first()
    row = append_revision(
        model,
        expected=seen.revision if seen else 0,
        enrollment=enrollment,
        contact_id=enrollment.contact_id,
        node=node,
        status=status,
        actor=actor,
        reason=reason,
        occurred_at=at,
        **more,
    )
    record_admin_action(
        actor=actor,
        action=f"requirements.{model._meta.model_name}_{status}",
        entity=row,
        details={"enrollment": str(enrollment.id), "node": node.key, "reason": reason},
    )
    owe(ADVANCE, str(enrollment.id))
    return row
