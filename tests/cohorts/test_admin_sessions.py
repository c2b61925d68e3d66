"""Sessions and the attendance sheet in the back office, driven over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import tenant_context

from apps.cohorts.models import AttendanceRecord, Cohort, CohortEnrollment, CohortSession
from apps.cohorts.selectors import attendance_sheet
from apps.cohorts.services import (
    AttendanceEntry,
    Meeting,
    add_staff,
    cancel_session,
    enroll,
    enroll_all,
    record_attendance,
    schedule_session,
)
from apps.contacts.models import AdminAction
from apps.organizations.models import Organization, OrgRole
from tests.clients import browser
from tests.cohorts.factories import NOON, open_cohort, people, person
from tests.factories import member
from tests.programs.factories import published_course, published_program
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Client:
    return browser(member(OrgRole.OWNER))


@pytest.fixture
def cohort() -> Cohort:
    return open_cohort()


@pytest.fixture
def session(cohort: Cohort) -> CohortSession:
    return meeting(cohort)


def meeting(cohort: Cohort) -> CohortSession:
    return schedule_session(
        cohort=cohort,
        meeting=Meeting("Knots", location="Room 1"),
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=1),
        actor=None,
    )


def sessions_page(cohort: Cohort) -> str:
    return f"/admin/cohorts/cohort/{cohort.pk}/sessions/"


def page(session: CohortSession, name: str) -> str:
    return f"/admin/cohorts/cohortsession/{session.pk}/{name}/"


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def sheet_of(response: Any) -> dict[str, Any]:
    """Return what a browser would send back from the sheet, with nothing changed."""
    formset = response.context["formset"]
    data: dict[str, Any] = {
        "form-TOTAL_FORMS": str(formset.total_form_count()),
        "form-INITIAL_FORMS": str(formset.initial_form_count()),
    }
    for form in formset:
        for bound in form:
            value = bound.value()
            data[bound.html_name] = "" if value is None else str(value)
            if bound.field.show_hidden_initial:
                first = form.data.get(bound.html_initial_name, bound.initial)
                data[bound.html_initial_name] = "" if first is None else str(first)
    return data


def said(session: CohortSession) -> dict[str, tuple[int, str, int | None, str]]:
    return {
        row.display_name: (row.revision, row.record.status, row.record.minutes, row.record.note)
        for row in attendance_sheet(session)
        if row.record
    }


def record(session: CohortSession, enrollment: CohortEnrollment, status: str) -> None:
    record_attendance(
        session=session,
        entries=[AttendanceEntry(enrollment.id, status)],
        recorded_by=person(f"Colleague{AttendanceRecord.objects.count()}"),
        at=NOON,
    )


def three(cohort: Cohort) -> list[CohortEnrollment]:
    return enroll_all(cohort=cohort, contacts=people("Ada", "Bea", "Cleo"), actor=None, at=NOON)


# --- Sessions -----------------------------------------------------------------------------------


def plan(**changes: Any) -> dict[str, Any]:
    good = {"title": "Knots", "first": "2026-03-23T09:00", "minutes": "90", "is_required": "on"}
    return {**good, **changes}


def test_a_session_is_scheduled_by_the_cohorts_wall_clock(owner: Client, cohort: Cohort) -> None:
    response = owner.post(sessions_page(cohort), plan(location="Room 1"), follow=True)

    one = CohortSession.objects.get()
    assert messages(response) == ["Scheduled."]
    assert (one.starts_at.isoformat(), one.ends_at - one.starts_at, one.timezone) == (
        "2026-03-23T08:00:00+00:00",
        timedelta(minutes=90),
        "Europe/Berlin",
    )
    assert "2026-03-23 09:00" in response.content.decode()


def test_a_series_keeps_its_hour_when_the_clocks_change(owner: Client, cohort: Cohort) -> None:
    owner.post(sessions_page(cohort), plan(rule="FREQ=WEEKLY;COUNT=2"))

    assert [one.starts_at.hour for one in CohortSession.objects.all()] == [8, 7]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"rule": "FREQ=DAILY"}, "A series needs COUNT or UNTIL."),
        ({"timezone": "Mars/Olympus"}, "is not an IANA time zone"),
        ({"url": "javascript:alert(1)"}, "The address of a session is http or https."),
        ({"first": "soon"}, "Enter a valid date/time"),
        ({"minutes": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_scheduled_is_told_and_the_form_is_kept(
    owner: Client, cohort: Cohort, changes: dict[str, str], text: str
) -> None:
    response = owner.post(sessions_page(cohort), plan(**changes))

    shown = response.content.decode()
    assert text in shown
    assert 'value="Knots"' in shown
    assert not CohortSession.objects.exists()


def test_a_session_is_moved_and_cancelled(owner: Client, session: CohortSession) -> None:
    form = owner.get(page(session, "reschedule")).content.decode()
    owner.post(
        page(session, "reschedule"),
        {"starts": "2026-03-03T10:00", "ends": "2026-03-03T11:00", "location": "Room 2"},
    )
    session.refresh_from_db()
    moved = (session.starts_at.isoformat(), session.location)
    wrong = owner.post(
        page(session, "reschedule"),
        {"starts": "2026-03-03T10:00", "ends": "2026-03-03T09:00"},
        follow=True,
    )
    asked = owner.get(page(session, "cancel"))
    owner.post(page(session, "cancel"))

    session.refresh_from_db()
    assert 'value="2026-03-02T13:00"' in form
    assert moved == ("2026-03-03T09:00:00+00:00", "Room 2")
    assert messages(wrong)[-1] == "ends_at: A session ends after it starts."
    assert asked.status_code == 200
    assert session.cancelled_at is not None


# --- Attendance ---------------------------------------------------------------------------------


def test_the_sheet_is_taken_on_one_page(
    owner: Client, cohort: Cohort, session: CohortSession
) -> None:
    three(cohort)
    data = sheet_of(owner.get(page(session, "attendance")))

    done = owner.post(
        page(session, "attendance"),
        data | {"form-0-status": "late", "form-0-minutes": "40", "form-2-status": "absent"},
        follow=True,
    )
    again = owner.post(page(session, "attendance"), sheet_of(done), follow=True)

    assert messages(done) == ["2 lines were saved."]
    assert messages(again) == ["0 lines were saved."]
    assert said(session) == {"Ada": (1, "late", 40, ""), "Cleo": (1, "absent", None, "")}
    [action] = AdminAction.objects.filter(action="cohortsession.attendance-taken")
    assert (action.entity_id, action.details) == (session.id, {"lines": 2})


def test_everybody_else_was_present_by_one_button(
    owner: Client, cohort: Cohort, session: CohortSession
) -> None:
    three(cohort)
    data = sheet_of(owner.get(page(session, "attendance")))

    owner.post(page(session, "attendance"), data | {"form-1-status": "excused", "all_present": "1"})

    assert {name: line[1] for name, line in said(session).items()} == {
        "Ada": "present",
        "Bea": "excused",
        "Cleo": "present",
    }


def test_a_line_that_nobody_touched_is_not_written_over_a_colleagues(
    owner: Client, cohort: Cohort, session: CohortSession
) -> None:
    ada, _bea, _cleo = three(cohort)
    record(session, ada, "present")
    data = sheet_of(owner.get(page(session, "attendance")))
    record(session, ada, "absent")

    done = owner.post(page(session, "attendance"), data | {"form-1-status": "present"}, follow=True)

    assert messages(done) == ["1 line was saved."]
    assert said(session) == {"Ada": (2, "absent", None, ""), "Bea": (1, "present", None, "")}


def test_a_conflict_is_shown_and_what_was_typed_is_kept(
    owner: Client, cohort: Cohort, session: CohortSession
) -> None:
    ada, _bea, _cleo = three(cohort)
    data = sheet_of(owner.get(page(session, "attendance")))
    record(session, ada, "absent")

    typed = {"form-0-status": "late", "form-0-note": "Train", "form-1-status": "present"}
    conflict = owner.post(page(session, "attendance"), data | typed)
    before = said(session)
    saved = owner.post(page(session, "attendance"), sheet_of(conflict), follow=True)

    shown = conflict.content.decode()
    assert messages(conflict) == [
        "Nothing was saved: somebody else wrote about the marked lines meanwhile."
    ]
    assert "Now: Absent" in shown
    assert 'value="Train"' in shown
    assert shown.count('class="errors"') == 1
    assert before == {"Ada": (1, "absent", None, "")}
    assert messages(saved) == ["2 lines were saved."]
    assert said(session) == {
        "Ada": (2, "late", None, "Train"),
        "Bea": (1, "present", None, ""),
    }


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ({"form-0-minutes": "40"}, "Choose whether they were there."),
        ({"form-0-status": "present", "form-0-minutes": "-1"}, "greater than or equal to 0"),
        ({"form-0-status": "asleep"}, "asleep is not one of the available choices"),
        ({"form-0-status": "present", "form-0-enrollment_id": "x"}, "Enter a valid UUID"),
        (
            {
                "form-0-status": "present",
                "form-0-enrollment_id": "0a000000-0000-7000-8000-0000000000ff",
            },
            "never took part",
        ),
    ],
)
def test_a_line_that_cannot_be_is_marked_and_nothing_is_saved(
    owner: Client, cohort: Cohort, session: CohortSession, typed: dict[str, str], text: str
) -> None:
    three(cohort)
    data = sheet_of(owner.get(page(session, "attendance")))

    response = owner.post(page(session, "attendance"), data | {"form-1-status": "late"} | typed)

    assert response.status_code == 200
    assert text in response.content.decode()
    assert sheet_of(response)["form-1-status"] == "late"
    assert said(session) == {}


def test_a_sheet_without_its_count_of_lines_saves_nothing(
    owner: Client, session: CohortSession
) -> None:
    response = owner.post(page(session, "attendance"), {"form-0-status": "present"})

    assert response.status_code == 200
    assert said(session) == {}


def test_nobody_takes_their_own_attendance(cohort: Cohort, session: CohortSession) -> None:
    tess = member(OrgRole.OWNER)
    enroll(cohort=cohort, contact=tess, actor=None, at=NOON)
    client = browser(tess)
    data = sheet_of(client.get(page(session, "attendance")))

    response = client.post(page(session, "attendance"), data | {"form-0-status": "present"})

    assert messages(response) == ["Nobody records their own attendance by hand."]
    assert said(session) == {}


def test_the_sheet_of_a_cancelled_session_is_only_shown(
    owner: Client, cohort: Cohort, session: CohortSession
) -> None:
    ada, _bea, _cleo = three(cohort)
    record(session, ada, "present")
    cancel_session(session=session, actor=None)

    shown = owner.get(page(session, "attendance"))

    assert "submit-row" not in shown.content.decode()
    assert "Present" in shown.content.decode()
    assert owner.post(page(session, "attendance"), sheet_of(shown)).status_code == 404


def test_pages_take_the_same_statements_for_20_and_200_learners(owner: Client) -> None:
    program = published_program()
    taken = []
    for size in (20, 200):
        cohort = open_cohort(program, slug=f"c{size}")
        session = meeting(cohort)
        contacts = people(*(f"P{size}x{n}" for n in range(size)))
        enrollments = enroll_all(cohort=cohort, contacts=contacts, actor=None, at=NOON)
        record_attendance(
            session=session,
            entries=[AttendanceEntry(enrollment.id, "present") for enrollment in enrollments],
            recorded_by=person(f"T{size}"),
            at=NOON,
        )
        for _ in range(size // 10):
            meeting(cohort)
        addresses = [
            page(session, "attendance"),
            sessions_page(cohort),
            "/admin/cohorts/attendancerecord/",
            "/admin/cohorts/cohortsession/",
        ]
        taken.append([statements(owner, address) for address in addresses])

    assert taken[0] == taken[1]


def test_who_may_see_and_write_the_sheet(cohort: Cohort, session: CohortSession) -> None:
    other = meeting(open_cohort(cohort.program_version, slug="autumn"))
    tess = member(OrgRole.INSTRUCTOR)
    add_staff(cohort=cohort, contact=tess, role="instructor", actor=None)
    callers = {"instructor": browser(tess), "auditor": browser(member(OrgRole.AUDITOR))}

    found = {
        (name, which): (
            client.get(page(one, "attendance")).status_code,
            client.post(page(one, "attendance"), {}).status_code,
            client.post(page(one, "cancel")).status_code if one is other else None,
        )
        for name, client in callers.items()
        for which, one in (("theirs", session), ("other", other))
    }

    assert found == {
        ("instructor", "theirs"): (200, 200, None),
        ("instructor", "other"): (404, 404, 404),
        ("auditor", "theirs"): (200, 404, None),
        ("auditor", "other"): (200, 404, 404),
    }
    assert browser(member()).get(page(session, "attendance"), follow=True).status_code == 403


def test_a_session_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = meeting(open_cohort(published_program(published_course("b"), slug="b")))
    owner = browser(member(OrgRole.OWNER))

    names = ("change", "attendance", "reschedule", "cancel")
    assert [owner.get(page(theirs, name)).status_code for name in names] == [404] * 4
    assert [owner.post(page(theirs, name)).status_code for name in names] == [404] * 4
