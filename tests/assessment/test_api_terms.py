"""Windows and accommodations over /v1, and the services behind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.assessment.models import Accommodation, AssessmentWindow
from apps.assessment.services import grant_accommodation
from apps.cohorts.models import CohortStaff
from apps.cohorts.services import enroll
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import AdminAction
from apps.contacts.services import merge_contacts
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from tests.assessment.factories import Scene, cohort_with, learner_of, scene, staff_of
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON, person
from tests.factories import member, some_uuid
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def it() -> Scene:
    return scene(attempts_allowed=1, time_limit_seconds=600)


@pytest.fixture
def staff(it: Scene) -> APIClient:
    return api(staff_of(it.cohort))


def window(it: Scene, **fields: Any) -> dict[str, Any]:
    return {"cohort": str(it.cohort.id), "assessment": str(it.template.id), **fields}


def accommodation(it: Scene, **fields: Any) -> dict[str, Any]:
    body = {"contact": str(it.learner.id), "assessment": str(it.template.id), "reason": "Dyslexia."}
    return {**body, "time_multiplier": "1.5", **fields}


def errors(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def asked_to_look_again() -> set[str]:
    """Return the enrolments whose requirements are owed another look, and forget them."""
    owed = OutboxMessage.objects.filter(topic=ADVANCE)
    keys = set(owed.values_list("key", flat=True))
    owed.delete()
    return keys


def test_a_window_is_opened_changed_and_removed(it: Scene, staff: APIClient) -> None:
    created = staff.post("/v1/assessment-windows", window(it, opens_at="2026-01-05T09:00:00Z"))
    address = f"/v1/assessment-windows/{created.json()['id']}"
    changed = staff.patch(address, {"due_at": "2026-01-06T09:00:00Z"})
    again = staff.post("/v1/assessment-windows", window(it))
    removed = staff.delete(address)

    assert (created.status_code, changed.status_code) == (201, 200)
    assert changed.json() == {
        **created.json(),
        "due_at": "2026-01-06T09:00:00Z",
    }
    assert problem_of(again) == (409, "urn:assay:problem:window-exists")
    assert removed.status_code == 204
    assert not AssessmentWindow.objects.exists()
    assert list(
        AdminAction.objects.filter(action__startswith="assessment.")
        .order_by("recorded_at")
        .values_list("action", flat=True)
    ) == [
        "assessment.window_opened",
        "assessment.window_changed",
        "assessment.window_removed",
    ]


def test_a_window_that_is_not_open_refuses_a_start(it: Scene, staff: APIClient) -> None:
    opens = (now() + timedelta(days=1)).isoformat()
    staff.post("/v1/assessment-windows", window(it, opens_at=opens))

    response = api(it.learner).post(f"/v1/assessments/{it.template.id}/attempts")

    assert problem_of(response) == (409, "urn:assay:problem:not-open-yet")


def test_a_window_that_changes_the_attempts_lets_requirements_look_again(
    it: Scene, staff: APIClient
) -> None:
    asked_to_look_again()

    created = staff.post("/v1/assessment-windows", window(it, opens_at="2026-01-05T09:00:00Z"))
    by_time = asked_to_look_again()
    staff.patch(f"/v1/assessment-windows/{created.json()['id']}", {"attempts_allowed": 3})

    assert by_time == set()
    assert asked_to_look_again() == {str(it.enrollment.id)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"opens_at": "soon"}, [("opens_at", "invalid")]),
        ({"opens_at": 7}, [("opens_at", "invalid")]),
        (
            {"opens_at": "2026-01-05T09:00:00Z", "due_at": "2026-01-05T09:00:00Z"},
            [("due_at", "times-out-of-order")],
        ),
        (
            {
                "opens_at": "2026-01-05T09:00:00Z",
                "due_at": "2026-01-04T09:00:00Z",
                "closes_at": "2026-01-03T09:00:00Z",
            },
            [
                ("due_at", "times-out-of-order"),
                ("closes_at", "times-out-of-order"),
                ("closes_at", "times-out-of-order"),
            ],
        ),
        ({"attempts_allowed": 0}, [("attempts_allowed", "min-value")]),
        ({"attempts_allowed": 10**9}, [("attempts_allowed", "max-value")]),
        ({"time_limit_seconds": "long"}, [("time_limit_seconds", "invalid")]),
        ({"cohort": "x"}, [("cohort", "invalid")]),
        ({"assessment": None}, [("assessment", "null")]),
        ({"colour": "red"}, [("colour", "unknown")]),
    ],
)
def test_a_bad_window_tells_the_field(
    it: Scene, staff: APIClient, fields: dict[str, Any], expected: Any
) -> None:
    assert errors(staff.post("/v1/assessment-windows", window(it, **fields))) == expected
    assert not AssessmentWindow.objects.exists()


def test_a_window_stays_with_its_cohort(it: Scene, staff: APIClient) -> None:
    made = staff.post("/v1/assessment-windows", window(it)).json()

    moved = staff.patch(f"/v1/assessment-windows/{made['id']}", {"cohort": str(some_uuid())})

    assert errors(moved) == [("cohort", "fixed")]


def test_who_opens_windows(it: Scene) -> None:
    elsewhere = cohort_with(it.version, slug="autumn")
    clients = [
        api(it.learner),
        api(member(OrgRole.AUDITOR)),
        api(staff_of(elsewhere)),
        api(member(OrgRole.ADMIN)),
    ]

    statuses = [client.post("/v1/assessment-windows", window(it)).status_code for client in clients]

    assert statuses == [403, 403, 404, 201]
    made = AssessmentWindow.objects.get()
    assert clients[2].delete(f"/v1/assessment-windows/{made.id}").status_code == 404
    assert clients[1].delete(f"/v1/assessment-windows/{made.id}").status_code == 403
    assert clients[1].get("/v1/assessment-windows").json()["results"][0]["id"] == str(made.id)


def test_an_accommodation_stretches_the_next_attempt_and_adds_tries(
    it: Scene, staff: APIClient
) -> None:
    it.graded({})

    granted = staff.post("/v1/accommodations", accommodation(it, extra_attempts=1))
    started = api(it.learner).post(f"/v1/assessments/{it.template.id}/attempts")

    assert granted.status_code == 201, granted.json()
    assert started.status_code == 201, started.json()
    assert started.json()["policy"]["time_limit_seconds"] == {
        "value": 900,
        "source": "accommodation",
    }
    assert AdminAction.objects.filter(action="assessment.accommodation_granted").count() == 1


def test_an_accommodation_replaces_the_one_before_and_can_be_ended(
    it: Scene, staff: APIClient
) -> None:
    first = staff.post("/v1/accommodations", accommodation(it)).json()
    second = staff.post("/v1/accommodations", accommodation(it, time_multiplier="2")).json()
    asked_to_look_again()

    ended, again = (staff.post(f"/v1/accommodations/{second['id']}/end") for _ in range(2))

    assert staff.get(f"/v1/accommodations/{first['id']}").json()["ended_at"] is not None
    assert (ended.status_code, ended.json()) == (200, again.json())
    assert asked_to_look_again() == {str(it.enrollment.id)}
    assert staff.get("/v1/accommodations?is_standing=true").json()["results"] == []
    assert AdminAction.objects.filter(action="assessment.accommodation_ended").count() == 2


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"time_multiplier": "0.5"}, [("time_multiplier", "min-value")]),
        ({"time_multiplier": "11"}, [("time_multiplier", "max-value")]),
        ({"time_multiplier": "1.005"}, [("time_multiplier", "max-decimal-places")]),
        ({"time_multiplier": "1"}, [("time_multiplier", "nothing-granted")]),
        ({"extra_attempts": -1}, [("extra_attempts", "min-value")]),
        ({"extra_attempts": 10**12}, [("extra_attempts", "max-value")]),
        ({"reason": " "}, [("reason", "blank")]),
        ({"contact": "Ada"}, [("contact", "invalid")]),
        ({"granted_by": str(some_uuid()), "x": 1}, [("x", "unknown")]),
    ],
)
def test_a_bad_accommodation_tells_the_field(
    it: Scene, staff: APIClient, fields: dict[str, Any], expected: Any
) -> None:
    assert errors(staff.post("/v1/accommodations", accommodation(it, **fields))) == expected
    assert not Accommodation.objects.exists()


def test_unknown_people_and_assessments_are_not_found(it: Scene, staff: APIClient) -> None:
    for fields in ({"contact": str(some_uuid())}, {"assessment": str(some_uuid())}):
        assert staff.post("/v1/accommodations", accommodation(it, **fields)).status_code == 404


def test_nobody_grants_themselves_an_accommodation_under_any_alias(it: Scene) -> None:
    admin = member(OrgRole.ADMIN)
    old = person("Old")
    enroll(cohort=it.cohort, contact=old, actor=None, at=NOON)
    merge_contacts(source=old, into=admin, actor=None)
    client = api(admin)

    for contact in (admin, old):
        response = client.post("/v1/accommodations", accommodation(it, contact=str(contact.id)))
        assert problem_of(response) == (403, "urn:assay:problem:accommodation-for-oneself")


def test_who_grants_accommodations(it: Scene) -> None:
    elsewhere = cohort_with(it.version, slug="autumn")
    others = staff_of(elsewhere)
    statuses = [
        api(someone).post("/v1/accommodations", accommodation(it)).status_code
        for someone in (it.learner, member(OrgRole.AUDITOR), others, member(OrgRole.ADMIN))
    ]

    assert statuses == [403, 403, 403, 201]
    granted = Accommodation.objects.get()
    hidden = api(others)
    assert hidden.get(f"/v1/accommodations/{granted.id}").status_code == 404
    assert hidden.post(f"/v1/accommodations/{granted.id}/end").status_code == 404
    CohortStaff.objects.create(cohort=it.cohort, contact=others)
    assert api(others).get(f"/v1/accommodations/{granted.id}").status_code == 200


def test_terms_of_another_organisation_are_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = scene()
        opened = AssessmentWindow.objects.create(cohort=theirs.cohort, template=theirs.template)
    owner = api(member(OrgRole.OWNER))

    assert owner.get(f"/v1/assessment-windows/{opened.id}").status_code == 404
    assert owner.delete(f"/v1/assessment-windows/{opened.id}").status_code == 404
    assert owner.post("/v1/assessment-windows", window(theirs)).status_code == 404
    assert owner.post("/v1/accommodations", accommodation(theirs)).status_code == 404


def test_lists_take_the_same_statements_for_2_and_20_rows(it: Scene, staff: APIClient) -> None:
    taken = []
    for names in (["B0", "B1"], [f"C{number}" for number in range(18)]):
        for name in names:
            granted = accommodation(it, contact=str(learner_of(it.cohort, name).contact_id))
            assert staff.post("/v1/accommodations", granted).status_code == 201
        taken.append(statements(staff, "/v1/accommodations"))

    assert taken[0] == taken[1]


def test_a_grant_for_all_assessments_stands_beside_one_for_a_single_one(it: Scene) -> None:
    common: dict[str, Any] = {
        "contact": it.learner,
        "time_multiplier": 2,
        "extra_attempts": 0,
        "reason": "Broken arm.",
        "actor": it.grader,
        "at": NOON,
    }

    grant_accommodation(template=None, **common)
    grant_accommodation(template=it.template, **common)

    assert Accommodation.objects.filter(ended_at=None).count() == 2
