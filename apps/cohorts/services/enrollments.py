"""Who takes part. Seats are given away under the cohort's row lock, then the learners' locks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from apps.cohorts.events import EventType
from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CohortStatus,
    EnrollmentState,
    ProgressEvent,
)
from apps.cohorts.rules.seats import free_seats
from apps.cohorts.services.progress import ADVANCE, begin_progress, project_progress
from apps.contacts.models import Contact
from apps.contacts.selectors import survivors_of_aliases
from apps.contacts.services import ContactGone, lock_learners
from apps.core.bulk import insert_values, update_values
from apps.core.ids import uuid7
from apps.core.outbox import owe_many
from apps.core.problems import Conflict

NOTIFY_PROMOTED = "cohorts.notify_promoted"

Pair = tuple[UUID, UUID]
"""An enrolment's id and its contact's."""


class NotOpenForEnrolment(Conflict):
    code = "not-open-for-enrolment"
    title = "Nobody can enrol here at the moment."


@dataclass(slots=True)
class Place:
    """An active enrolment, or one about to be; `before` is its state when it was found."""

    id: UUID
    contact_id: UUID
    state: str = ""
    waitlisted_at: datetime | None = None
    enrolled_at: datetime | None = None
    before: str = ""

    @property
    def values(self) -> tuple[UUID, UUID, str, datetime | None, datetime | None]:
        return self.id, self.contact_id, self.state, self.waitlisted_at, self.enrolled_at


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
    ids = [contact.id for contact in contacts]
    places = place_all(cohort=cohort, contact_ids=ids, actor=actor, at=at)
    return [_enrollment(cohort, contact, places[contact.id]) for contact in contacts]


@transaction.atomic
def place_all(
    *, cohort: Cohort, contact_ids: Sequence[UUID], actor: Contact | None, at: datetime
) -> dict[UUID, Place]:
    """Return contact -> their place; seats are given in the order of `contact_ids`.

    What `enroll_all` does, for tens of thousands. The caller holds the cohort's lock and passes
    the cohort as it is under it. Raises what `enroll` raises.
    """
    if cohort.status != CohortStatus.OPEN:
        raise NotOpenForEnrolment(detail=f"“{cohort.title}” is {cohort.status}.")
    places = _lock_and_find(cohort, contact_ids)
    wanting = []
    for contact_id in dict.fromkeys(contact_ids):
        place = places.get(contact_id)
        if place is None:
            place = places[contact_id] = Place(uuid7(), contact_id)
        if place.state in ("", EnrollmentState.INVITED):
            wanting.append(place)
    _seat(cohort, wanting, actor=actor, at=at)
    return places


def _enrollment(cohort: Cohort, contact: Contact, place: Place) -> CohortEnrollment:
    """Return the row of a place, without asking for it; what is left out is read when wanted."""
    names = ("id", "cohort_id", "contact_id", "state", "waitlisted_at", "enrolled_at", "ended_at")
    values = (place.id, cohort.id, place.contact_id, place.state)
    times = (place.waitlisted_at, place.enrolled_at, None)
    enrollment = CohortEnrollment.from_db(connection.alias, names, (*values, *times))
    enrollment.cohort = cohort
    if place.contact_id == contact.id:
        enrollment.contact = contact
    return enrollment


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
    found = _lock_and_find(cohort, [contact.id]).get(contact.id)
    if found is not None:
        return _enrollment(cohort, contact, found)
    enrollment = CohortEnrollment.objects.create(
        cohort=cohort, contact=contact, state=EnrollmentState.INVITED
    )
    _tell([(enrollment.id, contact.id)], EventType.INVITED, actor=actor, at=at)
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
def withdraw_contacts(
    *, cohort: Cohort, contact_ids: Collection[UUID], actor: Contact | None, at: datetime
) -> list[UUID]:
    """Return those of these people who took part and thereby left.

    What `withdraw_all` does, for tens of thousands. The caller holds the cohort's lock.
    """
    active = cohort.enrollments.active().filter(contact_id__one_of=contact_ids)
    leaving = list(active.order_by("id").values_list("id", "contact_id"))
    states = (EnrollmentState.WITHDRAWN, EventType.UNENROLLED)
    _close(cohort, leaving, *states, actor=actor, at=at)
    return [contact_id for _id, contact_id in leaving]


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
    _tell(_pairs(leaving), EventType.ENROLLMENT_ENDED, actor=actor, at=at)
    return leaving


def _lock_and_find(cohort: Cohort, contact_ids: Collection[UUID]) -> dict[UUID, Place]:
    """Lock the learners; return contact -> active enrolment, also one made under an alias."""
    lock_learners(contact_ids)
    gone = Contact.objects.filter(id__one_of=contact_ids, merged_into__isnull=False).first()
    if gone is not None:
        raise ContactGone(detail=f"“{gone.display_name}” was merged into another contact.")
    survivors = survivors_of_aliases(contact_ids)
    found = cohort.enrollments.active().filter(contact_id__one_of=[*contact_ids, *survivors])
    columns = found.values_list("id", "contact_id", "state", "waitlisted_at", "enrolled_at")
    places = (Place(*values, before=values[2]) for values in columns)
    return {survivors.get(place.contact_id, place.contact_id): place for place in places}


def _seat(cohort: Cohort, wanting: Sequence[Place], *, actor: Contact | None, at: datetime) -> None:
    """Enrol as many as there are seats left behind those who wait already; waitlist the rest."""
    if not wanting:
        return
    free = free_seats(capacity=cohort.capacity, taken=cohort.enrollments.enrolled().count())
    if free is not None:
        free = max(free - cohort.enrollments.waitlist().count(), 0)
    seated, waiting = wanting[:free], wanting[len(wanting) if free is None else free :]
    for place in seated:
        place.state, place.enrolled_at = EnrollmentState.ENROLLED.value, at
    for place in waiting:
        place.state, place.waitlisted_at = EnrollmentState.WAITLISTED.value, at
    columns = ("id", "contact_id", "state", "waitlisted_at", "enrolled_at")
    insert_values(
        CohortEnrollment,
        columns,
        (place.values for place in wanting if not place.before),
        cohort_id=cohort.id,
    )
    invited = [(one.id, *one.values[2:]) for one in wanting if one.before]
    update_values(CohortEnrollment, columns[2:], invited)
    _tell(_pairs(waiting), EventType.WAITLISTED, actor=actor, at=at)
    _tell(_pairs(seated), EventType.ENROLLED, actor=actor, at=at)
    begin_progress(cohort=cohort, enrollment_ids=[one.id for one in seated if not one.before])
    project_progress(enrollment_ids=[one.id for one in seated if one.before], at=at)


def _leave(
    cohort: Cohort,
    enrollments: Sequence[CohortEnrollment],
    state: EnrollmentState,
    event: str,
    *,
    actor: Contact | None,
    at: datetime,
) -> list[CohortEnrollment]:
    """Return the enrolments, those that were active closed."""
    cohort = lock_cohort(cohort.id)
    found = cohort.enrollments.select_related("contact").in_bulk([e.id for e in enrollments])
    leaving = [enrollment for enrollment in found.values() if enrollment.is_active]
    _close(cohort, _pairs(leaving), state, event, actor=actor, at=at)
    for enrollment in leaving:
        enrollment.state, enrollment.ended_at = state, at
    return [found[enrollment.id] for enrollment in enrollments]


def _close(
    cohort: Cohort,
    leaving: Sequence[Pair],
    state: EnrollmentState,
    event: str,
    *,
    actor: Contact | None,
    at: datetime,
) -> None:
    """Close what is active, and give the seats to those who wait and do not leave themselves."""
    ids = [enrollment_id for enrollment_id, _contact in leaving]
    promoted = _next_in_line(cohort, leaving=ids)
    lock_learners(contact_id for _id, contact_id in [*leaving, *_pairs(promoted)])
    cohort.enrollments.filter(id__one_of=ids).update(state=state, ended_at=at)
    _tell(leaving, event, actor=actor, at=at)
    _promote(promoted, actor=actor, at=at)


def _next_in_line(cohort: Cohort, *, leaving: Sequence[UUID]) -> list[CohortEnrollment]:
    """Return who gets the seats that are free once those leaving have gone."""
    if cohort.status != CohortStatus.OPEN:
        return []
    gone = Q(id__one_of=leaving)
    taken = cohort.enrollments.enrolled().exclude(gone).count()
    free = free_seats(capacity=cohort.capacity, taken=taken)
    return list(cohort.enrollments.waitlist().exclude(gone)[:free])


def _promote(promoted: Sequence[CohortEnrollment], *, actor: Contact | None, at: datetime) -> None:
    if not promoted:
        return
    ids = [enrollment.id for enrollment in promoted]
    CohortEnrollment.objects.filter(id__one_of=ids).update(
        state=EnrollmentState.ENROLLED, enrolled_at=at
    )
    for enrollment in promoted:
        enrollment.state, enrollment.enrolled_at = EnrollmentState.ENROLLED, at
    seated_late = {"from_waitlist": True}
    _tell(_pairs(promoted), EventType.ENROLLED, actor=actor, at=at, payload=seated_late)
    project_progress(enrollment_ids=ids, at=at)
    owe_many(NOTIFY_PROMOTED, [str(enrollment_id) for enrollment_id in ids])


def _pairs(enrollments: Iterable[CohortEnrollment | Place]) -> list[Pair]:
    return [(enrollment.id, enrollment.contact_id) for enrollment in enrollments]


def _tell(
    enrollments: Sequence[Pair],
    type_: str,
    *,
    actor: Contact | None,
    at: datetime,
    payload: dict[str, bool] | None = None,
) -> None:
    """Record one event for each enrolment, and owe each learner the next step."""
    if not enrollments:
        return
    insert_values(
        ProgressEvent,
        ("enrollment_id", "contact_id"),
        enrollments,
        type=type_,
        payload=payload or {},
        occurred_at=at,
        asserted_by_id=actor.id if actor else None,
    )
    owe_many(ADVANCE, [str(enrollment_id) for enrollment_id, _contact in enrollments])
