"""What a learner is granted for every attempt that they start from now on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.assessment.models import Accommodation, AssessmentTemplate
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.selectors import alias_ids, is_own_work
from apps.contacts.services import lock_learner, record_admin_action
from apps.core.outbox import owe_many
from apps.core.problems import Forbidden, Invalid


class AccommodationInvalid(Invalid):
    code = "accommodation-invalid"
    title = "The accommodation can't be like this."


class ForOneself(Forbidden):
    code = "accommodation-for-oneself"
    title = "Nobody grants themselves an accommodation."


@transaction.atomic
def grant_accommodation(
    *,
    contact: Contact,
    template: AssessmentTemplate | None,
    time_multiplier: Decimal,
    extra_attempts: int,
    reason: str,
    actor: Contact,
    at: datetime,
) -> Accommodation:
    """Return the learner's new accommodation, for one assessment or (None) for all of them.

    One that stood for the same is ended by it. Raises ForOneself, AccommodationInvalid.
    """
    if is_own_work(actor_id=actor.id, learner_id=contact.id):
        raise ForOneself
    granted = Accommodation(
        contact=contact,
        template=template,
        time_multiplier=time_multiplier,
        extra_attempts=extra_attempts,
        reason=reason.strip(),
        granted_by=actor,
    )
    _check(granted)
    lock_learner(contact.id)
    standing = Accommodation.objects.filter(contact=contact, template=template, ended_at=None)
    for earlier in standing:
        end_accommodation(accommodation=earlier, actor=actor, at=at)
    granted.save(force_insert=True)
    _look_again(contact)
    _record_grant(granted)
    return granted


@transaction.atomic
def end_accommodation(
    *, accommodation: Accommodation, actor: Contact, at: datetime
) -> Accommodation:
    """Return the accommodation, ended; ended again it stays as it is. Attempts keep what it said.

    Raises ForOneself.
    """
    if is_own_work(actor_id=actor.id, learner_id=accommodation.contact_id):
        raise ForOneself
    lock_learner(accommodation.contact_id)
    if Accommodation.objects.filter(id=accommodation.id, ended_at=None).update(ended_at=at):
        accommodation.ended_at = at
        _look_again(accommodation.contact)
        record_admin_action(
            actor=actor, action="assessment.accommodation_ended", entity=accommodation
        )
        return accommodation
    accommodation.refresh_from_db()
    return accommodation


def _look_again(contact: Contact) -> None:
    """Let requirements look again: whether somebody failed for good depends on tries left."""
    enrolled = CohortEnrollment.objects.enrolled().filter(contact__in=alias_ids(contact.id))
    owe_many(
        ADVANCE, [str(enrollment_id) for enrollment_id in enrolled.values_list("id", flat=True)]
    )


def _record_grant(granted: Accommodation) -> None:
    record_admin_action(
        actor=granted.granted_by,
        action="assessment.accommodation_granted",
        entity=granted,
        details={
            "contact": str(granted.contact_id),
            "template": str(granted.template_id) if granted.template_id else None,
            "time_multiplier": str(granted.time_multiplier),
            "extra_attempts": granted.extra_attempts,
        },
    )


def _check(granted: Accommodation) -> None:
    try:
        granted.clean_fields(exclude={"contact", "template", "granted_by"})
    except ValidationError as invalid:
        raise AccommodationInvalid(
            errors=[
                {"field": field, "code": "invalid", "message": message}
                for field, messages in invalid.message_dict.items()
                for message in messages
            ]
        ) from invalid
    if granted.time_multiplier == 1 and not granted.extra_attempts:
        message = "Grant more time, more attempts, or both."
        raise AccommodationInvalid(
            errors=[{"field": "time_multiplier", "code": "nothing-granted", "message": message}]
        )
