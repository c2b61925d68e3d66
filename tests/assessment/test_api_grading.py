"""The grading queue over /v1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.assessment.models import AssessmentAttempt, GradingEvent, GradingTask
from apps.assessment.services import record_grade
from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.core.clock import now
from apps.organizations.models import OrgRole
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    Scene,
    cohort_with,
    learner_of,
    result_of,
    scene,
    staff_of,
)
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON
from tests.factories import member, some_uuid
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db

ANSWERS = {**RIGHT, "causes": "Rain and wind."}
GOOD = [
    {"criterion": "clarity", "level": "clarity-good", "comment": "Clear."},
    {"criterion": "depth", "level": "depth-poor"},
]


@pytest.fixture
def it() -> Scene:
    return scene(WITH_ESSAY)


@pytest.fixture
def grace(it: Scene) -> Contact:
    return staff_of(it.cohort, name="Grace H")


@pytest.fixture
def grader(grace: Contact) -> APIClient:
    return api(grace)


def another(it: Scene, name: str) -> Scene:
    return Scene(it.version, it.cohort, learner_of(it.cohort, name), it.grader, it.items)


def task_of(attempt: AssessmentAttempt) -> GradingTask:
    return attempt.grading_tasks.get()


def listed(client: APIClient, query: str = "") -> list[str]:
    response = client.get(f"/v1/grading-tasks{query}")
    assert response.status_code == 200, response.json()
    return [row["contact_name"] for row in response.json()["results"]]


def test_the_queue_shows_the_oldest_first_and_is_filtered(it: Scene, grader: APIClient) -> None:
    tasks = [task_of(one.graded(ANSWERS)) for one in (it, another(it, "Bo"))]

    assert listed(grader) == ["Ada", "Bo"]
    assert listed(grader, f"?assessment={it.template.id}&state=open") == ["Ada", "Bo"]
    assert listed(grader, f"?cohort={some_uuid()}") == []
    assert listed(grader, f"?attempt={tasks[1].attempt_id}") == ["Bo"]


def test_the_queue_is_narrowed_to_ones_cohorts_and_never_shows_ones_own_work(it: Scene) -> None:
    elsewhere = cohort_with(it.version, slug="autumn")
    teacher = staff_of(it.cohort)
    own = enroll(cohort=it.cohort, contact=teacher, actor=None, at=NOON)
    for enrollment in (it.enrollment, own, learner_of(elsewhere, "Cy")):
        Scene(it.version, enrollment.cohort, enrollment, it.grader, it.items).graded(ANSWERS)

    assert listed(api(teacher)) == ["Ada"]
    assert listed(api(staff_of(elsewhere))) == ["Cy"]
    assert len(listed(api(member(OrgRole.AUDITOR)))) == 3
    assert api(it.learner).get("/v1/grading-tasks").status_code == 403


def test_a_task_shows_the_answer_beside_its_rubric(it: Scene, grader: APIClient) -> None:
    task = task_of(it.graded(ANSWERS))

    sheet = grader.get(f"/v1/grading-tasks/{task.id}").json()

    assert {name: sheet[name] for name in ("kind", "value", "max_score", "revision", "events")} == {
        "kind": "essay",
        "value": "Rain and wind.",
        "max_score": "4.0000",
        "revision": 0,
        "events": [],
    }
    assert [
        (criterion["key"], [(level["key"], level["points"]) for level in criterion["levels"]])
        for criterion in sheet["rubric"]["criteria"]
    ] == [
        ("clarity", [("clarity-poor", "0.0000"), ("clarity-good", "2.0000")]),
        ("depth", [("depth-poor", "0.0000"), ("depth-good", "2.0000")]),
    ]


def test_next_leases_and_is_done_when_nothing_is_left(
    it: Scene, grader: APIClient, grace: Contact
) -> None:
    task = task_of(it.graded(ANSWERS))

    sheet = grader.post("/v1/grading-tasks/next", {"assessment": str(it.template.id)})
    others = api(staff_of(it.cohort)).post("/v1/grading-tasks/next", {})
    mine_again = grader.post("/v1/grading-tasks/next", {"cohort": str(it.cohort.id)})
    elsewhere = grader.post("/v1/grading-tasks/next", {"cohort": str(some_uuid())})

    assert (sheet.status_code, sheet.json()["id"]) == (200, str(task.id))
    assert sheet.json()["task"]["leased_by"] == str(grace.id)
    assert (others.status_code, mine_again.status_code, elsewhere.status_code) == (204, 200, 204)


@pytest.mark.parametrize("body", [{"cohort": "x"}, {"colour": 1}, [1], {"item": None}])
def test_next_with_a_bad_body_is_refused(grader: APIClient, body: Any) -> None:
    assert grader.post("/v1/grading-tasks/next", body).status_code == 422


def test_lease_and_release(it: Scene, grader: APIClient, grace: Contact) -> None:
    address = f"/v1/grading-tasks/{task_of(it.graded(ANSWERS)).id}"
    other = api(staff_of(it.cohort))

    leased = grader.post(f"{address}/lease").json()
    refused = other.post(f"{address}/lease")
    not_theirs = other.post(f"{address}/release").json()
    released = grader.post(f"{address}/release").json()

    assert leased["leased_by"] == not_theirs["leased_by"] == str(grace.id)
    assert problem_of(refused) == (409, "urn:assay:problem:lease-lost")
    assert (released["leased_by"], released["leased_until"]) == (None, None)


def test_grade_by_rubric_closes_the_task_and_settles_the_result(
    it: Scene, grader: APIClient, grace: Contact
) -> None:
    attempt = it.graded(ANSWERS)
    task = task_of(attempt)

    response = grader.post(
        f"/v1/grading-tasks/{task.id}/grade",
        {"expected_revision": 0, "levels": GOOD, "feedback": "Go deeper."},
    )

    assert response.status_code == 200, response.json()
    assert (response.json()["score"], response.json()["is_final"]) == ("8.000000", True)
    task.refresh_from_db()
    event = GradingEvent.objects.get(item=task.item)
    assert (task.state, event.kind, event.score, event.grader) == (
        "done",
        "rubric",
        Decimal(2),
        grace,
    )
    learner = api(it.learner).get(f"/v1/attempts/{attempt.id}").json()
    essay = next(one for one in learner["feedback"] if one["item"] == str(task.item_id))
    assert (essay["feedback"], essay["rubric_levels"][0]["comment"]) == ("Go deeper.", "Clear.")


def test_grade_again_needs_the_newest_revision_and_a_reason(it: Scene, grader: APIClient) -> None:
    attempt = it.graded(ANSWERS)
    address = f"/v1/grading-tasks/{task_of(attempt).id}/grade"
    grader.post(address, {"expected_revision": 0, "score": "1"})

    stale = grader.post(address, {"expected_revision": 0, "score": "4"})
    silent = grader.post(address, {"expected_revision": 1, "score": "4"})
    told = grader.post(address, {"expected_revision": 1, "score": "4", "reason": "Misread."})

    assert problem_of(stale) == (409, "urn:assay:problem:revision-conflict")
    assert stale.json()["expected_revision"] == 0
    assert problem_of(silent) == (422, "urn:assay:problem:reason-missing")
    assert (told.status_code, result_of(attempt).score) == (200, Decimal(10))


def test_grade_under_one_key_again_is_one_event(it: Scene, grader: APIClient) -> None:
    address = f"/v1/grading-tasks/{task_of(it.graded(ANSWERS)).id}/grade"
    body = {"expected_revision": 0, "score": "1"}

    first, again = (grader.post(address, body, headers={"Idempotency-Key": "g"}) for _ in range(2))

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert GradingEvent.objects.filter(kind="manual").count() == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"score": None}, "score"),
        ({"score": "much"}, "score"),
        ({"score": True}, "score"),
        ({"score": "NaN"}, "score"),
        ({"score": "Infinity"}, "score"),
        ({"score": "1" * 40}, "score"),
        ({"score": "1.0000001"}, "score"),
        ({"score": "-1"}, "score"),
        ({"score": "4.01"}, "score"),
        ({"expected_revision": -1}, "expected_revision"),
        ({"expected_revision": 2**31}, "expected_revision"),
        ({"expected_revision": "one"}, "expected_revision"),
        ({"expected_revision": None}, "expected_revision"),
        ({"levels": GOOD}, ""),
        ({"feedback": ["x"]}, "feedback"),
        ({"feedback": "x" * 20_001}, "feedback"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_grade_with_bad_input_tells_the_field_and_grades_nothing(
    it: Scene, grader: APIClient, changes: dict[str, Any], expected: str
) -> None:
    address = f"/v1/grading-tasks/{task_of(it.graded(ANSWERS)).id}/grade"

    response = grader.post(address, {"expected_revision": 0, "score": "1", **changes})

    assert response.status_code == 422, response.json()
    assert [error["field"] for error in response.json()["errors"]] == [expected]
    assert not GradingEvent.objects.filter(kind="manual").exists()


@pytest.mark.parametrize(
    ("levels", "fields"),
    [
        (GOOD[:1], ["depth"]),
        ([*GOOD, GOOD[0]], ["levels"]),
        ([*GOOD, {"criterion": "style", "level": "x"}], ["style"]),
        ([GOOD[0], {"criterion": "depth", "level": "superb"}], ["depth"]),
        ([{"criterion": "clarity"}], ["levels.0.level"]),
        ("good", ["levels"]),
    ],
)
def test_grade_by_levels_that_do_not_fit_is_refused(
    it: Scene, grader: APIClient, levels: Any, fields: list[str]
) -> None:
    address = f"/v1/grading-tasks/{task_of(it.graded(ANSWERS)).id}/grade"

    response = grader.post(address, {"expected_revision": 0, "levels": levels})

    assert response.status_code == 422, response.json()
    assert [error["field"] for error in response.json()["errors"]] == fields


def test_nobody_grades_their_own_work(it: Scene) -> None:
    teacher = staff_of(it.cohort)
    own = enroll(cohort=it.cohort, contact=teacher, actor=None, at=NOON)
    attempt = Scene(it.version, it.cohort, own, it.grader, it.items).graded(ANSWERS)
    task, client = task_of(attempt), api(teacher)
    grade = {"expected_revision": 0, "score": "4"}
    item = {**grade, "item": str(task.item_id)}

    refusals = [
        client.post(f"/v1/grading-tasks/{task.id}/grade", grade),
        client.post(f"/v1/grading-tasks/{task.id}/lease"),
        client.post(f"/v1/attempts/{attempt.id}/grade", item),
        client.post(
            f"/v1/attempts/{attempt.id}/override", {**grade, "score": "9", "reason": "Mine."}
        ),
    ]

    assert [problem_of(refusal) for refusal in refusals] == [
        (403, "urn:assay:problem:own-work")
    ] * 4
    assert client.get(f"/v1/grading-tasks/{task.id}").status_code == 404
    assert not GradingEvent.objects.filter(grader=teacher).exists()


def test_who_may_grade(it: Scene) -> None:
    task = task_of(it.graded(ANSWERS))
    elsewhere = cohort_with(it.version, slug="autumn")
    body = {"expected_revision": 0, "score": "4"}

    def status(client: APIClient) -> int:
        code: int = client.post(f"/v1/grading-tasks/{task.id}/grade", body).status_code
        return code

    assert {
        "learner": status(api(it.learner)),
        "auditor": status(api(member(OrgRole.AUDITOR))),
        "staff elsewhere": status(api(staff_of(elsewhere))),
        "a token for content": status(api(staff_of(it.cohort), scopes=("author_content",))),
        "a stranger": status(api()),
        "an owner": status(api(member(OrgRole.OWNER))),
    } == {
        "learner": 403,
        "auditor": 403,
        "staff elsewhere": 404,
        "a token for content": 403,
        "a stranger": 401,
        "an owner": 200,
    }


def test_an_item_that_the_engine_scored_is_graded_by_a_person(it: Scene, grader: APIClient) -> None:
    attempt = it.graded({**ANSWERS, "pi": "3"})
    body = {"item": str(it.items["pi"].id), "score": "1", "expected_revision": 1}

    response = grader.post(f"/v1/attempts/{attempt.id}/grade", body)

    assert response.status_code == 200, response.json()
    assert GradingEvent.objects.filter(item=it.items["pi"]).count() == 2
    unknown = grader.post(f"/v1/attempts/{attempt.id}/grade", {**body, "item": str(some_uuid())})
    assert problem_of(unknown) == (404, "urn:assay:problem:no-such-item")


def test_override_and_its_withdrawal(it: Scene, grader: APIClient) -> None:
    attempt = it.graded(ANSWERS)
    record_grade(
        attempt_id=attempt.id,
        item_id=it.items["causes"].id,
        grader=it.grader,
        score=Decimal(1),
        expected_revision=0,
        at=now(),
    )
    address = f"/v1/attempts/{attempt.id}"
    body = {"score": "9", "reason": "Board.", "expected_revision": 0}

    overridden = grader.post(f"{address}/override", body)
    stale = grader.post(f"{address}/override", body)
    withdrawn = grader.post(
        f"{address}/withdraw-override", {"reason": "Error.", "expected_revision": 1}
    )

    assert (overridden.json()["override"], overridden.json()["score"]) == ("9.000000", "9.000000")
    assert problem_of(stale)[0] == 409
    assert (withdrawn.json()["override"], withdrawn.json()["score"]) == (None, "7.000000")


def test_the_queue_takes_the_same_statements_for_2_and_20_tasks(
    it: Scene, grader: APIClient
) -> None:
    taken = []
    for names in (["B0", "B1"], [f"C{number}" for number in range(18)]):
        for name in names:
            another(it, name).graded(ANSWERS)
        taken.append(statements(grader, "/v1/grading-tasks"))

    assert len(listed(grader)) == 20
    assert taken[0] == taken[1]


def test_a_page_of_the_queue_goes_on_where_the_last_ended(it: Scene, grader: APIClient) -> None:
    for name in ("Bo", "Cy", "Di"):
        another(it, name).graded(ANSWERS)

    first = grader.get("/v1/grading-tasks?page_size=2").json()
    second = grader.get(first["next"]).json()

    assert [row["contact_name"] for row in (*first["results"], *second["results"])] == [
        "Bo",
        "Cy",
        "Di",
    ]
