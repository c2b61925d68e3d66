"""Sessions and attendance under /v1."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django_tenants.utils import tenant_context
from rest_framework.test import APIClient

from apps.cohorts.models import AttendanceRecord, Cohort, CohortEnrollment, CohortSession
from apps.cohorts.services import (
    AttendanceEntry,
    Meeting,
    add_staff,
    enroll,
    enroll_all,
    record_attendance,
    schedule_session,
    withdraw,
)
from apps.core.models import OutboxMessage
from apps.organizations.models import Organization, OrgRole
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON, open_cohort, people, person
from tests.factories import member
from tests.programs.factories import published_course, published_program
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db

UNKNOWN = "0a000000-0000-7000-8000-0000000000ff"


@pytest.fixture
def cohort() -> Cohort:
    return open_cohort()


@pytest.fixture
def owner() -> APIClient:
    return api(member(OrgRole.OWNER))


@pytest.fixture
def session(cohort: Cohort) -> CohortSession:
    return meeting(cohort)


def meeting(cohort: Cohort) -> CohortSession:
    return schedule_session(
        cohort=cohort,
        meeting=Meeting("Knots", url="https://example.org/room"),
        starts_at=NOON,
        ends_at=NOON + timedelta(hours=1),
        actor=None,
    )


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def line(enrollment: CohortEnrollment, status: str = "present", **more: Any) -> dict[str, Any]:
    return {"enrollment": str(enrollment.id), "revision": 0, "status": status, **more}


def put(client: APIClient, session: CohortSession, *lines: Any, **headers: Any) -> Any:
    return client.put(f"/v1/sessions/{session.id}/attendance", {"entries": list(lines)}, **headers)


def sheet(response: Any) -> list[tuple[str, int, str | None]]:
    assert response.status_code == 200, response.json()
    return [
        (row["contact_name"], row["revision"], row["record"] and row["record"]["status"])
        for row in response.json()["rows"]
    ]


def new_session(cohort: Cohort, **changes: Any) -> dict[str, Any]:
    return {
        "cohort": str(cohort.id),
        "title": "Knots",
        "starts_at": "2026-03-09T09:00:00+01:00",
        "ends_at": "2026-03-09T10:00:00+01:00",
        **changes,
    }


def test_a_session_is_scheduled_moved_and_cancelled(owner: APIClient, cohort: Cohort) -> None:
    made = owner.post("/v1/sessions", new_session(cohort, location="Room 1", is_required=False))
    address = f"/v1/sessions/{made.json()['id']}"
    times = {"starts_at": "2026-03-10T09:00:00Z", "ends_at": "2026-03-10T10:00:00Z"}
    moved = owner.post(f"{address}/reschedule", {**times, "location": "Room 2"})
    cancelled = owner.post(f"{address}/cancel")
    again = owner.post(f"{address}/reschedule", times)

    assert made.status_code == 201
    assert made.json() | {"id": "", "created_at": ""} == {
        "id": "",
        "cohort": str(cohort.id),
        "title": "Knots",
        "starts_at": "2026-03-09T08:00:00Z",
        "ends_at": "2026-03-09T09:00:00Z",
        "timezone": "Europe/Berlin",
        "location": "Room 1",
        "url": "",
        "is_required": False,
        "series_id": None,
        "position": 1,
        "created_at": "",
        "cancelled_at": None,
    }
    assert (moved.json()["starts_at"], moved.json()["location"]) == (
        "2026-03-10T09:00:00Z",
        "Room 2",
    )
    assert cancelled.json()["cancelled_at"] is not None
    assert problem_of(again) == (409, "urn:assay:problem:session-cancelled")


def test_a_series_keeps_its_hour_when_the_clocks_change(owner: APIClient, cohort: Cohort) -> None:
    body = {
        "cohort": str(cohort.id),
        "title": "Weekly",
        "first": "2026-03-23T09:00",
        "length_minutes": 90,
        "rule": "FREQ=WEEKLY;COUNT=2",
    }

    def post() -> tuple[int, Any]:
        response = owner.post("/v1/sessions/series", body, headers={"Idempotency-Key": "k"})
        return response.status_code, response.json()

    first, again = post(), post()

    assert first == again
    assert (first[0], [one["starts_at"] for one in first[1]["sessions"]]) == (
        201,
        ["2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z"],
    )
    assert len({one["series_id"] for one in first[1]["sessions"]}) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"first": "2026-03-23T09:00:00+01:00"}, ("first", "invalid")),
        ({"first": "2026-02-31T09:00"}, ("first", "invalid")),
        ({"first": 7}, ("first", "invalid")),
        ({"length_minutes": 0}, ("length_minutes", "min-value")),
        ({"length_minutes": 10**9}, ("length_minutes", "max-value")),
        ({"rule": "FREQ=SECONDLY;COUNT=2"}, ("rule", "frequency")),
        ({"rule": "FREQ=DAILY"}, ("rule", "unbounded")),
        ({"rule": "FREQ=DAILY;COUNT=501"}, ("rule", "too-many")),
        ({"timezone": "Mars/Olympus"}, ("timezone", "timezone")),
        ({"url": "javascript:alert(1)"}, ("url", "not-a-web-address")),
        ({"colour": "red"}, ("colour", "unknown")),
    ],
)
def test_schedule_series_with_bad_input_tells_the_field(
    owner: APIClient, cohort: Cohort, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    good = {"cohort": str(cohort.id), "title": "Weekly", "first": "2026-03-23T09:00"}

    response = owner.post(
        "/v1/sessions/series",
        {**good, "length_minutes": 90, "rule": "FREQ=WEEKLY;COUNT=2", **changes},
    )

    assert codes(response) == [expected]
    assert not CohortSession.objects.exists()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ends_at": "2026-03-09T08:00:00+01:00"}, ("ends_at", "not-after-start")),
        ({"starts_at": "tomorrow"}, ("starts_at", "invalid")),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, ("starts_at", "overflow")),
        ({"title": " "}, ("title", "blank")),
        ({"timezone": "Mars/Olympus"}, ("timezone", "timezone")),
    ],
)
def test_schedule_session_with_bad_input_tells_the_field(
    owner: APIClient, cohort: Cohort, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert codes(owner.post("/v1/sessions", new_session(cohort, **changes))) == [expected]
    assert not CohortSession.objects.exists()


def test_a_session_of_an_unknown_cohort_is_not_found(owner: APIClient, cohort: Cohort) -> None:
    response = owner.post("/v1/sessions", new_session(cohort) | {"cohort": UNKNOWN})

    assert problem_of(response) == (404, "urn:assay:problem:not-found")


def test_the_sheet_is_written_line_by_line(
    owner: APIClient, cohort: Cohort, session: CohortSession
) -> None:
    ada, bea, _cleo = enroll_all(
        cohort=cohort, contacts=people("Ada", "Bea", "Cleo"), actor=None, at=NOON
    )
    before = owner.get(f"/v1/sessions/{session.id}/attendance")
    OutboxMessage.objects.all().delete()

    after = put(owner, session, line(ada, minutes=45), line(bea, "absent", note="Ill?"))

    assert sheet(before) == [("Ada", 0, None), ("Bea", 0, None), ("Cleo", 0, None)]
    assert sheet(after) == [("Ada", 1, "present"), ("Bea", 1, "absent"), ("Cleo", 0, None)]
    assert after.json()["rows"][0]["record"]["minutes"] == 45
    assert set(OutboxMessage.objects.values_list("topic", "key")) == {
        ("learner.advance", str(ada.id)),
        ("learner.advance", str(bea.id)),
    }


def test_a_race_of_two_writers_is_a_conflict_that_names_the_line(
    owner: APIClient, cohort: Cohort, session: CohortSession
) -> None:
    ada, bea = enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)
    put(owner, session, line(ada, "late"))

    second = put(owner, session, line(ada, "absent"), line(bea))

    assert problem_of(second) == (409, "urn:assay:problem:revision-conflict")
    assert second.json()["enrollments"] == [str(ada.id)]
    assert list(AttendanceRecord.objects.values_list("status", flat=True)) == ["late"]


def test_the_same_sheet_under_one_key_twice_is_one_revision(
    owner: APIClient, cohort: Cohort, session: CohortSession
) -> None:
    ada = enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)

    first, again = (
        put(owner, session, line(ada), headers={"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert AttendanceRecord.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": "asleep"}, "entries.0.status"),
        ({"minutes": -1}, "entries.0.minutes"),
        ({"minutes": 10**30}, None),
        ({"minutes": "long"}, "entries.0.minutes"),
        ({"revision": None}, "entries.0.revision"),
        ({"enrollment": "Ada"}, "entries.0.enrollment"),
        ({"method": "code"}, "entries.0.method"),
        ({"note": "x" * 2001}, "entries.0.note"),
        ({"colour": "red"}, "entries.0.colour"),
    ],
)
def test_attendance_with_bad_input_tells_the_field(
    owner: APIClient,
    cohort: Cohort,
    session: CohortSession,
    changes: dict[str, Any],
    field: str | None,
) -> None:
    ada = enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)

    response = put(owner, session, line(ada) | changes)

    if field is None:
        assert problem_of(response)[0] == 400
    else:
        assert field in [one for one, _code in codes(response)]
    assert not AttendanceRecord.objects.exists()


def test_attendance_of_who_never_took_part_is_not_found(
    owner: APIClient, session: CohortSession
) -> None:
    other = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    stranger = enroll(cohort=other, contact=person("Eve"), actor=None, at=NOON)

    assert problem_of(put(owner, session, line(stranger)))[0] == 404
    assert not AttendanceRecord.objects.exists()


def test_nobody_records_their_own_attendance(cohort: Cohort, session: CohortSession) -> None:
    tess = member(OrgRole.OWNER)
    own = enroll(cohort=cohort, contact=tess, actor=None, at=NOON)

    response = put(api(tess), session, line(own))

    assert problem_of(response) == (403, "urn:assay:problem:own-attendance")


def test_who_may_see_and_write_the_sheet(cohort: Cohort, session: CohortSession) -> None:
    ada = member()
    enrollment = enroll(cohort=cohort, contact=ada, actor=None, at=NOON)
    tess, other = member(OrgRole.INSTRUCTOR), member(OrgRole.INSTRUCTOR)
    add_staff(cohort=cohort, contact=tess, role="instructor", actor=None)
    callers = {
        "learner": api(ada),
        "instructor": api(tess),
        "other": api(other),
        "auditor": api(member(OrgRole.AUDITOR)),
        "stranger": api(),
    }

    found = {
        name: (
            client.get(f"/v1/sessions/{session.id}/attendance").status_code,
            put(client, session, line(enrollment)).status_code,
        )
        for name, client in callers.items()
    }

    assert found == {
        "learner": (403, 403),
        "instructor": (200, 200),
        "other": (404, 404),
        "auditor": (200, 403),
        "stranger": (401, 401),
    }


def test_a_learner_sees_the_sessions_and_attendance_that_concern_them(
    owner: APIClient, cohort: Cohort, session: CohortSession
) -> None:
    other = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    meeting(other)
    ada = member()
    mine = enroll(cohort=cohort, contact=ada, actor=None, at=NOON)
    bea = enroll(cohort=cohort, contact=person("Bea"), actor=None, at=NOON)
    put(owner, session, line(mine, "late"), line(bea))
    client = api(ada)

    sessions = client.get("/v1/sessions").json()["results"]
    records = client.get("/v1/attendance").json()["results"]

    assert [one["id"] for one in sessions] == [str(session.id)]
    assert [(one["enrollment"], one["status"]) for one in records] == [(str(mine.id), "late")]
    assert client.post(f"/v1/sessions/{session.id}/cancel").status_code == 403
    withdraw(enrollment=mine, actor=None, at=NOON)
    assert client.get("/v1/sessions").json()["results"] == []


def test_attendance_lists_what_was_said_last(
    owner: APIClient, cohort: Cohort, session: CohortSession
) -> None:
    ada = enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)
    put(owner, session, line(ada, "late"))
    put(owner, session, line(ada, "excused", revision=1))
    [listed] = owner.get(f"/v1/attendance?session={session.id}").json()["results"]
    first = AttendanceRecord.objects.get(revision=1)

    assert (listed["revision"], listed["status"]) == (2, "excused")
    assert owner.get(f"/v1/attendance/{first.id}").json()["status"] == "late"
    assert owner.get("/v1/attendance?status=late").json()["results"] == []


def test_the_sheet_takes_the_same_statements_for_2_and_20_learners(
    owner: APIClient, cohort: Cohort, session: CohortSession
) -> None:
    taken = []
    teacher = person("Teacher")
    for size in (2, 18):
        contacts = people(*(f"P{size}x{n}" for n in range(size)))
        enrollments = enroll_all(cohort=cohort, contacts=contacts, actor=None, at=NOON)
        record_attendance(
            session=session,
            entries=[AttendanceEntry(enrollment.id, "present") for enrollment in enrollments],
            recorded_by=teacher,
            at=NOON,
        )
        for _ in range(size):
            meeting(cohort)
        taken.append(
            [
                statements(owner, address)
                for address in (
                    f"/v1/sessions/{session.id}/attendance",
                    "/v1/sessions",
                    "/v1/attendance",
                )
            ]
        )

    assert taken[0] == taken[1]


def test_a_session_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = open_cohort(published_program(published_course("b"), slug="b"))
        session = meeting(theirs)
        enrollment = enroll(cohort=theirs, contact=person("Ada"), actor=None, at=NOON)
        [record] = record_attendance(
            session=session,
            entries=[AttendanceEntry(enrollment.id, "present")],
            recorded_by=person("Tess"),
            at=NOON,
        )
    owner = api(member(OrgRole.OWNER))
    address = f"/v1/sessions/{session.id}"

    answers = [
        owner.get(address),
        owner.post(f"{address}/cancel"),
        owner.post(f"{address}/reschedule"),
        owner.get(f"{address}/attendance"),
        put(owner, session, line(enrollment, "absent", revision=1)),
        owner.get(f"/v1/attendance/{record.id}"),
        owner.post("/v1/sessions", new_session(theirs)),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    with tenant_context(org_b):
        assert list(AttendanceRecord.objects.values_list("id", flat=True)) == [UUID(str(record.id))]
