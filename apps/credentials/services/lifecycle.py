"""What happens to an award after it was issued: each an event with who and why."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict
from apps.credentials.models import AwardHold, CertificationAward, CredentialEvent
from apps.credentials.services.events import append_event
from apps.credentials.services.holds import close_hold
from apps.credentials.services.people import lock_subject, require_other
from apps.credentials.vocabulary import AwardState, CredentialEventType, HoldResolution
from apps.requirements.selectors.subjects import Subject
from apps.requirements.services.words import given_reason


class AwardStateConflict(Conflict):
    code = "award-state"
    title = "The award's present state does not allow this."


@transaction.atomic
def suspend_award(
    *, award: CertificationAward, actor: Contact, reason: str, at: datetime
) -> CertificationAward:
    """Return the award, suspended until it is reinstated or revoked.

    Raises OwnAward, ReasonMissing, AwardStateConflict.
    """
    return _change(
        award, CredentialEventType.SUSPENDED, {AwardState.ACTIVE}, actor=actor, reason=reason, at=at
    )


@transaction.atomic
def reinstate_award(
    *, award: CertificationAward, actor: Contact, reason: str, at: datetime
) -> CertificationAward:
    """Return the award, in force again after a suspension.

    Raises OwnAward, ReasonMissing, AwardStateConflict.
    """
    return _change(
        award,
        CredentialEventType.REINSTATED,
        {AwardState.SUSPENDED},
        actor=actor,
        reason=reason,
        at=at,
    )


@transaction.atomic
def revoke_award(
    *, award: CertificationAward, actor: Contact, reason: str, at: datetime
) -> CertificationAward:
    """Return the award, revoked for good; its open hold is resolved by this.

    The platform does not award it again; a person may. Raises OwnAward, ReasonMissing,
    AwardStateConflict.
    """
    revoked = _change(
        award,
        CredentialEventType.REVOKED,
        {AwardState.ACTIVE, AwardState.SUSPENDED, AwardState.EXPIRED},
        actor=actor,
        reason=reason,
        at=at,
    )
    hold = AwardHold.objects.filter(award=revoked, resolved_at=None).first()
    if hold is not None:
        close_hold(
            hold, actor=actor, resolution=HoldResolution.REVOKED, reason=reason.strip(), at=at
        )
    return revoked


@transaction.atomic
def record_expiry(award_id: UUID, *, at: datetime) -> None:
    """Record that an award's validity has ended, once; a revoked award has nothing to end."""
    award = CertificationAward.objects.get(pk=award_id)
    award, subject = _locked(award, at)
    recorded = CredentialEvent.objects.filter(award=award, type=CredentialEventType.EXPIRED)
    if award.state == AwardState.EXPIRED and not recorded.exists():
        ended_at = award.expires_at or at
        append_event(award, CredentialEventType.EXPIRED, subject=subject, actor=None, at=ended_at)


def _change(
    award: CertificationAward,
    type_: CredentialEventType,
    allowed: set[AwardState],
    *,
    actor: Contact,
    reason: str,
    at: datetime,
) -> CertificationAward:
    reason = given_reason(reason)
    award, subject = _locked(award, at)
    require_other(actor, award.contact_id)
    if award.state not in allowed:
        raise AwardStateConflict(detail=f"The award is {award.state}.", state=award.state)
    if type_ == CredentialEventType.REVOKED:
        award.revoked_at = at
        award.save(update_fields=["revoked_at"])
    append_event(award, type_, subject=subject, actor=actor, at=at, reason=reason)
    record_admin_action(
        actor=actor, action=f"award.{type_.value}", entity=award, details={"reason": reason}
    )
    changed: CertificationAward = CertificationAward.objects.with_state(at).get(pk=award.pk)
    return changed


def _locked(award: CertificationAward, at: datetime) -> tuple[CertificationAward, Subject]:
    """Return the award with its state, read under its learner's locks."""
    subject = lock_subject(award.enrollment_id)
    awards = CertificationAward.objects.with_state(at).select_related("template", "enrollment")
    return awards.get(pk=award.pk), subject
