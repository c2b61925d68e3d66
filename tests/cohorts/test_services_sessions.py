from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.cohorts.models import Cohort, CohortSession
from apps.cohorts.services import (
    Meeting,
    cancel_session,
    end_cohort,
    enroll_all,
    reschedule_session,
    schedule_series,
    schedule_session,
)
from apps.cohorts.services.cohorts import CohortStateConflict
from apps.cohorts.services.progress import ADVANCE
from apps.cohorts.services.sessions import SessionCancelled, SessionInvalid
from apps.contacts.models import AdminAction
from apps.core.models import OutboxMessage
from tests.cohorts.factories import NOON, open_cohort, people, planned_cohort

pytestmark = pytest.mark.django_db

KICK_OFF = Meeting(title="Kick-off", location="Room 1", url="https://meet.example.org/1")


def schedule(cohort: Cohort, **changes: Any) -> CohortSession:
    fields: dict[str, Any] = {
        "meeting": KICK_OFF,
        "starts_at": NOON,
        "ends_at": NOON + timedelta(hours=2),
        "actor": None,
        **changes,
    }
    return schedule_session(cohort=cohort, **fields)


def owed_after_clearing() -> set[str]:
    keys = set(OutboxMessage.objects.filter(topic=ADVANCE).values_list("key", flat=True))
    OutboxMessage.objects.all().delete()
    return keys


def test_schedule_session_is_in_the_cohorts_zone_and_next_in_position() -> None:
    cohort = planned_cohort(timezone="Europe/Berlin")
    schedule(cohort)

    session = schedule(cohort, timezone="Asia/Tokyo")

    assert [(s.position, s.timezone) for s in cohort.sessions.order_by("position")] == [
        (1, "Europe/Berlin"),
        (2, "Asia/Tokyo"),
    ]
    assert (session.title, session.location, session.url, session.is_required) == (
        "Kick-off",
        "Room 1",
        "https://meet.example.org/1",
        True,
    )


def test_schedule_session_owes_every_learner_a_step() -> None:
    cohort = open_cohort(capacity=2)
    enrolled = enroll_all(cohort=cohort, contacts=people("Ada", "Bea", "Cleo"), actor=None, at=NOON)
    owed_after_clearing()

    session = schedule(cohort)
    assert owed_after_clearing() == {str(e.id) for e in enrolled[:2]}

    reschedule_session(
        session=session, starts_at=NOON, ends_at=NOON + timedelta(hours=1), actor=None
    )
    assert owed_after_clearing() == {str(e.id) for e in enrolled[:2]}

    cancel_session(session=session, actor=None)
    assert owed_after_clearing() == {str(e.id) for e in enrolled[:2]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"ends_at": NOON}, "ends_at"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"meeting": Meeting(title=" ")}, "title"),
        ({"meeting": Meeting(title="x" * 201)}, "title"),
        ({"meeting": Meeting(title="x", url="javascript:alert(1)")}, "url"),
    ],
)
def test_schedule_session_that_cannot_be_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(SessionInvalid) as refused:
        schedule(planned_cohort(), **changes)

    assert [error["field"] for error in refused.value.errors] == [field]
    assert not CohortSession.objects.exists()


def test_schedule_session_in_an_ended_cohort_is_refused() -> None:
    cohort = end_cohort(cohort=open_cohort(), actor=None, at=NOON)

    with pytest.raises(CohortStateConflict):
        schedule(cohort)


def test_schedule_series_keeps_the_hour_when_the_clocks_change() -> None:
    sessions = schedule_series(
        cohort=planned_cohort(timezone="Europe/Berlin"),
        meeting=KICK_OFF,
        first=datetime.fromisoformat("2026-03-26 18:00"),
        length=timedelta(hours=2),
        rule="FREQ=WEEKLY;COUNT=2",
        actor=None,
    )

    assert [(s.starts_at, s.ends_at, s.position) for s in sessions] == [
        (
            datetime(2026, 3, 26, 17, tzinfo=UTC),
            datetime(2026, 3, 26, 19, tzinfo=UTC),
            1,
        ),
        (
            datetime(2026, 4, 2, 16, tzinfo=UTC),
            datetime(2026, 4, 2, 18, tzinfo=UTC),
            2,
        ),
    ]
    assert len({s.series_id for s in sessions}) == 1
    assert sessions[0].series_id is not None
    assert AdminAction.objects.filter(action="session.scheduled").count() == 1


def test_reschedule_session_moves_time_and_keeps_the_place_unless_given() -> None:
    session = schedule(planned_cohort())

    moved = reschedule_session(
        session=session,
        starts_at=NOON + timedelta(days=1),
        ends_at=NOON + timedelta(days=1, hours=1),
        location="Room 2",
        actor=None,
    )

    moved.refresh_from_db()
    assert (moved.starts_at, moved.location, moved.url) == (
        NOON + timedelta(days=1),
        "Room 2",
        "https://meet.example.org/1",
    )


def test_cancelled_session_stays_so_and_cannot_be_moved() -> None:
    session = cancel_session(session=schedule(planned_cohort()), actor=None)

    assert cancel_session(session=session, actor=None).cancelled_at == session.cancelled_at
    with pytest.raises(SessionCancelled):
        reschedule_session(
            session=session, starts_at=NOON, ends_at=NOON + timedelta(hours=1), actor=None
        )
