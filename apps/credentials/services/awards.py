"""Awarding: only what is satisfied and confirmed by a fresh look; else a person is asked."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.assessment.replay import Difference
from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.models import VersionStatus
from apps.core.outbox import owe
from apps.core.problems import Conflict
from apps.core.tenancy import connection
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CertificationTemplate,
    CertificationTemplateVersion,
)
from apps.credentials.rules import (
    ENGINE_VERSION,
    AwardDecision,
    AwardFacts,
    Outcome,
    decide_award,
    facts_document,
)
from apps.credentials.selectors.decisions import award_facts, later_decision
from apps.credentials.services.events import append_event
from apps.credentials.services.holds import open_hold
from apps.credentials.services.issuing import issue_document
from apps.credentials.services.people import lock_subject, require_other
from apps.credentials.vocabulary import (
    AwardMode,
    AwardState,
    CredentialEventType,
    HoldCode,
    HoldResolution,
)
from apps.requirements.facts import facts_hash
from apps.requirements.selectors.subjects import Subject

EXPIRE: Final = "credentials.expire"
"""The topic under which the end of an award's validity is owed; the key is the award."""
SHOWN_DIFFERENCES: Final = 20
# Crockford's Base32: no letters that are mistaken for digits.
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HOLD_REASONS: Final = {
    HoldCode.DECISION_NOT_CONFIRMED: "Evaluating the requirements anew does not confirm them.",
    HoldCode.RESULTS_DISAGREE: "Computing the results anew does not confirm those on record.",
    HoldCode.NAME_MISSING: "The learner has no name that could be printed.",
}


class RequirementsOpen(Conflict):
    code = "requirements-open"
    title = "The requirements of this award are not all met."


class TemplateNotPublished(Conflict):
    code = "template-not-published"
    title = "This template has no published version, or was archived."


class ForeignProgram(Conflict):
    code = "not-of-this-program"
    title = "This award belongs to another program than the learner's."


@dataclass(frozen=True)
class AwardOutcome:
    """What became of an attempt to award: the award, new or as it was, or the hold in its way."""

    award: CertificationAward | None = None
    hold: AwardHold | None = None
    is_new: bool = False


@transaction.atomic(savepoint=False)
def consider_awards(enrollment_id: UUID, *, at: datetime) -> list[AwardOutcome]:
    """Return what is new for one enrolment: awards that were due, and holds.

    A stage of `learner.advance`. Automatic templates of the program are awarded once their
    requirements are met; what a person revoked or refused is not awarded again. An award whose
    evidence changed since gets a hold, never a silent end. Called again it does nothing.
    """
    subject = lock_subject(enrollment_id)
    found = _reviewed(subject, at)
    templates = list(_due_templates(subject))
    if not templates:
        return found
    enrollment = CohortEnrollment.objects.get(pk=enrollment_id)
    for template in templates:
        try:
            outcome = _award(enrollment, template, subject, actor=None, at=at, reason="")
        except RequirementsOpen:
            continue
        if outcome.is_new:
            found.append(outcome)
    return found


@transaction.atomic
def grant_award(
    *,
    enrollment: CohortEnrollment,
    template: CertificationTemplate,
    actor: Contact | None,
    at: datetime,
    reason: str = "",
) -> AwardOutcome:
    """Return the enrolment's live award of this template, made on the first call, or the hold.

    A disagreement of the fresh look with what is recorded opens a hold and awards nothing. Raises
    OwnAward, ForeignProgram, TemplateNotPublished, RequirementsOpen.
    """
    subject = lock_subject(enrollment.id)
    require_other(actor, enrollment.contact_id)
    if template.program_id != subject.program_id:
        raise ForeignProgram
    return _award(enrollment, template, subject, actor=actor, at=at, reason=reason.strip())


def _due_templates(subject: Subject) -> Iterable[CertificationTemplate]:
    """Return the program's templates of which the enrolment had no award and no refusal yet."""
    return (
        CertificationTemplate.objects.filter(
            program=subject.program_id,
            archived_at=None,
            versions__status=VersionStatus.PUBLISHED,
        )
        .exclude(awards__enrollment=subject.enrollment_id)
        .exclude(
            pk__in=AwardHold.objects.filter(
                enrollment=subject.enrollment_id, resolution=HoldResolution.REFUSED
            ).values("template")
        )
        .order_by("id")
        .distinct()
    )


def _award(
    enrollment: CohortEnrollment,
    template: CertificationTemplate,
    subject: Subject,
    *,
    actor: Contact | None,
    at: datetime,
    reason: str,
) -> AwardOutcome:
    """Return the outcome. The caller holds the learner's locks."""
    mine = CertificationAward.objects.filter(enrollment=enrollment, template=template)
    live = mine.live().first()
    if live is not None:
        return AwardOutcome(award=live)
    hold = AwardHold.objects.filter(
        enrollment=enrollment, template=template, resolved_at=None
    ).first()
    if hold is not None:
        return AwardOutcome(hold=hold)
    version = _version(template)
    if actor is None and version.award_mode != AwardMode.AUTOMATIC:
        raise RequirementsOpen(detail="A person decides about this award.")
    gathered = award_facts(subject, version, at=at)
    if gathered is None:
        raise RequirementsOpen
    facts, differences = gathered
    decision = decide_award(facts)
    if decision.outcome is Outcome.OPEN:
        raise RequirementsOpen
    if decision.outcome is Outcome.HOLD:
        return _held(enrollment, template, facts, decision, differences, at)
    award = _insert(enrollment, version, subject, facts, decision, actor=actor, reason=reason)
    return AwardOutcome(award=award, is_new=True)


def _version(template: CertificationTemplate) -> CertificationTemplateVersion:
    version: CertificationTemplateVersion | None = template.versions.latest_published()
    if version is None or template.archived_at is not None:
        raise TemplateNotPublished
    return version


def _held(
    enrollment: CohortEnrollment,
    template: CertificationTemplate,
    facts: AwardFacts,
    decision: AwardDecision,
    differences: list[Difference],
    at: datetime,
) -> AwardOutcome:
    code = decision.code or HoldCode.DECISION_NOT_CONFIRMED
    hold = open_hold(
        enrollment=enrollment,
        template=template,
        actor=None,
        code=code,
        reason=_HOLD_REASONS[code],
        evaluation_id=facts.evaluation,
        details={
            "differences": [
                {
                    "entity_type": difference.entity_type,
                    "entity_id": str(difference.entity_id),
                    "check": difference.check,
                    "stored": difference.stored[:500],
                    "replayed": difference.replayed[:500],
                }
                for difference in differences[:SHOWN_DIFFERENCES]
            ]
        },
        at=at,
    )
    return AwardOutcome(hold=hold, is_new=True)


def _insert(
    enrollment: CohortEnrollment,
    version: CertificationTemplateVersion,
    subject: Subject,
    facts: AwardFacts,
    decision: AwardDecision,
    *,
    actor: Contact | None,
    reason: str,
) -> CertificationAward:
    at = facts.issued_at
    document = facts_document(facts)
    earlier = _earlier(subject, version, at)
    award = CertificationAward.objects.create(
        template=version.definition,
        template_version=version,
        enrollment=enrollment,
        contact_id=enrollment.contact_id,
        evaluation_id=facts.evaluation,
        certificate_number=new_number(at),
        legal_name=facts.legal_name,
        issued_at=at,
        expires_at=decision.expires_at,
        granted_by=actor,
        reason=reason,
        replaces=earlier,
        known_at=_clock(),
        facts=document,
        facts_hash=facts_hash(document),
        engine_version=ENGINE_VERSION,
    )
    append_event(award, CredentialEventType.ISSUED, subject=subject, actor=actor, at=at)
    if earlier is not None and earlier.revoked_at is None:
        append_event(earlier, CredentialEventType.RENEWED, subject=subject, actor=actor, at=at)
    issue_document(award, at=at)
    if award.expires_at is not None:
        owe(EXPIRE, str(award.id), available_at=award.expires_at)
    if actor is not None:
        details = {"enrollment": str(enrollment.id), "reason": reason}
        record_admin_action(actor=actor, action="award.granted", entity=award, details=details)
    return award


def _earlier(
    subject: Subject, version: CertificationTemplateVersion, at: datetime
) -> CertificationAward | None:
    """Return the award that a new one follows: the enrolment's revoked one, or one to renew."""
    open_ended = CertificationAward.objects.filter(
        template=version.definition_id, replaced_by=None, contact__in=subject.contacts
    ).order_by("-issued_at", "-id")
    revoked: CertificationAward | None = open_ended.filter(
        enrollment=subject.enrollment_id, revoked_at__isnull=False
    ).first()
    if revoked is not None:
        return revoked
    return (
        open_ended.exclude(enrollment=subject.enrollment_id)
        .with_state(at)
        .filter(state__in=(AwardState.ACTIVE, AwardState.EXPIRED))
        .first()
    )


def new_number(at: datetime) -> str:
    """Return a certificate number: the year and 60 random bits, e.g. 2026-7Q4M-2KX9-W3HD.

    Random, so that nobody can count certificates or guess one.
    """
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
    return "-".join((str(at.year), *groups))


def _clock() -> datetime:
    """Return the database's wall clock: whatever is recorded later was not known here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [moment] = cursor.fetchone()
    found: datetime = moment
    return found


def _reviewed(subject: Subject, at: datetime) -> list[AwardOutcome]:
    """Open a hold on each live award whose evidence is no longer what it was, once a change."""
    found = []
    awards = CertificationAward.objects.live().filter(enrollment=subject.enrollment_id)
    for award in awards.select_related("evaluation", "template", "enrollment").order_by("id"):
        evaluation_id = later_decision(award, subject, at=at)
        if evaluation_id is None or _was_raised(award, evaluation_id):
            continue
        hold = open_hold(
            enrollment=award.enrollment,
            template=award.template,
            award=award,
            actor=None,
            code=HoldCode.EVIDENCE_CHANGED,
            reason="What this award rests on was changed after it was issued.",
            evaluation_id=evaluation_id,
            at=at,
        )
        if hold.evaluation_id == evaluation_id:
            found.append(AwardOutcome(award=award, hold=hold, is_new=True))
    return found


def _was_raised(award: CertificationAward, evaluation_id: UUID) -> bool:
    return AwardHold.objects.filter(award=award, evaluation=evaluation_id).exists()
