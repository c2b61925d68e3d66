"""Results, releases and the gradebook over /v1."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.assessment.models import AssessmentAttempt, ResultRelease
from apps.assessment.services import void_attempt
from apps.assessment.vocabulary import ReleasePolicy
from apps.contacts.models import AdminAction
from apps.core.clock import now
from apps.organizations.models import OrgRole
from tests.assessment.factories import (
    RIGHT,
    WRONG,
    Scene,
    cohort_with,
    learner_of,
    scene,
    staff_of,
)
from tests.clients import api, problem_of
from tests.factories import member, some_uuid
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db


def another(it: Scene, name: str) -> Scene:
    return Scene(it.version, it.cohort, learner_of(it.cohort, name), it.grader, it.items)


def percents(client: APIClient, query: str = "") -> dict[str, str]:
    """Return contact -> percent of the results that the caller sees."""
    response = client.get(f"/v1/results{query}")
    assert response.status_code == 200, response.json()
    return {row["contact"]: row["percent"] for row in response.json()["results"]}


def test_results_are_narrowed_and_a_learner_sees_their_released_ones() -> None:
    it = scene()
    bo = another(it, "Bo")
    elsewhere = cohort_with(it.version, slug="autumn")
    cy = Scene(it.version, elsewhere, learner_of(elsewhere, "Cy"), it.grader, it.items)
    it.graded(RIGHT)
    bo.graded(WRONG)
    cy.graded(WRONG)

    ada_id, bo_id, cy_id = (str(one.learner.id) for one in (it, bo, cy))
    everything = {ada_id: "100.0000", bo_id: "0.0000", cy_id: "0.0000"}
    assert percents(api(it.learner)) == {ada_id: "100.0000"}
    assert percents(api(staff_of(it.cohort))) == {ada_id: "100.0000", bo_id: "0.0000"}
    assert percents(api(member(OrgRole.AUDITOR))) == everything
    assert percents(api(member(OrgRole.OWNER)), "?passed=true") == {ada_id: "100.0000"}
    assert percents(api(member(OrgRole.OWNER)), f"?cohort={elsewhere.id}") == {cy_id: "0.0000"}


def test_a_result_is_not_listed_before_its_release_nor_once_void() -> None:
    it = scene(release_policy=ReleasePolicy.MANUAL)
    attempt = it.graded(RIGHT)
    ada, staff = api(it.learner), api(staff_of(it.cohort))
    [result] = staff.get("/v1/results").json()["results"]

    held = percents(ada), ada.get(f"/v1/results/{result['id']}").status_code
    body = {"attempt": str(attempt.id), "is_released": True, "reason": "Checked."}
    released = staff.post("/v1/result-releases", body)
    shown = percents(ada), ada.get(f"/v1/results/{result['id']}").status_code
    void_attempt(attempt_id=attempt.id, actor=it.grader, reason="Copied.", at=now())

    assert held == ({}, 404)
    assert (released.status_code, released.json()["is_released"]) == (201, True)
    assert shown == ({str(it.learner.id): "100.0000"}, 200)
    assert percents(ada) == {}
    assert [row["is_void"] for row in staff.get("/v1/results").json()["results"]] == [True]


def test_a_cohorts_results_are_released_and_held() -> None:
    it = scene(release_policy=ReleasePolicy.MANUAL)
    it.graded(RIGHT)
    ada, staff = api(it.learner), api(staff_of(it.cohort))
    body = {"assessment": str(it.template.id), "cohort": str(it.cohort.id), "is_released": True}

    staff.post("/v1/result-releases", body)
    released = percents(ada)
    staff.post("/v1/result-releases", {**body, "is_released": False, "reason": "A complaint."})

    assert (released, percents(ada)) == ({str(it.learner.id): "100.0000"}, {})
    assert [row["reason"] for row in staff.get("/v1/result-releases").json()["results"]] == [
        "A complaint.",
        "",
    ]
    assert set(AdminAction.objects.values_list("action", flat=True)) >= {
        "assessment.results_released",
        "assessment.results_held",
    }


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"cohort": None}, 422),
        ({"assessment": "x"}, 422),
        ({"attempt": "{attempt}"}, 422),
        ({"is_released": "perhaps"}, 422),
        ({"reason": "x" * 2_001}, 422),
        ({"colour": 1}, 422),
        ({"cohort": str(some_uuid())}, 404),
        ({"assessment": str(some_uuid())}, 404),
        ({"assessment": None, "cohort": None, "attempt": str(some_uuid())}, 404),
    ],
)
def test_a_bad_release_decides_nothing(changes: dict[str, Any], status: int) -> None:
    it = scene()
    attempt = it.graded(RIGHT)
    body = {
        "assessment": str(it.template.id),
        "cohort": str(it.cohort.id),
        "is_released": True,
        **{key: str(attempt.id) if v == "{attempt}" else v for key, v in changes.items()},
    }
    sent = {key: value for key, value in body.items() if value is not None or key == "cohort"}

    response = api(staff_of(it.cohort)).post("/v1/result-releases", sent)

    assert response.status_code == status, response.json()
    assert not ResultRelease.objects.exists()


def test_who_may_release() -> None:
    it = scene()
    it.graded(RIGHT)
    elsewhere = cohort_with(it.version, slug="autumn")
    body = {"assessment": str(it.template.id), "cohort": str(it.cohort.id), "is_released": True}
    clients = [
        api(it.learner),
        api(member(OrgRole.AUDITOR)),
        api(staff_of(elsewhere)),
        api(member(OrgRole.ADMIN)),
    ]

    statuses = [client.post("/v1/result-releases", body).status_code for client in clients]

    assert statuses == [403, 403, 404, 201]


def test_the_gradebook_shows_everybody_by_assessment() -> None:
    it = scene()
    bo = another(it, "Bo")
    it.graded(RIGHT)
    bo.start()

    body = api(staff_of(it.cohort)).get(f"/v1/cohorts/{it.cohort.id}/gradebook").json()

    assert body["columns"] == [{"assessment": str(it.template.id), "title": "Quiz"}]
    assert [
        (
            row["name"],
            row["cells"][0]["attempts"],
            row["cells"][0]["in_progress"],
            (row["cells"][0]["result"] or {}).get("percent"),
        )
        for row in body["rows"]
    ] == [("Ada", 1, False, "100.0000"), ("Bo", 1, True, None)]


def test_who_sees_the_gradebook() -> None:
    it = scene()
    elsewhere = cohort_with(it.version, slug="autumn")
    clients = [
        api(it.learner),
        api(staff_of(elsewhere)),
        api(member(OrgRole.AUDITOR)),
        api(staff_of(it.cohort)),
    ]

    statuses = [
        client.get(f"/v1/cohorts/{it.cohort.id}/gradebook").status_code for client in clients
    ]

    assert statuses == [403, 404, 200, 200]
    unknown = api(member(OrgRole.OWNER)).get(f"/v1/cohorts/{some_uuid()}/gradebook")
    assert problem_of(unknown) == (404, "urn:assay:problem:not-found")


@pytest.mark.parametrize("address", ["/v1/attempts", "/v1/results", "/v1/cohorts/{}/gradebook"])
@pytest.mark.parametrize("by", ["owner", "staff"])
def test_lists_take_the_same_statements_for_2_and_20_learners(address: str, by: str) -> None:
    it = scene()
    client = api(member(OrgRole.OWNER) if by == "owner" else staff_of(it.cohort))
    taken = []
    for names in (["B0", "B1"], [f"C{number}" for number in range(18)]):
        for name in names:
            another(it, name).graded(RIGHT)
        taken.append(statements(client, address.format(it.cohort.id)))

    assert AssessmentAttempt.objects.count() == 20
    assert taken[0] == taken[1]


@pytest.mark.parametrize("address", ["/v1/attempts", "/v1/results"])
def test_a_learners_lists_take_the_same_statements_for_2_and_8_attempts(address: str) -> None:
    it = scene()
    client = api(it.learner)
    taken = []
    for attempts in (2, 6):
        for _ in range(attempts):
            it.graded(RIGHT)
        taken.append(statements(client, address))

    assert taken[0] == taken[1]
