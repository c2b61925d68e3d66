"""The line of events of an award, and what the learner's progress tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.cohorts.services.progress import ADVANCE, record_event
from apps.contacts.models import Contact
from apps.core.outbox import owe_many
from apps.core.revisions import append_revision
from apps.credentials.models import CertificationAward, CredentialEvent
from apps.credentials.vocabulary import CredentialEventType
from apps.requirements.selectors.subjects import Subject

_TOLD: Final[Mapping[CredentialEventType, str]] = {
    CredentialEventType.ISSUED: EventType.CREDENTIAL_ISSUED,
    CredentialEventType.SUSPENDED: EventType.CREDENTIAL_SUSPENDED,
    CredentialEventType.REINSTATED: EventType.CREDENTIAL_REINSTATED,
    CredentialEventType.REVOKED: EventType.CREDENTIAL_REVOKED,
    CredentialEventType.EXPIRED: EventType.CREDENTIAL_EXPIRED,
    CredentialEventType.RENEWED: EventType.CREDENTIAL_RENEWED,
}


def append_event(
    award: CertificationAward,
    type_: CredentialEventType,
    *,
    subject: Subject,
    actor: Contact | None,
    at: datetime,
    reason: str = "",
) -> CredentialEvent:
    """Return the award's next event, after recording the progress event that tells of it.

    The caller holds the learner's locks. Raises RevisionConflict.
    """
    latest = CredentialEvent.objects.filter(award=award).order_by("-revision").first()
    event = append_revision(
        CredentialEvent,
        expected=latest.revision if latest else 0,
        award=award,
        contact_id=award.contact_id,
        type=type_,
        actor=actor,
        reason=reason,
        occurred_at=at,
    )
    _tell(award, event, subject)
    return event


def _tell(award: CertificationAward, event: CredentialEvent, subject: Subject) -> None:
    """Record the progress event; the learner's other enrolments are owed a step too.

    One of them may ask for this credential.
    """
    payload = {
        "program": str(award.template.program_id),
        "certificate_number": award.certificate_number,
    }
    if event.type == CredentialEventType.ISSUED and award.expires_at is not None:
        payload["expires_at"] = award.expires_at.isoformat()
    record_event(
        enrollment=award.enrollment,
        type=_TOLD[CredentialEventType(event.type)],
        entity=award,
        payload=payload,
        actor=event.actor,
        occurred_at=event.occurred_at,
        idempotency_key=f"credential-event:{event.id}",
    )
    others = CohortEnrollment.objects.filter(
        contact__in=subject.contacts, state=EnrollmentState.ENROLLED
    ).exclude(pk=award.enrollment_id)
    owe_many(ADVANCE, sorted(str(other) for other in others.values_list("id", flat=True)))
