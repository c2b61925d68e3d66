"""Signing off, and taking a sign-off back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.outbox import owe
from apps.core.problems import Conflict
from apps.core.revisions import append_revision
from apps.requirements.graph import NodeKind
from apps.requirements.models import RequirementNode, SignOff, SignOffStatus
from apps.requirements.services.words import (
    NotRequired,
    given_reason,
    lock_for_word,
    same_subject,
)


class NotSignedOff(Conflict):
    code = "not-signed-off"
    title = "There is no sign-off to withdraw."


@transaction.atomic
def sign_off(
    *,
    enrollment: CohortEnrollment,
    node: RequirementNode,
    actor: Contact,
    at: datetime,
    reason: str = "",
) -> SignOff:
    """Return the sign-off that is in force; given again, it stays the first one.

    Owes the learner an evaluation. Whether the actor has the node's capability is the caller's
    question. Raises OwnWork, NotRequired (also for a node that asks for something else), and
    RevisionConflict.
    """
    lock_for_word(enrollment=enrollment, node=node, actor=actor, at=at)
    if node.kind != NodeKind.SIGNOFF:
        raise NotRequired(detail="This requirement is not met by a sign-off.")
    latest = _latest(enrollment, node)
    if latest is not None and latest.status == SignOffStatus.GIVEN:
        return latest
    return _append(enrollment, node, SignOffStatus.GIVEN, actor=actor, at=at, reason=reason.strip())


@transaction.atomic
def withdraw_sign_off(
    *,
    enrollment: CohortEnrollment,
    node: RequirementNode,
    actor: Contact,
    at: datetime,
    reason: str,
    only: UUID | None = None,
) -> SignOff:
    """Return the row that takes a sign-off back; what was given stays on record.

    `only` names the row that is meant: another one in force stays. Raises OwnWork, NotRequired,
    ReasonMissing, NotSignedOff, RevisionConflict.
    """
    reason = given_reason(reason)
    lock_for_word(enrollment=enrollment, node=node, actor=actor, at=at)
    latest = _latest(enrollment, node)
    if latest is None or latest.status != SignOffStatus.GIVEN:
        raise NotSignedOff
    if only is not None and latest.id != only:
        raise NotSignedOff(detail="This one is no longer in force.")
    return _append(enrollment, node, SignOffStatus.WITHDRAWN, actor=actor, at=at, reason=reason)


def _latest(enrollment: CohortEnrollment, node: RequirementNode) -> SignOff | None:
    words = SignOff.objects.filter(**same_subject(enrollment.id, node))
    latest: SignOff | None = words.order_by("-recorded_at", "-id").first()
    return latest


def _append(
    enrollment: CohortEnrollment,
    node: RequirementNode,
    status: SignOffStatus,
    *,
    actor: Contact,
    at: datetime,
    reason: str,
) -> SignOff:
    seen = SignOff.objects.filter(enrollment=enrollment, node=node).order_by("-revision").first()
    row = append_revision(
        SignOff,
        expected=seen.revision if seen else 0,
        enrollment=enrollment,
        contact_id=enrollment.contact_id,
        node=node,
        status=status,
        actor=actor,
        reason=reason,
        occurred_at=at,
    )
    record_admin_action(
        actor=actor,
        action=f"requirements.signoff_{status.value}",
        entity=row,
        details={"enrollment": str(enrollment.id), "node": node.key, "reason": reason},
    )
    owe(ADVANCE, str(enrollment.id))
    return row
