"""Signing off, and taking a sign-off back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.core.problems import Conflict
from apps.requirements.graph import NodeKind
from apps.requirements.models import RequirementNode, SignOff, SignOffStatus
from apps.requirements.services.words import (
    NotRequired,
    append_word,
    latest_word,
    lock_for_word,
    withdraw_word,
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
    latest = latest_word(SignOff, enrollment=enrollment, node=node)
    if latest is not None and latest.status == SignOffStatus.GIVEN:
        return latest
    return append_word(
        SignOff,
        enrollment=enrollment,
        node=node,
        status=SignOffStatus.GIVEN,
        actor=actor,
        at=at,
        reason=reason.strip(),
    )


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
    return withdraw_word(
        SignOff,
        enrollment=enrollment,
        node=node,
        given=SignOffStatus.GIVEN,
        withdrawn=SignOffStatus.WITHDRAWN,
        refusal=NotSignedOff,
        actor=actor,
        at=at,
        reason=reason,
        only=only,
    )
