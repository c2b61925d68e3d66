"""Waiving a requirement for one learner, and taking a waiver back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.core.outbox import owe
from apps.core.problems import Conflict, Invalid
from apps.requirements.models import RequirementNode, Waiver, WaiverStatus
from apps.requirements.services.words import (
    append_word,
    given_reason,
    latest_word,
    lock_for_word,
    withdraw_word,
)


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
    latest = latest_word(Waiver, enrollment=enrollment, node=node)
    if (
        latest is not None
        and latest.status == WaiverStatus.GRANTED
        and (latest.reason, latest.expires_at) == (reason, expires_at)
    ):
        return latest
    waiver = append_word(
        Waiver,
        enrollment=enrollment,
        node=node,
        status=WaiverStatus.GRANTED,
        actor=actor,
        at=at,
        reason=reason,
        expires_at=expires_at,
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
    return withdraw_word(
        Waiver,
        enrollment=enrollment,
        node=node,
        given=WaiverStatus.GRANTED,
        withdrawn=WaiverStatus.WITHDRAWN,
        refusal=NotWaived,
        actor=actor,
        at=at,
        reason=reason,
        only=only,
    )
