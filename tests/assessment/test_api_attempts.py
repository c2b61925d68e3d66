"""Taking an assessment over /v1: start, open, save, hand in, see the result."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.assessment.models import AssessmentAttempt, AssessmentResponse, AssessmentWindow
from apps.assessment.questions.items import JsonValue
from apps.assessment.services import decide_attempt_release, grade_attempt
from apps.assessment.vocabulary import ReleasePolicy
from apps.cohorts.services import enroll, withdraw
from apps.contacts.models import AdminAction
from apps.core.clock import now
from apps.core.ports import Gate
from apps.core.versions import retire
from apps.organizations.models import OrgRole
from tests.assessment.conftest import Unlock
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    Scene,
    cohort_with,
    learner_of,
    published_assessment,
    scene,
    staff_of,
)
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON, person
from tests.factories import member, some_uuid
from tests.outbox import drain

pytestmark = pytest.mark.django_db

UNKNOWN = "0a000000-0000-7000-8000-0000000000ff"


@pytest.fixture
def it() -> Scene:
    return scene()


@pytest.fixture
def ada(it: Scene) -> APIClient:
    return api(it.learner)


def start(client: APIClient, it: Scene, **body: Any) -> Any:
    return client.post(f"/v1/assessments/{it.template.id}/attempts", body)


def answer(client: APIClient, attempt: str, it: Scene, answers: dict[str, JsonValue]) -> Any:
    responses = [
        {"item": str(it.items[key].id), "value": value, "sequence": 1}
        for key, value in answers.items()
    ]
    return client.put(f"/v1/attempts/{attempt}/responses", {"responses": responses})


def handed_in(client: APIClient, it: Scene, answers: dict[str, JsonValue] = RIGHT) -> str:
    """Return the id of an attempt that was handed in over the API."""
    attempt: str = start(client, it).json()["id"]
    assert answer(client, attempt, it, answers).status_code == 200
    assert client.post(f"/v1/attempts/{attempt}/submit").status_code == 202
    return attempt


def test_start_answers_201_with_the_frozen_policy_and_200_while_it_is_open() -> None:
    it = scene(time_limit_seconds=600, attempts_allowed=2)
    ada = api(it.learner)

    first, again = start(ada, it), start(ada, it)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    body = first.json()
    assert {name: body[name] for name in ("assessment", "enrollment", "status", "attempt_no")} == {
        "assessment": str(it.template.id),
        "enrollment": str(it.enrollment.id),
        "status": "in_progress",
        "attempt_no": 1,
    }
    assert body["policy"]["time_limit_seconds"] == {"value": 600, "source": "version"}
    assert body["ends_at"] is not None


def test_start_under_one_key_again_answers_the_same(it: Scene, ada: APIClient) -> None:
    ada.credentials(**ada._credentials, HTTP_IDEMPOTENCY_KEY="once")

    first, again = start(ada, it), start(ada, it)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert AssessmentAttempt.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"enrollment": "seven"}, 422),
        ({"enrollment": 7}, 422),
        ({"enrollment": None}, 422),
        ({"enrollment": UNKNOWN}, 404),
        ({"colour": "red"}, 422),
        (["x"], 422),
        ("x", 422),
    ],
)
def test_start_with_a_bad_body_starts_nothing(
    it: Scene, ada: APIClient, body: Any, expected: int
) -> None:
    response = ada.post(f"/v1/assessments/{it.template.id}/attempts", body)

    assert response.status_code == expected
    assert not AssessmentAttempt.objects.exists()


def test_start_of_what_one_is_not_offered_is_not_found(it: Scene, ada: APIClient) -> None:
    other = published_assessment(slug="other").definition

    unknown = ada.post(f"/v1/assessments/{UNKNOWN}/attempts")
    hidden = ada.post(f"/v1/assessments/{other.id}/attempts")
    known = api(member(OrgRole.INSTRUCTOR)).post(f"/v1/assessments/{other.id}/attempts")

    assert (unknown.status_code, hidden.status_code) == (404, 404)
    assert problem_of(known) == (403, "urn:assay:problem:not-offered")


def test_start_under_somebody_elses_enrolment_is_not_found(it: Scene, ada: APIClient) -> None:
    other = learner_of(it.cohort, "Bo")

    assert start(ada, it, enrollment=str(other.id)).status_code == 404
    assert not AssessmentAttempt.objects.exists()


def test_start_with_several_enrolments_asks_which(it: Scene, ada: APIClient) -> None:
    second = cohort_with(it.version, slug="autumn")
    enrollment = enroll(cohort=second, contact=it.learner, actor=None, at=NOON)

    unsaid = start(ada, it)
    said = start(ada, it, enrollment=str(enrollment.id))

    assert problem_of(unsaid) == (409, "urn:assay:problem:several-enrollments")
    assert set(unsaid.json()["enrollments"]) == {str(it.enrollment.id), str(enrollment.id)}
    assert (said.status_code, said.json()["enrollment"]) == (201, str(enrollment.id))


def test_start_after_leaving_is_refused(it: Scene, ada: APIClient) -> None:
    withdraw(enrollment=it.enrollment, actor=None, at=NOON)

    assert problem_of(start(ada, it)) == (409, "urn:assay:problem:not-enrolled")


def test_start_of_a_locked_assessment_tells_why(it: Scene, ada: APIClient, gate: Unlock) -> None:
    gate(Gate(allowed=False, code="prerequisite", reason="Read the lesson first."))

    response = start(ada, it)

    assert problem_of(response) == (403, "urn:assay:problem:locked")
    assert (response.json()["detail"], response.json()["reason"]) == (
        "Read the lesson first.",
        "prerequisite",
    )


def test_start_without_attempts_left_is_refused() -> None:
    it = scene(attempts_allowed=1)
    ada = api(it.learner)
    handed_in(ada, it)

    assert problem_of(start(ada, it)) == (409, "urn:assay:problem:no-attempts-left")


def test_an_open_attempt_shows_the_paper_without_keys(it: Scene, ada: APIClient) -> None:
    attempt = start(ada, it).json()["id"]
    answer(ada, attempt, it, {"capital": "lyon", "pi": "three"})

    body = ada.get(f"/v1/attempts/{attempt}").json()

    items = {item["key"]: item for item in body["items"]}
    capital = items["capital"]
    assert sorted(option["key"] for option in capital.pop("options")) == ["lyon", "paris", "rome"]
    assert capital == {
        "id": str(it.items["capital"].id),
        "key": "capital",
        "kind": "multiple_choice",
        "title": "Capital",
        "prompt_markdown": "About capital?",
        "points": "2.0000",
        "maximum_characters": None,
        "guidance": "",
        "value": "lyon",
        "invalid_value": None,
        "fault": "",
        "sequence": 1,
    }
    assert (items["pi"]["value"], items["pi"]["invalid_value"]) == (None, "three")
    assert (body["is_open"], body["result"], body["feedback"], body["events"]) == (
        True,
        None,
        [],
        None,
    )
    assert "fraction" not in str(body)
    assert "That is Italy" not in str(body)


def test_the_graded_attempt_shows_result_and_feedback(it: Scene, ada: APIClient) -> None:
    attempt = handed_in(ada, it, {**RIGHT, "capital": "rome"})
    drain("assessment.grade")

    body = ada.get(f"/v1/attempts/{attempt}").json()

    feedback = {one["item"]: one for one in body["feedback"]}
    assert (body["status"], body["is_open"]) == ("graded", False)
    assert (body["result"]["score"], body["result"]["percent"], body["result"]["passed"]) == (
        "4.000000",
        "66.6700",
        True,
    )
    assert feedback[str(it.items["capital"].id)] == {
        "item": str(it.items["capital"].id),
        "score": "0.000000",
        "max_score": "2.0000",
        "remarks": ["That is Italy."],
        "feedback": "",
        "rubric_levels": [],
    }
    assert body["events"] is None


def test_a_result_is_hidden_until_it_is_released() -> None:
    it = scene(release_policy=ReleasePolicy.MANUAL)
    ada = api(it.learner)
    attempt = handed_in(ada, it)
    drain("assessment.grade")

    before = ada.get(f"/v1/attempts/{attempt}").json()
    decide_attempt_release(
        attempt=AssessmentAttempt.objects.get(), is_released=True, actor=it.grader
    )
    after = ada.get(f"/v1/attempts/{attempt}").json()

    assert (before["status"], before["result"], before["feedback"]) == ("graded", None, [])
    assert (after["result"]["percent"], len(after["feedback"])) == ("100.0000", 4)


def test_staff_see_result_and_events_before_the_release() -> None:
    it = scene(WITH_ESSAY, release_policy=ReleasePolicy.MANUAL)
    attempt = handed_in(api(it.learner), it, {**RIGHT, "causes": "Rain."})
    drain("assessment.grade")

    body = api(staff_of(it.cohort)).get(f"/v1/attempts/{attempt}").json()

    assert (body["status"], body["result"]["is_final"]) == ("submitted", False)
    assert [(event["kind"], event["revision"]) for event in body["events"]] == [("auto", 1)] * 4
    assert {one["item"]: one["score"] for one in body["feedback"]}[
        str(it.items["causes"].id)
    ] is None


def test_an_instructor_sees_their_own_attempt_as_a_learner_does() -> None:
    it = scene(release_policy=ReleasePolicy.MANUAL)
    teacher = staff_of(it.cohort)
    enroll(cohort=it.cohort, contact=teacher, actor=None, at=NOON)
    client = api(teacher)
    attempt = handed_in(client, it)
    drain("assessment.grade")

    body = client.get(f"/v1/attempts/{attempt}").json()

    assert (body["result"], body["events"]) == (None, None)


def test_a_voided_attempt_shows_its_learner_no_result(it: Scene, ada: APIClient) -> None:
    attempt = handed_in(ada, it)
    drain("assessment.grade")
    staff = api(staff_of(it.cohort))

    voided = staff.post(f"/v1/attempts/{attempt}/void", {"reason": "Copied."})

    assert (voided.status_code, voided.json()["status"]) == (200, "void")
    assert ada.get(f"/v1/attempts/{attempt}").json()["result"] is None
    assert staff.get(f"/v1/attempts/{attempt}").json()["result"]["is_void"] is True
    assert AdminAction.objects.get(action="assessment.attempt_voided").details == {
        "reason": "Copied."
    }


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 3, "x": 1}])
def test_void_needs_a_reason(it: Scene, ada: APIClient, body: dict[str, Any]) -> None:
    attempt = handed_in(ada, it)

    response = api(staff_of(it.cohort)).post(f"/v1/attempts/{attempt}/void", body)

    assert response.status_code == 422
    assert AssessmentAttempt.objects.get().status == "submitted"


def test_who_may_void(it: Scene, ada: APIClient) -> None:
    attempt = handed_in(ada, it)
    address, body = f"/v1/attempts/{attempt}/void", {"reason": "Copied."}
    other_cohort = cohort_with(it.version, slug="autumn")

    refused = {
        "the learner": ada.post(address, body).status_code,
        "another learner": api(person("Bo")).post(address, body).status_code,
        "staff elsewhere": api(staff_of(other_cohort)).post(address, body).status_code,
        "auditor": api(member(OrgRole.AUDITOR)).post(address, body).status_code,
        "a stranger": api().post(address, body).status_code,
    }

    assert refused == {
        "the learner": 403,
        "another learner": 404,
        "staff elsewhere": 404,
        "auditor": 403,
        "a stranger": 401,
    }
    assert AssessmentAttempt.objects.get().status == "submitted"


def test_nobody_voids_their_own_attempt(it: Scene) -> None:
    admin = member(OrgRole.ADMIN)
    enroll(cohort=it.cohort, contact=admin, actor=None, at=NOON)
    client = api(admin)
    attempt = handed_in(client, it)

    response = client.post(f"/v1/attempts/{attempt}/void", {"reason": "Bad day."})

    assert problem_of(response) == (403, "urn:assay:problem:own-work")


def test_submit_again_answers_the_same(it: Scene, ada: APIClient) -> None:
    attempt = handed_in(ada, it)

    again = ada.post(f"/v1/attempts/{attempt}/submit")

    assert (again.status_code, again.json()["status"]) == (202, "submitted")
    assert again.json()["submitted_at"] is not None


def test_submit_by_others_is_refused(it: Scene, ada: APIClient) -> None:
    attempt = start(ada, it).json()["id"]
    address = f"/v1/attempts/{attempt}/submit"

    assert api(person("Bo")).post(address).status_code == 404
    assert problem_of(api(staff_of(it.cohort)).post(address)) == (
        403,
        "urn:assay:problem:not-the-learner",
    )
    assert AssessmentAttempt.objects.get().status == "in_progress"


def test_the_attempt_of_another_learner_is_not_found(it: Scene, ada: APIClient) -> None:
    attempt = start(ada, it).json()["id"]
    bo = api(learner_of(it.cohort, "Bo").contact)
    item = it.items["pi"].id
    save = {"value": "3", "sequence": 1}

    found = [
        bo.get(f"/v1/attempts/{attempt}"),
        bo.put(f"/v1/attempts/{attempt}/responses/{item}", save),
        bo.put(f"/v1/attempts/{attempt}/responses", {"responses": [{"item": str(item), **save}]}),
        bo.post(f"/v1/attempts/{attempt}/submit"),
        bo.get(f"/v1/attempts/{some_uuid()}"),
    ]

    assert [response.status_code for response in found] == [404] * 5
    assert not AssessmentResponse.objects.exists()


def test_staff_do_not_answer_for_a_learner(it: Scene, ada: APIClient) -> None:
    attempt = start(ada, it).json()["id"]

    response = answer(api(staff_of(it.cohort)), attempt, it, {"pi": "3.14"})

    assert response.status_code == 404
    assert not AssessmentResponse.objects.exists()


def test_the_list_shows_ones_own_attempts_and_staff_those_of_their_cohorts(it: Scene) -> None:
    bo = learner_of(it.cohort, "Bo")
    elsewhere = cohort_with(it.version, slug="autumn")
    cy = learner_of(elsewhere, "Cy")
    attempts = {
        one.contact.display_name: start(api(one.contact), it).json()["id"]
        for one in (it.enrollment, bo, cy)
    }

    def listed(client: APIClient, query: str = "") -> set[str]:
        rows = client.get(f"/v1/attempts{query}").json()["results"]
        return {name for name, attempt in attempts.items() if attempt in {r["id"] for r in rows}}

    assert listed(api(it.learner)) == {"Ada"}
    assert listed(api(staff_of(it.cohort))) == {"Ada", "Bo"}
    assert listed(api(member(OrgRole.AUDITOR))) == {"Ada", "Bo", "Cy"}
    assert listed(api(member(OrgRole.OWNER)), f"?cohort={elsewhere.id}") == {"Cy"}
    assert listed(api(member(OrgRole.OWNER)), f"?contact={bo.contact_id}") == {"Bo"}
    assert listed(api(member(OrgRole.OWNER)), "?status=submitted") == set()
    assert listed(api(person("Di"))) == set()


def test_a_token_without_the_scope_sees_no_other_peoples_attempts(it: Scene) -> None:
    start(api(it.learner), it)
    owner = api(member(OrgRole.OWNER), scopes=("author_content",))

    assert owner.get("/v1/attempts").json()["results"] == []


def test_an_attempt_whose_version_was_retired_goes_on(it: Scene, ada: APIClient) -> None:
    attempt = start(ada, it).json()["id"]
    retire(version=it.version, actor=None, at=NOON)

    assert answer(ada, attempt, it, RIGHT).status_code == 200
    assert ada.post(f"/v1/attempts/{attempt}/submit").status_code == 202
    grade_attempt(AssessmentAttempt.objects.get().id, at=now())
    assert ada.get(f"/v1/attempts/{attempt}").json()["result"]["passed"] is True


def test_an_attempt_from_a_window_alone_takes_the_latest_version(it: Scene, ada: APIClient) -> None:
    extra = published_assessment(slug="extra")
    AssessmentWindow.objects.create(cohort=it.cohort, template=extra.definition)

    response = ada.post(f"/v1/assessments/{extra.definition_id}/attempts")

    assert (response.status_code, response.json()["version"]) == (201, str(extra.id))
