"""Holds: what about an award waits for a person, and what the person decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import lock_learner, record_admin_action
from apps.core.outbox import owe
from apps.core.problems import Conflict
from apps.credentials.models import AwardHold, CertificationAward, CertificationTemplate
from apps.credentials.services.people import require_other
from apps.credentials.vocabulary import HoldCode, HoldResolution
from apps.requirements.services.words import given_reason


class HoldResolved(Conflict):
    code = "hold-resolved"
    title = "This hold was resolved before."


class AwardIsMade(Conflict):
    code = "award-is-made"
    title = "The award is made: revoke it, or release the hold."


@transaction.atomic
def open_hold(
    *,
    enrollment: CohortEnrollment,
    template: CertificationTemplate,
    actor: Contact | None,
    reason: str,
    at: datetime,
    code: str = HoldCode.MANUAL,
    award: CertificationAward | None = None,
    evaluation_id: UUID | None = None,
    details: dict[str, Any] | None = None,
) -> AwardHold:
    """Return the open hold on this template's award for the enrolment, new or as it is already.

    Nothing is awarded while it is open; an award that is there stays as it is. Without an award
    given, it is about the enrolment's live one if there is one. Raises OwnAward, ReasonMissing.
    """
    reason = given_reason(reason)
    lock_learner(enrollment.contact_id)
    require_other(actor, enrollment.contact_id)
    found = AwardHold.objects.filter(
        enrollment=enrollment, template=template, resolved_at=None
    ).first()
    if found is not None:
        return found
    made = CertificationAward.objects.live().filter(enrollment=enrollment, template=template)
    hold = AwardHold.objects.create(
        enrollment=enrollment,
        template=template,
        contact_id=enrollment.contact_id,
        award=award or made.first(),
        evaluation_id=evaluation_id,
        code=code,
        reason=reason,
        details=details or {},
        opened_by=actor,
        opened_at=at,
    )
    if actor is not None:
        record_admin_action(
            actor=actor,
            action="awardhold.opened",
            entity=hold,
            details={"enrollment": str(enrollment.id), "reason": reason},
        )
    return hold


@transaction.atomic
def resolve_hold(
    *, hold: AwardHold, actor: Contact, resolution: str, reason: str, at: datetime
) -> AwardHold:
    """Return the hold, resolved: `released` (go on, or the award stands) or `refused` (no award).

    A released one is considered anew, and held anew if the facts still disagree. An award that is
    made cannot be refused: `revoke_award` resolves its holds. Raises OwnAward, ReasonMissing,
    HoldResolved, AwardIsMade.
    """
    reason = given_reason(reason)
    lock_learner(hold.contact_id)
    hold = AwardHold.objects.select_related("award").get(pk=hold.pk)
    require_other(actor, hold.contact_id)
    if hold.resolved_at is not None:
        raise HoldResolved
    is_live = hold.award is not None and hold.award.revoked_at is None
    if is_live and resolution != HoldResolution.RELEASED:
        raise AwardIsMade
    close_hold(hold, actor=actor, resolution=resolution, reason=reason, at=at)
    owe(ADVANCE, str(hold.enrollment_id))
    return hold


def close_hold(
    hold: AwardHold, *, actor: Contact, resolution: str, reason: str, at: datetime
) -> None:
    """Write the resolution, and who decided it. The caller holds the learner's lock."""
    hold.resolved_at = at
    hold.resolved_by = actor
    hold.resolution = resolution
    hold.resolution_reason = reason
    hold.save(update_fields=["resolved_at", "resolved_by", "resolution", "resolution_reason"])
    record_admin_action(
        actor=actor,
        action=f"awardhold.{resolution}",
        entity=hold,
        details={"enrollment": str(hold.enrollment_id), "reason": reason},
    )
