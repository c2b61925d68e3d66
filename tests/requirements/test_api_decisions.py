"""Evaluations with their evidence, and assignments, under /v1."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from rest_framework.test import APIClient

from apps.contacts.models import AdminAction
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.tenancy import tenant_context
from apps.core.versions import new_draft, publish
from apps.organizations.models import Organization, OrgRole
from apps.requirements.models import RequirementAssignment, RequirementSetVersion
from apps.requirements.services import evaluate_enrollment, sign_off, withdraw_sign_off
from tests.assessment.factories import RIGHT, result_of
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON
from tests.factories import member
from tests.programs.factories import AUTHORED, published_course, published_program
from tests.programs.statements import statements
from tests.requirements.factories import DAY, draw, evaluation_of, published_set
from tests.requirements.graphs import signoff
from tests.requirements.worlds import UNKNOWN, World, instructor_of, world

pytestmark = pytest.mark.django_db

EVALUATIONS = "/v1/requirements/evaluations"
ASSIGNMENTS = "/v1/requirements/assignments"


@pytest.fixture
def here() -> World:
    return world()


@pytest.fixture
def owner() -> APIClient:
    return api(member(OrgRole.OWNER))


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def ids(response: Any) -> set[str]:
    assert response.status_code == 200, response.json()
    return {row["id"] for row in response.json()["results"]}


def certified(here: World) -> None:
    """Let the learner meet everything, and record it."""
    here.stage.graded(RIGHT)
    sign_off(
        enrollment=here.enrollment,
        node=here.node(),
        actor=here.stage.grader,
        at=NOON,
        reason="Seen",
    )
    here.evaluate(NOON + DAY)


def test_evaluation_tells_its_evidence_down_to_the_rows(here: World, owner: APIClient) -> None:
    certified(here)
    root, quiz, lab = (evaluation_of(here.enrollment, key) for key in ("root", "quiz", "lab"))

    body = owner.get(f"{EVALUATIONS}/{root.id}").json()

    assert (body["status"], body["reason"], body["is_current"]) == (
        "satisfied",
        "members_met",
        True,
    )
    assert (body["facts"], body["facts_hash"]) == (root.facts, root.facts_hash)
    assert {(p["kind"], p["id"], p["title"], p["version"]) for p in body["evidence"]} == {
        ("evaluation", str(quiz.id), "Quiz", "Award v1"),
        ("evaluation", str(lab.id), "Laboratory", "Award v1"),
    }
    assert [p["is_primary"] for p in body["evidence"]] == [True, False]
    found = {one["node_key"]: one for one in body["supporting"]}
    assert {key: one["id"] for key, one in found.items()} == {
        "quiz": str(quiz.id),
        "lab": str(lab.id),
    }
    [result], [word] = found["quiz"]["evidence"], found["lab"]["evidence"]
    row = result_of(here.enrollment.attempts.get())
    assert (result["kind"], result["id"], result["version"], result["who"]) == (
        "result",
        str(row.id),
        "Quiz v1",
        [],
    )
    assert (result["details"]["percent"], result["details"]["passed"]) == ("100", True)
    assert (word["kind"], word["who"], word["details"]) == (
        "signoff",
        [{"id": str(here.stage.grader.id), "name": "Grace"}],
        {"status": "given", "reason": "Seen"},
    )
    assert word["occurred_at"] == "2026-03-02T12:00:00Z"


def test_reopened_evaluation_tells_what_fell_away(here: World, owner: APIClient) -> None:
    certified(here)
    withdraw_sign_off(
        enrollment=here.enrollment,
        node=here.node(),
        actor=here.stage.grader,
        at=NOON + DAY,
        reason="Mixed up",
    )
    here.evaluate(NOON + 2 * DAY)
    reopened = evaluation_of(here.enrollment, "lab")

    body = owner.get(f"{EVALUATIONS}/{reopened.id}").json()

    [fallen] = body["supporting"]
    assert (body["status"], body["revision"]) == ("reopened", 2)
    assert [p["id"] for p in body["evidence"]] == [fallen["id"]]
    assert (fallen["status"], fallen["revision"], fallen["evidence"][0]["kind"]) == (
        "satisfied",
        1,
        "signoff",
    )


def test_evaluations_are_filtered(here: World, owner: APIClient) -> None:
    certified(here)
    first = evaluation_of(here.enrollment, "lab")
    withdraw_sign_off(
        enrollment=here.enrollment,
        node=here.node(),
        actor=here.stage.grader,
        at=NOON + DAY,
        reason="Mixed up",
    )
    here.evaluate(NOON + 2 * DAY)
    second, quiz = (evaluation_of(here.enrollment, key) for key in ("lab", "quiz"))
    other = here.another("Bob")

    def found(query: str) -> set[str]:
        return ids(owner.get(f"{EVALUATIONS}?{query}"))

    assert found(f"node={here.node().id}") == {str(first.id), str(second.id)}
    assert found(f"node={here.node().id}&current=true") == {str(second.id)}
    assert found(f"node={here.node().id}&current=false") == {str(first.id)}
    assert found(f"status=satisfied&current=true&enrollment={here.enrollment.id}") == {str(quiz.id)}
    assert found(f"enrollment={other.id}") == set()
    assert codes(owner.get(f"{EVALUATIONS}?enrollment=seven")) == [("enrollment", "invalid")]
    assert codes(owner.get(f"{EVALUATIONS}?status=odd")) == [("status", "invalid-choice")]


def test_evaluations_are_for_the_learner_and_the_staff_of_the_cohort(here: World) -> None:
    certified(here)
    row = evaluation_of(here.enrollment, "root")
    seen = [api(here.learner), api(instructor_of(here.stage.cohort)), api(member(OrgRole.AUDITOR))]
    unseen = [api(here.another("Bob").contact), api(instructor_of(here.elsewhere)), api(member())]

    assert [client.get(f"{EVALUATIONS}/{row.id}").status_code for client in seen] == [200] * 3
    assert [client.get(f"{EVALUATIONS}/{row.id}").status_code for client in unseen] == [404] * 3
    assert [len(ids(client.get(EVALUATIONS))) for client in seen + unseen] == [3, 3, 3, 0, 0, 0]
    assert api().get(EVALUATIONS).status_code == 401


def test_evaluations_cannot_be_written(here: World, owner: APIClient) -> None:
    certified(here)
    row = evaluation_of(here.enrollment, "root")

    assert owner.post(EVALUATIONS, {"status": "satisfied"}).status_code == 405
    assert owner.patch(f"{EVALUATIONS}/{row.id}", {"status": "failed"}).status_code == 405
    assert owner.delete(f"{EVALUATIONS}/{row.id}").status_code == 405


def test_lists_take_the_same_statements_for_2_and_20_rows(here: World, owner: APIClient) -> None:
    taken = []
    for size in (2, 18):
        for n in range(size):
            enrollment = here.another(f"L{size}-{n}")
            evaluate_enrollment(enrollment.id, at=NOON)
            sign_off(enrollment=enrollment, node=here.node(), actor=here.stage.grader, at=NOON)
            evaluate_enrollment(enrollment.id, at=NOON)
        taken.append([statements(owner, path) for path in (EVALUATIONS, ASSIGNMENTS)])

    assert taken[0] == taken[1]


def test_evaluation_takes_the_same_statements_however_deep(here: World, owner: APIClient) -> None:
    certified(here)
    root, quiz = (evaluation_of(here.enrollment, key) for key in ("root", "quiz"))

    assert statements(owner, f"{EVALUATIONS}/{root.id}") == (
        statements(owner, f"{EVALUATIONS}/{quiz.id}")
    )


def next_version(here: World) -> RequirementSetVersion:
    """Publish a version of the set that also asks for the harbour."""
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    draw(draft, signoff("harbour"))
    nodes = {node.key: node for node in draft.nodes.all()}
    draft.edges.create(source=nodes["harbour"], target=nodes["root"], kind="member")
    return publish(version=draft, actor=None, at=AUTHORED)


def asked(version: RequirementSetVersion, *enrollments: Any, **fields: Any) -> dict[str, Any]:
    return {
        "set_version": str(version.id),
        "enrollments": [str(getattr(e, "id", e)) for e in enrollments],
        "reason": "New rules",
        **fields,
    }


def test_assign_moves_learners_and_is_on_record(here: World) -> None:
    second, colleague = next_version(here), instructor_of(here.stage.cohort)

    response = api(colleague).post(ASSIGNMENTS, asked(second, here.enrollment))

    [made] = response.json()["assignments"]
    row = RequirementAssignment.objects.get(pk=made["id"])
    assert response.status_code == 201
    assert (row.set_version, row.revision, row.reason, row.actor) == (
        second,
        2,
        "New rules",
        colleague,
    )
    assert OutboxMessage.objects.filter(
        topic="learner.advance", key=str(here.enrollment.id)
    ).exists()
    assert AdminAction.objects.filter(actor=colleague, action="requirements.assigned").count() == 1


def test_assign_dry_run_tells_who_gains_or_loses_and_writes_nothing(
    here: World, owner: APIClient
) -> None:
    certified(here)
    second = next_version(here)
    before = RequirementAssignment.objects.count()

    response = owner.post(f"{ASSIGNMENTS}?dry_run=1", asked(second, here.enrollment, reason=""))

    assert (response.status_code, response.json()) == (
        200,
        {
            "changes": [
                {
                    "enrollment": str(here.enrollment.id),
                    "contact": str(here.learner.id),
                    "from_version": str(here.version.id),
                    "gained": [],
                    "lost": ["root"],
                }
            ]
        },
    )
    assert RequirementAssignment.objects.count() == before


def test_assign_to_a_cohort_means_who_is_enrolled_now(here: World, owner: APIClient) -> None:
    bob, second = here.another("Bob"), next_version(here)
    body = {"set_version": str(second.id), "cohort": str(here.stage.cohort.id), "reason": "All"}

    preview = owner.post(f"{ASSIGNMENTS}?dry_run=true", body)
    made = owner.post(ASSIGNMENTS, body)

    both = {str(here.enrollment.id), str(bob.id)}
    assert {change["enrollment"] for change in preview.json()["changes"]} == both
    assert {row["enrollment"] for row in made.json()["assignments"]} == both


def test_assign_under_one_key_twice_is_answered_alike(here: World, owner: APIClient) -> None:
    bob, second = here.another("Bob"), next_version(here)
    body = asked(second, here.enrollment, bob)

    def ask(path: str) -> tuple[int, Any]:
        response = owner.post(path, body, headers={"Idempotency-Key": "k"})
        return response.status_code, response.json()

    assert ask(f"{ASSIGNMENTS}?dry_run=1") == ask(f"{ASSIGNMENTS}?dry_run=1")
    assert ask(ASSIGNMENTS) == ask(ASSIGNMENTS)
    assert RequirementAssignment.objects.filter(set_version=second).count() == 2


def test_assign_in_a_foreign_cohort_is_not_found_and_moves_nobody(here: World) -> None:
    second, colleague = next_version(here), api(instructor_of(here.stage.cohort))
    stranger = here.another("Bob", here.elsewhere)

    response = colleague.post(ASSIGNMENTS, asked(second, here.enrollment, stranger, UNKNOWN))
    whole = colleague.post(
        ASSIGNMENTS,
        {"set_version": str(second.id), "cohort": str(here.elsewhere.id), "reason": "All"},
    )

    assert problem_of(response) == (404, "urn:assay:problem:not-found")
    assert [error["field"] for error in response.json()["errors"]] == [
        "enrollments[1]",
        "enrollments[2]",
    ]
    assert whole.status_code == 404
    assert not RequirementAssignment.objects.filter(set_version=second).exists()


def test_assign_is_for_who_runs_the_cohort(here: World) -> None:
    body = asked(next_version(here), here.enrollment)
    refused = [api(here.learner), api(member(OrgRole.AUDITOR))]

    assert [client.post(ASSIGNMENTS, body).status_code for client in refused] == [403, 403]


def test_assign_to_an_instructor_who_only_learns_in_the_cohort_is_forbidden(here: World) -> None:
    colleague = member(OrgRole.INSTRUCTOR)
    here.learner.merged_into = colleague
    here.learner.save(update_fields=["merged_into"])

    response = api(colleague).post(ASSIGNMENTS, asked(next_version(here), here.enrollment))

    assert problem_of(response) == (403, "urn:assay:problem:forbidden")


@pytest.mark.parametrize("query", ["", "?dry_run=1"])
def test_assign_of_a_draft_or_of_another_program_is_refused(
    here: World, owner: APIClient, query: str
) -> None:
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    other = published_program(published_course("other"), slug="other").definition
    foreign = published_set(other, signoff("x"), slug="other")

    unfinished = owner.post(f"{ASSIGNMENTS}{query}", asked(draft, here.enrollment))
    strange = owner.post(f"{ASSIGNMENTS}{query}", asked(foreign, here.enrollment))

    assert problem_of(unfinished) == (409, "urn:assay:problem:not-assignable")
    assert problem_of(strange) == (422, "urn:assay:problem:foreign-program")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"enrollments": []}, ("enrollments", "min-length")),
        ({"enrollments": "all"}, ("enrollments", "not-a-list")),
        ({"enrollments": ["seven"]}, ("enrollments.0", "invalid")),
        ({"enrollments": [str(UUID(int=n)) for n in range(1_001)]}, ("enrollments", "max-length")),
        ({"cohort": str(UNKNOWN)}, ("enrollments", "one-of-two")),
        ({"set_version": [7]}, ("set_version", "invalid")),
        ({"effective_from": "soon"}, ("effective_from", "invalid")),
        ({"reason": None}, ("reason", "null")),
        ({"reason": " "}, ("reason", "blank")),
        ({"colour": "red"}, ("colour", "unknown")),
    ],
)
def test_assign_with_bad_input_tells_the_field(
    here: World, owner: APIClient, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    body = asked(here.version, here.enrollment) | changes

    assert expected in codes(owner.post(ASSIGNMENTS, body))


def test_assign_of_an_unknown_version_or_an_odd_dry_run_is_refused(
    here: World, owner: APIClient
) -> None:
    body = asked(here.version, here.enrollment)

    unknown = owner.post(ASSIGNMENTS, body | {"set_version": str(UNKNOWN)})
    odd = owner.post(f"{ASSIGNMENTS}?dry_run=maybe", body)

    assert problem_of(unknown) == (404, "urn:assay:problem:not-found")
    assert odd.status_code == 422


def test_assignments_are_filtered_and_narrowed(here: World, owner: APIClient) -> None:
    first = RequirementAssignment.objects.get()
    owner.post(ASSIGNMENTS, asked(next_version(here), here.enrollment))
    second = RequirementAssignment.objects.get(revision=2)
    stranger = api(instructor_of(here.elsewhere))

    current = ids(owner.get(f"{ASSIGNMENTS}?enrollment={here.enrollment.id}&current=true"))

    assert current == {str(second.id)}
    assert ids(api(here.learner).get(ASSIGNMENTS)) == {str(first.id), str(second.id)}
    assert ids(stranger.get(ASSIGNMENTS)) == set()
    assert stranger.get(f"{ASSIGNMENTS}/{first.id}").status_code == 404


def test_what_is_of_another_organisation_is_not_found(here: World, org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = world()
        certified(theirs)
        evaluation = evaluation_of(theirs.enrollment, "root").id
        assignment = RequirementAssignment.objects.get().id
        whom, version = theirs.enrollment.id, theirs.version
    owner = api(member(OrgRole.OWNER))

    assert owner.get(f"{EVALUATIONS}/{evaluation}").status_code == 404
    assert owner.get(f"{ASSIGNMENTS}/{assignment}").status_code == 404
    assert owner.post(ASSIGNMENTS, asked(here.version, whom)).status_code == 404
    assert owner.post(ASSIGNMENTS, asked(version, here.enrollment)).status_code == 404


def test_known_at_and_recorded_at_are_told(here: World, owner: APIClient) -> None:
    certified(here)
    started = now()

    [row, *_rest] = owner.get(EVALUATIONS).json()["results"]

    assert row["known_at"] <= row["recorded_at"] <= started.isoformat().replace("+00:00", "Z")
