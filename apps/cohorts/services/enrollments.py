"""Who takes part. Seats are given away under the cohort's row lock, then the learners' locks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.cohorts.events import EventType
from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CohortStatus,
    EnrollmentState,
    ProgressEvent,
)
from apps.cohorts.rules.seats import free_seats
from apps.cohorts.services.progress import ADVANCE, project_progress
from apps.contacts.models import Contact
from apps.contacts.selectors import alias_ids_of
from apps.contacts.services import ContactGone, lock_learners
from apps.core.bulk import insert_many
from apps.core.outbox import owe_many
from apps.core.problems import Conflict

NOTIFY_PROMOTED = "cohorts.notify_promoted"
BATCH = 5_000


class NotOpenForEnrolment(Conflict):
    code = "not-open-for-enrolment"
    title = "Nobody can enrol here at the moment."


def lock_cohort(cohort_id: UUID) -> Cohort:
    """Return the cohort under its row lock: always the first lock, before any learner's."""
    return Cohort.objects.select_for_update(no_key=True).get(pk=cohort_id)


def lock_cohorts(cohort_ids: Iterable[UUID]) -> None:
    """Lock several cohorts before any learner, in the order of their ids.

    For who gives seats of more than one away in one transaction.
    """
    ids = sorted(set(cohort_ids))
    list(Cohort.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))


@transaction.atomic
def enroll(
    *, cohort: Cohort, contact: Contact, actor: Contact | None, at: datetime
) -> CohortEnrollment:
    """Return the contact's active enrolment, enrolled or, where no seat is free, waitlisted.

    Called again it changes nothing; an invitation is thereby accepted. Raises NotOpenForEnrolment
    unless the cohort is open, ContactGone for a merged contact.
    """
    return enroll_all(cohort=cohort, contacts=[contact], actor=actor, at=at)[0]


@transaction.atomic
def enroll_all(
    *, cohort: Cohort, contacts: Sequence[Contact], actor: Contact | None, at: datetime
) -> list[CohortEnrollment]:
    """Return the active enrolments of `contacts`, in their order, which is that of the seats.

    One `enroll` for each of them, in a fixed number of statements. Raises what `enroll` raises.
    """
    cohort = lock_cohort(cohort.id)
    if cohort.status != CohortStatus.OPEN:
        raise NotOpenForEnrolment(detail=f"“{cohort.title}” is {cohort.status}.")
    active = _lock_and_find(cohort, contacts)
    for contact in contacts:
        active.setdefault(contact.id, CohortEnrollment(cohort=cohort, contact=contact, state=""))
    in_order = dict.fromkeys(contact.id for contact in contacts)
    wanting = [
        active[contact_id]
        for contact_id in in_order
        if active[contact_id].state in ("", EnrollmentState.INVITED)
    ]
    _seat(cohort, wanting, actor=actor, at=at)
    return [active[contact.id] for contact in contacts]


@transaction.atomic
def invite(
    *, cohort: Cohort, contact: Contact, actor: Contact | None, at: datetime
) -> CohortEnrollment:
    """Return the contact's active enrolment, a new invitation if there was none.

    An invitation holds no seat. Raises NotOpenForEnrolment once the cohort ended or was cancelled.
    """
    cohort = lock_cohort(cohort.id)
    if cohort.status not in (CohortStatus.PLANNED, CohortStatus.OPEN):
        raise NotOpenForEnrolment(detail=f"“{cohort.title}” is {cohort.status}.")
    found = _lock_and_find(cohort, [contact]).get(contact.id)
    if found is not None:
        return found
    enrollment = CohortEnrollment.objects.create(
        cohort=cohort, contact=contact, state=EnrollmentState.INVITED
    )
    _tell([enrollment], EventType.INVITED, actor=actor, at=at)
    return enrollment


@transaction.atomic
def withdraw(
    *, enrollment: CohortEnrollment, actor: Contact | None, at: datetime
) -> CohortEnrollment:
    """Return the enrolment, withdrawn; a seat that becomes free goes to the next who waits.

    An enrolment that is over already is returned as it is.
    """
    cohort = lock_cohort(enrollment.cohort_id)
    return withdraw_all(cohort=cohort, enrollments=[enrollment], actor=actor, at=at)[0]


@transaction.atomic
def withdraw_all(
    *,
    cohort: Cohort,
    enrollments: Sequence[CohortEnrollment],
    actor: Contact | None,
    at: datetime,
) -> list[CohortEnrollment]:
    """Return the enrolments of one cohort, withdrawn, in a fixed number of statements."""
    states = (EnrollmentState.WITHDRAWN, EventType.UNENROLLED)
    return _leave(cohort, enrollments, *states, actor=actor, at=at)


@transaction.atomic
def end_enrollment(
    *, enrollment: CohortEnrollment, actor: Contact | None, at: datetime
) -> CohortEnrollment:
    """Return the enrolment, ended: this learner is through before the cohort is.

    What was earned stays. An enrolment that is over already is returned as it is.
    """
    cohort = lock_cohort(enrollment.cohort_id)
    states = (EnrollmentState.ENDED, EventType.ENROLLMENT_ENDED)
    return _leave(cohort, [enrollment], *states, actor=actor, at=at)[0]


@transaction.atomic
def fill_seats(*, cohort: Cohort, actor: Contact | None, at: datetime) -> list[CohortEnrollment]:
    """Return who got a seat from the waitlist, in its order, as far as seats are free."""
    cohort = lock_cohort(cohort.id)
    promoted = _next_in_line(cohort, leaving=())
    lock_learners(enrollment.contact_id for enrollment in promoted)
    _promote(promoted, actor=actor, at=at)
    return promoted


@transaction.atomic
def end_all(*, cohort: Cohort, actor: Contact | None, at: datetime) -> list[CohortEnrollment]:
    """Return the enrolments that ended because their cohort did, whatever their state was."""
    cohort = lock_cohort(cohort.id)
    leaving = list(cohort.enrollments.active().order_by("id"))
    lock_learners(enrollment.contact_id for enrollment in leaving)
    cohort.enrollments.active().update(state=EnrollmentState.ENDED, ended_at=at)
    for enrollment in leaving:
        enrollment.state, enrollment.ended_at = EnrollmentState.ENDED, at
    _tell(leaving, EventType.ENROLLMENT_ENDED, actor=actor, at=at)
    return leaving


def _lock_and_find(cohort: Cohort, contacts: Iterable[Contact]) -> dict[UUID, CohortEnrollment]:
    """Lock the learners; return contact -> active enrolment, also one made under an alias."""
    ids = {contact.id for contact in contacts}
    lock_learners(ids)
    merged = Contact.objects.filter(id__in=ids, merged_into__isnull=False).first()
    if merged is not None:
        raise ContactGone(detail=f"“{merged.display_name}” was merged into another contact.")
    owner = {alias: contact for contact, aliases in alias_ids_of(ids).items() for alias in aliases}
    found = cohort.enrollments.active().filter(contact_id__in=owner)
    return {owner[enrollment.contact_id]: enrollment for enrollment in found}


def _seat(
    cohort: Cohort, wanting: Sequence[CohortEnrollment], *, actor: Contact | None, at: datetime
) -> None:
    """Enrol as many as there are seats left behind those who wait already; waitlist the rest."""
    if not wanting:
        return
    free = free_seats(capacity=cohort.capacity, taken=cohort.enrollments.enrolled().count())
    if free is not None:
        free = max(free - cohort.enrollments.waitlist().count(), 0)
    seated, waiting = wanting[:free], wanting[len(wanting) if free is None else free :]
    new = [enrollment for enrollment in wanting if not enrollment.state]
    invited = [enrollment for enrollment in wanting if enrollment.state]
    for enrollment in seated:
        enrollment.state, enrollment.enrolled_at = EnrollmentState.ENROLLED, at
    for enrollment in waiting:
        enrollment.state, enrollment.waitlisted_at = EnrollmentState.WAITLISTED, at
    insert_many(CohortEnrollment, new)
    CohortEnrollment.objects.bulk_update(
        invited, ["state", "enrolled_at", "waitlisted_at"], batch_size=BATCH
    )
    _tell(waiting, EventType.WAITLISTED, actor=actor, at=at)
    _tell(seated, EventType.ENROLLED, actor=actor, at=at)
    project_progress(enrollment_ids=[enrollment.id for enrollment in seated], at=at)


def _leave(
    cohort: Cohort,
    enrollments: Sequence[CohortEnrollment],
    state: EnrollmentState,
    event: str,
    *,
    actor: Contact | None,
    at: datetime,
) -> list[CohortEnrollment]:
    """Close what is active, and give the seats to those who wait and do not leave themselves."""
    cohort = lock_cohort(cohort.id)
    found = cohort.enrollments.select_related("contact").in_bulk([e.id for e in enrollments])
    leaving = [enrollment for enrollment in found.values() if enrollment.is_active]
    promoted = _next_in_line(cohort, leaving=leaving)
    lock_learners(enrollment.contact_id for enrollment in [*leaving, *promoted])
    cohort.enrollments.filter(id__in=[e.id for e in leaving]).update(state=state, ended_at=at)
    for enrollment in leaving:
        enrollment.state, enrollment.ended_at = state, at
    _tell(leaving, event, actor=actor, at=at)
    _promote(promoted, actor=actor, at=at)
    return [found[enrollment.id] for enrollment in enrollments]


def _next_in_line(cohort: Cohort, *, leaving: Sequence[CohortEnrollment]) -> list[CohortEnrollment]:
    """Return who gets the seats that are free once those leaving have gone."""
    if cohort.status != CohortStatus.OPEN:
        return []
    gone = {enrollment.id for enrollment in leaving}
    taken = cohort.enrollments.enrolled().exclude(id__in=gone).count()
    free = free_seats(capacity=cohort.capacity, taken=taken)
    return list(cohort.enrollments.waitlist().exclude(id__in=gone)[:free])


def _promote(promoted: Sequence[CohortEnrollment], *, actor: Contact | None, at: datetime) -> None:
    if not promoted:
        return
    ids = [enrollment.id for enrollment in promoted]
    CohortEnrollment.objects.filter(id__in=ids).update(
        state=EnrollmentState.ENROLLED, enrolled_at=at
    )
    for enrollment in promoted:
        enrollment.state, enrollment.enrolled_at = EnrollmentState.ENROLLED, at
    _tell(promoted, EventType.ENROLLED, actor=actor, at=at, payload={"from_waitlist": True})
    project_progress(enrollment_ids=ids, at=at)
    owe_many(NOTIFY_PROMOTED, [str(enrollment_id) for enrollment_id in ids])


def _tell(
    enrollments: Sequence[CohortEnrollment],
    type_: str,
    *,
    actor: Contact | None,
    at: datetime,
    payload: dict[str, bool] | None = None,
) -> None:
    """Record one event for each enrolment, and owe each learner the next step."""
    insert_many(
        ProgressEvent,
        (
            ProgressEvent(
                contact_id=enrollment.contact_id,
                enrollment=enrollment,
                type=type_,
                payload=payload or {},
                occurred_at=at,
                asserted_by=actor,
            )
            for enrollment in enrollments
        ),
    )
    if enrollments:
        owe_many(ADVANCE, [str(enrollment.id) for enrollment in enrollments])
