"""The mail that tells somebody on the waitlist that there is a seat."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, EnrollmentState, ProgressEvent
from apps.contacts.models import ChannelKind, ContactChannel
from apps.contacts.services import lock_learner
from apps.core.tenancy import connection


@transaction.atomic
def notify_promoted(*, enrollment_id: UUID, at: datetime) -> bool:
    """Tell a promoted learner by mail, once; return whether a mail went out now.

    The event that records it is written first and in the same transaction: a refused mail takes
    it back, so that the outbox tries again. Without an address the event says so.
    """
    enrollment = CohortEnrollment.objects.select_related("contact", "cohort").get(pk=enrollment_id)
    lock_learner(enrollment.contact_id)
    key = f"promotion-notified:{enrollment_id}"
    is_over = enrollment.state != EnrollmentState.ENROLLED
    told = ProgressEvent.objects.filter(contact_id=enrollment.contact_id, idempotency_key=key)
    if is_over or told.exists():
        return False
    address = _primary_email(enrollment.contact_id)
    ProgressEvent.objects.create(
        contact_id=enrollment.contact_id,
        enrollment=enrollment,
        type=EventType.PROMOTION_NOTIFIED,
        payload={"channel": "email" if address else "none"},
        occurred_at=at,
        idempotency_key=key,
    )
    if not address:
        return False
    _mail(enrollment, address)
    return True


def _primary_email(contact_id: UUID) -> str:
    """Return the contact's primary address, any other one without it, or nothing."""
    channels = ContactChannel.objects.filter(contact_id=contact_id, kind=ChannelKind.EMAIL)
    address = channels.order_by("-is_primary", "id").values_list("value", flat=True).first()
    return address or ""


def _mail(enrollment: CohortEnrollment, address: str) -> None:
    """Send; the Message-ID follows from the enrolment, so that a mail server can drop a repeat."""
    context = {
        "contact": enrollment.contact,
        "cohort": enrollment.cohort,
        "organization": connection.tenant.name,
    }
    with translation.override(enrollment.contact.locale or None):
        subject = render_to_string("cohorts/mail/promoted_subject.txt", context).strip()
        body = render_to_string("cohorts/mail/promoted.txt", context)
    message_id = f"<promoted.{enrollment.id}@{connection.schema_name}.assay>"
    EmailMessage(subject, body, to=[address], headers={"Message-ID": message_id}).send()
