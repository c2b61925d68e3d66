"""When and where a cohort meets. A session is a fact about its learners: they are locked first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet

from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CohortSession,
    CohortStatus,
    validate_timezone,
)
from apps.cohorts.rules.schedule import Occurrence, occurrences
from apps.cohorts.services.cohorts import CohortStateConflict
from apps.cohorts.services.enrollments import lock_cohort
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import lock_learners, record_admin_action
from apps.core.ids import uuid7
from apps.core.models import ClockTimestamp
from apps.core.outbox import owe_many
from apps.core.problems import Conflict, Invalid
from apps.programs.publication import is_web_address


class SessionInvalid(Invalid):
    code = "session-invalid"
    title = "The session can't be like this."


class SessionCancelled(Conflict):
    code = "session-cancelled"
    title = "The session was cancelled."


@dataclass(frozen=True)
class Meeting:
    """What a session is about and where; everything but its time."""

    title: str
    location: str = ""
    url: str = ""
    is_required: bool = True


@transaction.atomic
def schedule_session(
    *,
    cohort: Cohort,
    meeting: Meeting,
    starts_at: datetime,
    ends_at: datetime,
    actor: Contact | None,
    timezone: str = "",
) -> CohortSession:
    """Return a new session; `timezone` is the cohort's unless given.

    Raises SessionInvalid, and CohortStateConflict once the cohort ended or was cancelled.
    """
    when = [Occurrence(starts_at=starts_at, ends_at=ends_at)]
    return _schedule(cohort, meeting, when, timezone=timezone, in_series=False, actor=actor)[0]


@transaction.atomic
def schedule_series(
    *,
    cohort: Cohort,
    meeting: Meeting,
    first: datetime,
    length: timedelta,
    rule: str,
    actor: Contact | None,
    timezone: str = "",
) -> list[CohortSession]:
    """Return the sessions of a recurrence rule (RFC 5545), in order.

    `first` is a wall-clock time in `timezone`, the cohort's unless given; it keeps its hour when
    the clocks change. Raises InvalidRecurrence, SessionInvalid, CohortStateConflict.
    """
    zone = _zone(timezone or cohort.timezone)
    when = occurrences(first=first, length=length, rule=rule, zone=zone)
    return _schedule(cohort, meeting, when, timezone=zone.key, in_series=True, actor=actor)


@transaction.atomic
def reschedule_session(
    *,
    session: CohortSession,
    starts_at: datetime,
    ends_at: datetime,
    actor: Contact | None,
    location: str | None = None,
    url: str | None = None,
) -> CohortSession:
    """Return the session at its new time and, where given, place.

    Raises SessionInvalid, SessionCancelled, CohortStateConflict.
    """
    cohort = _lock_running(session.cohort_id)
    session = CohortSession.objects.get(pk=session.pk)
    if session.cancelled_at:
        raise SessionCancelled
    session.starts_at, session.ends_at = starts_at, ends_at
    session.location = session.location if location is None else location
    session.url = session.url if url is None else url
    _check(session)
    _lock_learners(cohort)
    session.save(update_fields=["starts_at", "ends_at", "location", "url"])
    _tell(cohort)
    record_admin_action(actor=actor, action="session.rescheduled", entity=session)
    return session


@transaction.atomic
def cancel_session(*, session: CohortSession, actor: Contact | None) -> CohortSession:
    """Return the session, cancelled: from now on it counts for nobody."""
    cohort = _lock_running(session.cohort_id)
    session = CohortSession.objects.get(pk=session.pk)
    if session.cancelled_at:
        return session
    _lock_learners(cohort)
    CohortSession.objects.filter(pk=session.pk).update(cancelled_at=ClockTimestamp())
    session.refresh_from_db()
    _tell(cohort)
    record_admin_action(actor=actor, action="session.cancelled", entity=session)
    return session


def _schedule(
    cohort: Cohort,
    meeting: Meeting,
    when: Sequence[Occurrence],
    *,
    timezone: str,
    in_series: bool,
    actor: Contact | None,
) -> list[CohortSession]:
    cohort = _lock_running(cohort.id)
    series_id = uuid7() if in_series else None
    last = cohort.sessions.aggregate(last=Max("position"))["last"] or 0
    sessions = [
        CohortSession(
            cohort=cohort,
            title=meeting.title,
            starts_at=occurrence.starts_at,
            ends_at=occurrence.ends_at,
            timezone=timezone or cohort.timezone,
            location=meeting.location,
            url=meeting.url,
            is_required=meeting.is_required,
            series_id=series_id,
            position=position,
        )
        for position, occurrence in enumerate(when, start=last + 1)
    ]
    _check(sessions[0])
    _lock_learners(cohort)
    CohortSession.objects.bulk_create(sessions)
    _tell(cohort)
    details = {"title": meeting.title, "sessions": len(sessions)}
    record_admin_action(actor=actor, action="session.scheduled", entity=cohort, details=details)
    return sessions


def _lock_running(cohort_id: UUID) -> Cohort:
    cohort = lock_cohort(cohort_id)
    if cohort.status not in (CohortStatus.PLANNED, CohortStatus.OPEN):
        raise CohortStateConflict(detail=f"“{cohort.title}” is {cohort.status}.")
    return cohort


def _lock_learners(cohort: Cohort) -> None:
    lock_learners(_ever_enrolled(cohort).values_list("contact_id", flat=True))


def _tell(cohort: Cohort) -> None:
    """What attendance asks of everybody has changed, also of who left before."""
    enrolled = _ever_enrolled(cohort).order_by("id").values_list("id", flat=True)
    owe_many(ADVANCE, [str(enrollment_id) for enrollment_id in enrolled])


def _ever_enrolled(cohort: Cohort) -> QuerySet[CohortEnrollment]:
    return cohort.enrollments.filter(enrolled_at__isnull=False)


def _zone(name: str) -> ZoneInfo:
    try:
        validate_timezone(name)
    except ValidationError as error:
        raise SessionInvalid(
            errors=[{"field": "timezone", "code": "timezone", "message": error.messages[0]}]
        ) from error
    return ZoneInfo(name)


def _check(session: CohortSession) -> None:
    """Raise SessionInvalid for a session that is no time, has no title or leads nowhere."""
    _zone(session.timezone)
    if session.ends_at <= session.starts_at:
        problem = ("ends_at", "not-after-start", "A session ends after it starts.")
    elif not session.title.strip() or len(session.title) > 200:
        problem = ("title", "length", "A session has a title of at most 200 characters.")
    elif session.url and not is_web_address(session.url):
        problem = ("url", "not-a-web-address", "The address of a session is http or https.")
    else:
        return
    field, code, message = problem
    raise SessionInvalid(errors=[{"field": field, "code": code, "message": message}])
