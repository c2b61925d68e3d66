"""Waiving a requirement for one learner, and taking a waiver back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.outbox import owe
from apps.core.problems import Conflict, Invalid
from apps.core.revisions import append_revision
from apps.requirements.models import RequirementNode, Waiver, WaiverStatus
from apps.requirements.services.words import given_reason, lock_for_word, same_subject


class NotWaived(Conflict):
    code = "not-waived"
    title = "There is no waiver to withdraw."


class AlreadyExpired(Invalid):
    code = "already-expired"
    title = "The waiver would have expired before it begins."


@transaction.atomic
def waive(
    *,
    enrollment: CohortEnrollment,
    node: RequirementNode,
    actor: Contact,
    at: datetime,
    reason: str,
    expires_at: datetime | None = None,
) -> Waiver:
    """Return the waiver that is in force; the same waiver again stays the first one.

    Owes the learner an evaluation, and another when the waiver expires. Whether the actor may
    waive is the caller's question. Raises OwnWork, NotRequired, ReasonMissing, AlreadyExpired,
    RevisionConflict.
    """
    reason = given_reason(reason)
    if expires_at is not None and expires_at <= at:
        raise AlreadyExpired
    lock_for_word(enrollment=enrollment, node=node, actor=actor, at=at)
    latest = _latest(enrollment, node)
    if (
        latest is not None
        and latest.status == WaiverStatus.GRANTED
        and (latest.reason, latest.expires_at) == (reason, expires_at)
    ):
        return latest
    waiver = _append(
        enrollment, node, WaiverStatus.GRANTED, actor=actor, at=at, reason=reason, until=expires_at
    )
    if expires_at is not None:
        owe(ADVANCE, str(enrollment.id), available_at=expires_at)
    return waiver


@transaction.atomic
def withdraw_waiver(
    *,
    enrollment: CohortEnrollment,
    node: RequirementNode,
    actor: Contact,
    at: datetime,
    reason: str,
    only: UUID | None = None,
) -> Waiver:
    """Return the row that takes a waiver back; what was granted stays on record.

    `only` names the row that is meant: another one in force stays. Raises OwnWork, NotRequired,
    ReasonMissing, NotWaived, RevisionConflict.
    """
    reason = given_reason(reason)
    lock_for_word(enrollment=enrollment, node=node, actor=actor, at=at)
    latest = _latest(enrollment, node)
    if latest is None or latest.status != WaiverStatus.GRANTED:
        raise NotWaived
    if only is not None and latest.id != only:
        raise NotWaived(detail="This one is no longer in force.")
    return _append(enrollment, node, WaiverStatus.WITHDRAWN, actor=actor, at=at, reason=reason)


def _latest(enrollment: CohortEnrollment, node: RequirementNode) -> Waiver | None:
    words = Waiver.objects.filter(**same_subject(enrollment.id, node))
    latest: Waiver | None = words.order_by("-recorded_at", "-id").first()
    return latest


def _append(
    enrollment: CohortEnrollment,
    node: RequirementNode,
    status: WaiverStatus,
    *,
    actor: Contact,
    at: datetime,
    reason: str,
    until: datetime | None = None,
) -> Waiver:
    seen = Waiver.objects.filter(enrollment=enrollment, node=node).order_by("-revision").first()
    row = append_revision(
        Waiver,
        expected=seen.revision if seen else 0,
        enrollment=enrollment,
        contact_id=enrollment.contact_id,
        node=node,
        status=status,
        actor=actor,
        reason=reason,
        occurred_at=at,
        expires_at=until,
    )
    record_admin_action(
        actor=actor,
        action=f"requirements.waiver_{status.value}",
        entity=row,
        details={"enrollment": str(enrollment.id), "node": node.key, "reason": reason},
    )
    owe(ADVANCE, str(enrollment.id))
    return row
