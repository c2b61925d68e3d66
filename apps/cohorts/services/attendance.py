"""Who was there: revisions, so that a correction never hides what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.cohorts.models import (
    AttendanceMethod,
    AttendanceRecord,
    AttendanceStatus,
    CohortEnrollment,
    CohortSession,
)
from apps.cohorts.services.progress import ADVANCE
from apps.cohorts.services.sessions import SessionCancelled
from apps.contacts.models import Contact
from apps.contacts.selectors import alias_ids
from apps.contacts.services import lock_learners
from apps.core.outbox import owe_many
from apps.core.problems import FieldError, Forbidden, Invalid, NotFound
from apps.core.revisions import RevisionConflict, is_revision_race

MAX_MINUTES = 24 * 60
EARLIEST = timedelta(hours=12)
"""How long before a session somebody can be said to be there: doors open early, days don't."""


class AttendanceInvalid(Invalid):
    code = "attendance-invalid"
    title = "The attendance can't be like this."


class OwnAttendance(Forbidden):
    code = "own-attendance"
    title = "Nobody records their own attendance by hand."


@dataclass(frozen=True)
class AttendanceEntry:
    """What is said about one learner at a session; `minutes` of presence, None if not counted."""

    enrollment_id: UUID
    status: str
    minutes: int | None = None
    method: str = AttendanceMethod.MANUAL
    note: str = ""


@transaction.atomic
def record_attendance(
    *,
    session: CohortSession,
    entries: Sequence[AttendanceEntry],
    recorded_by: Contact,
    at: datetime,
    expected_revisions: Mapping[UUID, int] | None = None,
) -> list[AttendanceRecord]:
    """Return the new revisions, in the order of `entries`: those that say something new.

    `expected_revisions` is, by enrolment, the revision the writer saw (0: none). All entries are
    written or none. Raises RevisionConflict when somebody else wrote in the meantime,
    AttendanceInvalid, OwnAttendance, SessionCancelled, and NotFound for who never took part in the
    session's cohort.
    """
    _check(session, entries, at)
    enrollments = _lock_enrollments(session, entries)
    if CohortSession.objects.filter(pk=session.pk, cancelled_at__isnull=False).exists():
        raise SessionCancelled
    _refuse_own(entries, enrollments, recorded_by)
    current = {
        record.enrollment_id: record
        for record in AttendanceRecord.objects.filter(
            session=session, enrollment_id__in=enrollments
        ).current()
    }
    new = [entry for entry in entries if _says_more(entry, current.get(entry.enrollment_id))]
    if expected_revisions is not None:
        _compare(new, current, expected_revisions)
    records = [
        AttendanceRecord(
            cohort_id=session.cohort_id,
            session=session,
            enrollment=enrollments[entry.enrollment_id],
            contact_id=enrollments[entry.enrollment_id].contact_id,
            revision=1 + (known.revision if known else 0),
            status=entry.status,
            minutes=entry.minutes,
            method=entry.method,
            recorded_by=recorded_by,
            note=entry.note,
        )
        for entry in new
        for known in [current.get(entry.enrollment_id)]
    ]
    try:
        with transaction.atomic():
            AttendanceRecord.objects.bulk_create(records)
    except IntegrityError as error:
        if is_revision_race(error, AttendanceRecord):
            raise RevisionConflict from error
        raise
    owe_many(ADVANCE, [str(entry.enrollment_id) for entry in new])
    return records


def _check(session: CohortSession, entries: Sequence[AttendanceEntry], at: datetime) -> None:
    errors: list[FieldError] = []
    is_early = at < session.starts_at - EARLIEST
    for index, entry in enumerate(entries):
        if entry.status not in AttendanceStatus.values:
            message = f"“{entry.status}” is no attendance status."
            errors.append({"field": f"{index}.status", "code": "unknown", "message": message})
        if is_early and entry.status in (AttendanceStatus.PRESENT, AttendanceStatus.LATE):
            message = "Nobody was there yet: the session has not begun."
            errors.append({"field": f"{index}.status", "code": "not-begun", "message": message})
        if entry.method not in AttendanceMethod.values:
            message = f"“{entry.method}” is no method of taking attendance."
            errors.append({"field": f"{index}.method", "code": "unknown", "message": message})
        if entry.minutes is not None and not 0 <= entry.minutes <= MAX_MINUTES:
            message = f"Minutes are between 0 and {MAX_MINUTES}."
            errors.append({"field": f"{index}.minutes", "code": "range", "message": message})
    if len({entry.enrollment_id for entry in entries}) != len(entries):
        message = "Each learner stands on the sheet once."
        errors.append({"field": "entries", "code": "repeated", "message": message})
    if errors:
        raise AttendanceInvalid(errors=errors)


def _lock_enrollments(
    session: CohortSession, entries: Sequence[AttendanceEntry]
) -> dict[UUID, CohortEnrollment]:
    wanted = [entry.enrollment_id for entry in entries]
    enrollments = CohortEnrollment.objects.filter(
        cohort_id=session.cohort_id, enrolled_at__isnull=False
    ).in_bulk(wanted)
    if len(enrollments) < len(wanted):
        raise NotFound("Somebody on the sheet never took part in this session's cohort.")
    lock_learners(enrollment.contact_id for enrollment in enrollments.values())
    return enrollments


def _refuse_own(
    entries: Sequence[AttendanceEntry],
    enrollments: Mapping[UUID, CohortEnrollment],
    recorded_by: Contact,
) -> None:
    manual = [
        enrollments[entry.enrollment_id].contact_id
        for entry in entries
        if entry.method == AttendanceMethod.MANUAL
    ]
    if manual and not set(alias_ids(recorded_by.id)).isdisjoint(manual):
        raise OwnAttendance


def _says_more(entry: AttendanceEntry, known: AttendanceRecord | None) -> bool:
    said = (entry.status, entry.minutes, entry.note)
    return known is None or said != (known.status, known.minutes, known.note)


def _compare(
    entries: Sequence[AttendanceEntry],
    current: Mapping[UUID, AttendanceRecord],
    expected: Mapping[UUID, int],
) -> None:
    """Raise RevisionConflict, naming the enrolments about which somebody else spoke."""
    stale = [
        str(entry.enrollment_id)
        for entry in entries
        for known in [current.get(entry.enrollment_id)]
        if (known.revision if known else 0) != expected.get(entry.enrollment_id, 0)
    ]
    if stale:
        raise RevisionConflict(enrollments=stale)
