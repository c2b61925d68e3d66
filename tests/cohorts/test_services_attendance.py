from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.models import AttendanceRecord, Cohort, CohortEnrollment, CohortSession
from apps.cohorts.selectors import AttendanceSummary, attendance_sheet, attendance_summary
from apps.cohorts.services import (
    AttendanceEntry,
    Meeting,
    cancel_session,
    enroll_all,
    record_attendance,
    schedule_session,
    withdraw,
)
from apps.cohorts.services.attendance import AttendanceInvalid, OwnAttendance
from apps.cohorts.services.progress import ADVANCE
from apps.cohorts.services.sessions import SessionCancelled
from apps.contacts.models import Contact
from apps.contacts.services import merge_contacts
from apps.core.models import OutboxMessage
from apps.core.problems import NotFound
from apps.core.revisions import RevisionConflict
from tests.cohorts.factories import NOON, open_cohort, people, person
from tests.cohorts.threads import at_once
from tests.programs.factories import published_course, published_program


@dataclass(frozen=True)
class Room:
    """A cohort of three with one session and somebody who takes attendance."""

    cohort: Cohort
    session: CohortSession
    learners: list[CohortEnrollment]
    staff: Contact

    def record(self, *entries: AttendanceEntry, **changes: Any) -> list[AttendanceRecord]:
        fields = {"session": self.session, "recorded_by": self.staff, "at": NOON, **changes}
        return record_attendance(entries=entries, **fields)


def furnish() -> Room:
    cohort = open_cohort()
    learners = enroll_all(cohort=cohort, contacts=people("Ada", "Bea", "Cleo"), actor=None, at=NOON)
    return Room(cohort, meet(cohort), learners, person("Staff"))


def meet(cohort: Cohort, **changes: Any) -> CohortSession:
    return schedule_session(
        cohort=cohort,
        meeting=Meeting(title="Day", **changes),
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=2),
        actor=None,
    )


@pytest.fixture
def room(db: None) -> Room:
    return furnish()


def said(record: AttendanceRecord) -> tuple[str, int, str]:
    return (record.contact.display_name, record.revision, record.status)


def test_record_attendance_writes_the_sheet_and_owes_a_step_each(room: Room) -> None:
    OutboxMessage.objects.all().delete()
    ada, bea, _ = room.learners

    records = room.record(
        AttendanceEntry(ada.id, "present", minutes=120),
        AttendanceEntry(bea.id, "late", minutes=90, note="bus"),
    )

    assert [said(record) for record in records] == [("Ada", 1, "present"), ("Bea", 1, "late")]
    assert set(OutboxMessage.objects.values_list("topic", "key")) == {
        (ADVANCE, str(ada.id)),
        (ADVANCE, str(bea.id)),
    }


def test_record_attendance_again_writes_only_what_changed(room: Room) -> None:
    ada, bea, _ = room.learners
    room.record(AttendanceEntry(ada.id, "present"), AttendanceEntry(bea.id, "absent"))

    records = room.record(
        AttendanceEntry(ada.id, "present"),
        AttendanceEntry(bea.id, "excused", note="doctor"),
        expected_revisions={ada.id: 1, bea.id: 1},
    )

    assert [said(record) for record in records] == [("Bea", 2, "excused")]
    history = AttendanceRecord.objects.filter(enrollment=bea).order_by("revision")
    assert [said(record) for record in history] == [("Bea", 1, "absent"), ("Bea", 2, "excused")]


def test_record_attendance_over_what_somebody_else_said_is_refused_whole(room: Room) -> None:
    ada, bea, _ = room.learners
    room.record(AttendanceEntry(ada.id, "absent"))

    with pytest.raises(RevisionConflict) as refused:
        room.record(
            AttendanceEntry(bea.id, "present"),
            AttendanceEntry(ada.id, "present"),
            expected_revisions={ada.id: 0, bea.id: 0},
        )

    assert refused.value.extensions == {"enrollments": [str(ada.id)]}
    assert AttendanceRecord.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "asleep"}, "unknown"),
        ({"method": "telepathy"}, "unknown"),
        ({"minutes": -1}, "range"),
        ({"minutes": 1441}, "range"),
    ],
)
def test_record_attendance_that_cannot_be_is_refused(
    room: Room, changes: dict[str, Any], code: str
) -> None:
    entry = AttendanceEntry(**{"enrollment_id": room.learners[0].id, "status": "late", **changes})

    with pytest.raises(AttendanceInvalid) as refused:
        room.record(entry)

    assert [error["code"] for error in refused.value.errors] == [code]


def test_record_attendance_before_the_day_is_refused_except_for_absence(room: Room) -> None:
    ada, bea, _ = room.learners
    day_before = NOON - timedelta(days=1)

    room.record(AttendanceEntry(bea.id, "excused"), at=day_before)
    with pytest.raises(AttendanceInvalid):
        room.record(AttendanceEntry(ada.id, "present"), at=day_before)


def test_record_attendance_twice_on_a_sheet_is_refused(room: Room) -> None:
    entry = AttendanceEntry(room.learners[0].id, "present")

    with pytest.raises(AttendanceInvalid):
        room.record(entry, entry)


def test_record_attendance_of_another_cohort_is_not_found(room: Room) -> None:
    elsewhere = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    (stranger,) = enroll_all(cohort=elsewhere, contacts=people("Eve"), actor=None, at=NOON)

    for foreign in (stranger.id, uuid4()):
        with pytest.raises(NotFound):
            room.record(AttendanceEntry(foreign, "present"))


def test_record_attendance_of_who_only_waits_is_not_found(room: Room) -> None:
    Cohort.objects.filter(pk=room.cohort.pk).update(capacity=3)
    (waiting,) = enroll_all(cohort=room.cohort, contacts=people("Dan"), actor=None, at=NOON)

    with pytest.raises(NotFound):
        room.record(AttendanceEntry(waiting.id, "present"))


def test_record_attendance_of_a_cancelled_session_is_refused(room: Room) -> None:
    cancel_session(session=room.session, actor=None)

    with pytest.raises(SessionCancelled):
        room.record(AttendanceEntry(room.learners[0].id, "present"))


def test_record_own_attendance_by_hand_is_refused_also_under_an_alias(room: Room) -> None:
    ada = room.learners[0]
    survivor = person("Adele")

    with pytest.raises(OwnAttendance):
        room.record(AttendanceEntry(ada.id, "present"), recorded_by=ada.contact)
    merge_contacts(source=ada.contact, into=survivor, actor=None)
    with pytest.raises(OwnAttendance):
        room.record(AttendanceEntry(ada.id, "present"), recorded_by=survivor)

    by_code = AttendanceEntry(ada.id, "present", method="code")
    assert len(room.record(by_code, recorded_by=survivor)) == 1


def test_attendance_sheet_has_a_line_for_each_learner_by_name(room: Room) -> None:
    ada, bea, cleo = room.learners
    (record,) = room.record(AttendanceEntry(bea.id, "late"))
    withdraw(enrollment=bea, actor=None, at=NOON)
    withdraw(enrollment=cleo, actor=None, at=NOON)

    with CaptureQueriesContext(connection) as captured:
        rows = attendance_sheet(room.session)

    assert [(row.display_name, row.state, row.revision, row.record) for row in rows] == [
        ("Ada", "enrolled", 0, None),
        ("Bea", "withdrawn", 1, record),
    ]
    assert rows[0].enrollment_id == ada.id
    assert len(captured) == 2


def test_attendance_summary_counts_current_revisions_of_required_sessions(room: Room) -> None:
    ada, bea, cleo = room.learners
    meet(room.cohort)
    optional = meet(room.cohort, is_required=False)
    cancelled = meet(room.cohort)
    everybody = [AttendanceEntry(e.id, "present", minutes=60) for e in room.learners]
    room.record(*everybody)
    room.record(AttendanceEntry(bea.id, "absent"))
    room.record(*everybody, session=optional)
    room.record(*everybody, session=cancelled)
    cancel_session(session=cancelled, actor=None)

    with CaptureQueriesContext(connection) as captured:
        summary = attendance_summary([ada.id, bea.id])

    assert summary == {
        ada.id: AttendanceSummary(required=2, present=1, minutes=60),
        bea.id: AttendanceSummary(required=2, absent=1),
    }
    assert (summary[ada.id].attended, summary[ada.id].unrecorded) == (1, 1)
    assert len(captured) == 2
    assert cleo.id not in summary


def test_two_writers_of_one_sheet_have_one_winner(own_database: str) -> None:
    room = furnish()
    save = [
        partial(
            room.record,
            *(AttendanceEntry(learner.id, status) for learner in room.learners),
            expected_revisions={learner.id: 0 for learner in room.learners},
        )
        for status in ("present", "absent")
    ]

    outcomes = at_once(*save)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["RevisionConflict", "list"]
    statuses = AttendanceRecord.objects.values_list("status", "revision").distinct()
    assert len(statuses) == 1
    assert AttendanceRecord.objects.count() == 3
