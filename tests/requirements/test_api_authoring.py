"""Requirement sets under /v1: definitions, versions, nodes and edges."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.contacts.models import AdminAction
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from apps.programs.models import Program
from apps.requirements.models import RequirementEdge, RequirementNode, RequirementSetVersion
from tests.clients import api, problem_of
from tests.factories import member
from tests.programs.factories import published_course, published_program
from tests.programs.statements import statements
from tests.requirements.factories import draft_set, published_set
from tests.requirements.graphs import before, group, signoff
from tests.requirements.graphs import member as member_of

pytestmark = pytest.mark.django_db

LISTS = [
    "requirement-sets",
    "requirement-set-versions",
    "requirement-nodes",
    "requirement-edges",
]
UNKNOWN = "0a000000-0000-7000-8000-0000000000ff"


@pytest.fixture
def author() -> APIClient:
    return api(member(OrgRole.INSTRUCTOR))


@pytest.fixture
def program() -> Program:
    found: Program = published_program().definition
    return found


@pytest.fixture
def draft(program: Program) -> RequirementSetVersion:
    """A draft in which `a` comes before `b`."""
    return draft_set(program, signoff("a"), signoff("b"), before("a", "b"))


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def ids(response: Any) -> set[str]:
    assert response.status_code == 200, response.json()
    return {row["id"] for row in response.json()["results"]}


def test_a_set_from_nothing_to_published_and_its_next_version(
    author: APIClient, program: Program
) -> None:
    made = author.post(
        "/v1/requirement-sets",
        {"slug": "way", "title": "Way", "program": str(program.id), "purpose": "progression"},
    ).json()
    version = author.post(f"/v1/requirement-sets/{made['id']}/draft").json()["id"]
    nodes = {
        key: author.post(
            "/v1/requirement-nodes",
            {
                "version": version,
                "key": key,
                "title": key.title(),
                "kind": "signoff",
                "signoff_capability": "sign_off",
            },
        ).json()["id"]
        for key in ("knots", "sails")
    }
    edge = author.post(
        "/v1/requirement-edges",
        {
            "version": version,
            "source": nodes["knots"],
            "target": nodes["sails"],
            "kind": "prerequisite",
        },
    ).json()

    published = author.post(f"/v1/requirement-set-versions/{version}/publish").json()
    second = author.post(f"/v1/requirement-sets/{made['id']}/draft").json()["id"]
    [knots] = author.get(f"/v1/requirement-nodes?version={second}&key=knots").json()["results"]
    author.patch(f"/v1/requirement-nodes/{knots['id']}", {"retention": "live"})

    assert edge["key"] == "knots--prerequisite--sails"
    assert (published["number"], published["status"]) == (1, "published")
    assert author.get(f"/v1/requirement-set-versions/{second}/diff").json() == {
        "changes": [
            {
                "part": "requirement node",
                "key": "knots",
                "outcome": "changed",
                "fields_changed": [{"field": "retention", "old": "sticky", "new": "live"}],
            }
        ]
    }
    assert list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True)) == [
        "requirementset.created",
        "requirementsetversion.draft-begun",
        "requirementnode.created",
        "requirementnode.created",
        "requirementedge.created",
        "requirementsetversion.published",
        "requirementsetversion.draft-begun",
        "requirementnode.changed",
    ]


def test_publish_names_the_cycle_and_publishes_nothing(author: APIClient, program: Program) -> None:
    draft = draft_set(program, signoff("a"), signoff("b"), before("a", "b"), before("b", "a"))

    response = author.post(f"/v1/requirement-set-versions/{draft.id}/publish")

    assert problem_of(response) == (409, "urn:assay:problem:not-publishable")
    assert [(error["code"], error["message"]) for error in response.json()["errors"]] == [
        ("cycle", "These wait for each other: “a” → “b” → “a”.")
    ]
    draft.refresh_from_db()
    assert draft.is_draft


def test_a_retired_version_stays_readable(author: APIClient, program: Program) -> None:
    version = published_set(program, signoff("a"))

    retired = author.post(f"/v1/requirement-set-versions/{version.id}/retire")

    assert retired.json()["status"] == "retired"
    assert author.get(f"/v1/requirement-set-versions/{version.id}").json()["number"] == 1


def test_what_is_published_can_no_longer_be_changed(author: APIClient, program: Program) -> None:
    version = published_set(program, signoff("a"), signoff("b"), before("a", "b"))
    node, edge = version.nodes.get(key="a"), version.edges.get()
    new = {"version": str(version.id), "key": "c", "title": "C", "kind": "group"}

    refusals = [
        author.patch(f"/v1/requirement-nodes/{node.id}", {"title": "Other"}),
        author.delete(f"/v1/requirement-nodes/{node.id}"),
        author.delete(f"/v1/requirement-edges/{edge.id}"),
        author.post("/v1/requirement-nodes", new),
    ]

    assert [problem_of(response) for response in refusals] == [
        (409, "urn:assay:problem:frozen")
    ] * 4
    assert sorted(version.nodes.values_list("title", flat=True)) == ["A", "B"]


def test_program_and_purpose_stay_once_a_version_was_published(
    author: APIClient, program: Program
) -> None:
    other = published_program(published_course("other"), slug="other").definition
    open_set = draft_set(other, signoff("a"), slug="open").definition
    settled = published_set(program, signoff("a")).definition
    changes = {"purpose": "certification", "program": str(other.id)}

    moved = author.patch(f"/v1/requirement-sets/{settled.id}", changes)
    renamed = author.patch(
        f"/v1/requirement-sets/{settled.id}", {"title": "New", "purpose": "progression"}
    )
    before_any = author.patch(f"/v1/requirement-sets/{open_set.id}", {"purpose": "certification"})

    assert codes(moved) == [("program", "fixed"), ("purpose", "fixed")]
    assert (renamed.status_code, renamed.json()["title"]) == (200, "New")
    assert before_any.json()["purpose"] == "certification"


NODE_FAULTS = [
    ({"kind": "film"}, ("kind", "invalid-choice")),
    ({"kind": "signoff", "signoff_capability": ""}, ("signoff_capability", "required")),
    ({"kind": "course_completed"}, ("course", "required")),
    ({"kind": "course_completed", "course": UNKNOWN}, ("course", "does-not-exist")),
    ({"kind": "course_completed", "course": "seven"}, ("course", "invalid")),
    ({"kind": "group", "signoff_capability": "grade"}, ("signoff_capability", "not-of-this-kind")),
    ({"kind": "attendance"}, ("attendance_percent", "one-of-two")),
    (
        {"kind": "attendance", "attendance_count": 1, "attendance_percent": "50"},
        ("attendance_percent", "one-of-two"),
    ),
    (
        {"kind": "group", "group_min_count": 1, "group_min_credits": "2"},
        ("group_min_credits", "one-of-two"),
    ),
    ({"kind": "group", "group_min_count": 0}, ("group_min_count", "min-value")),
    ({"kind": "group", "group_min_count": 10**12}, ("group_min_count", "max-value")),
    ({"kind": "group", "group_min_credits": "1e30"}, ("group_min_credits", "max-digits")),
    ({"kind": "group", "credits": "-1"}, ("credits", "min-value")),
    (
        {"kind": "group", "deadline_days": 3, "deadline_on": "2026-05-01"},
        ("deadline_on", "one-of-two"),
    ),
    ({"kind": "group", "deadline_days": 99_999}, ("deadline_days", "max-value")),
    ({"kind": "group", "deadline_on": "soon"}, ("deadline_on", "invalid")),
    ({"kind": "group", "retention": "forever"}, ("retention", "invalid-choice")),
    ({"kind": "group", "title": None}, ("title", "null")),
    ({"kind": "group", "colour": "red"}, ("colour", "unknown")),
    ({"kind": "group", "key": "no spaces"}, ("key", "invalid")),
    ({"kind": "group", "version": UNKNOWN}, ("version", "does-not-exist")),
]


@pytest.mark.parametrize(("changes", "expected"), NODE_FAULTS)
def test_create_node_with_bad_input_tells_the_field(
    author: APIClient,
    draft: RequirementSetVersion,
    changes: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    good = {"version": str(draft.id), "key": "new", "title": "New"}

    response = author.post("/v1/requirement-nodes", good | changes)

    assert expected in codes(response)
    assert not RequirementNode.objects.filter(key="new").exists()


def test_update_node_is_judged_with_what_is_there(
    author: APIClient, draft: RequirementSetVersion
) -> None:
    node = draft.nodes.get(key="a")
    address = f"/v1/requirement-nodes/{node.id}"

    other_kind = author.patch(address, {"kind": "milestone"})
    both = author.patch(address, {"kind": "milestone", "signoff_capability": ""})

    assert codes(other_kind) == [("signoff_capability", "not-of-this-kind")]
    assert both.json()["kind"] == "milestone"


def test_second_node_of_a_key_or_second_root_is_refused(
    author: APIClient, draft: RequirementSetVersion
) -> None:
    node = {"version": str(draft.id), "title": "New", "kind": "milestone"}
    author.post("/v1/requirement-nodes", {**node, "key": "root", "is_root": True})

    same_key = author.post("/v1/requirement-nodes", {**node, "key": "a"})
    second_root = author.post("/v1/requirement-nodes", {**node, "key": "top", "is_root": True})

    assert same_key.status_code in (409, 422)
    assert second_root.status_code in (409, 422)
    assert sorted(draft.nodes.values_list("key", flat=True)) == ["a", "b", "root"]


EDGE_FAULTS = [
    ({"target": "a"}, ("target", "same-node")),
    ({"condition": "failed"}, ("condition", "only-unlocks")),
    ({"kind": "unlock", "condition": "score_below"}, ("threshold", "required")),
    ({"kind": "unlock", "threshold": "5"}, ("threshold", "without-score")),
    (
        {"kind": "unlock", "condition": "score_below", "threshold": "101"},
        ("threshold", "max-value"),
    ),
    ({"kind": "friend"}, ("kind", "invalid-choice")),
    ({"source": "elsewhere"}, ("source", "of-another-version")),
    ({"source": UNKNOWN}, ("source", "does-not-exist")),
]


@pytest.mark.parametrize(("changes", "expected"), EDGE_FAULTS)
def test_create_edge_with_bad_input_tells_the_field(
    author: APIClient,
    program: Program,
    draft: RequirementSetVersion,
    changes: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    other = draft_set(program, signoff("x"), slug="other", purpose="certification")
    named = {
        "a": str(draft.nodes.get(key="a").id),
        "b": str(draft.nodes.get(key="b").id),
        "elsewhere": str(other.nodes.get().id),
    }
    asked = {"version": str(draft.id), "source": "a", "target": "b", "kind": "prerequisite"}
    asked |= changes
    asked |= {end: named.get(asked[end], asked[end]) for end in ("source", "target")}

    response = author.post("/v1/requirement-edges", asked)

    assert expected in codes(response)
    assert RequirementEdge.objects.count() == 1


def test_a_draft_node_is_deleted_with_its_edges(
    author: APIClient, draft: RequirementSetVersion
) -> None:
    node = draft.nodes.get(key="a")

    assert author.delete(f"/v1/requirement-nodes/{node.id}").status_code == 204
    assert not draft.edges.exists()


def test_if_match_refuses_a_node_that_changed_in_between(
    author: APIClient, draft: RequirementSetVersion
) -> None:
    address = f"/v1/requirement-nodes/{draft.nodes.get(key='a').id}"
    tag = author.get(address)["ETag"]
    author.patch(address, {"title": "Theirs"})

    stale = author.patch(address, {"title": "Mine"}, headers={"If-Match": tag})

    assert problem_of(stale) == (412, "urn:assay:problem:stale")


def test_an_auditor_reads_and_changes_nothing(draft: RequirementSetVersion) -> None:
    auditor = api(member(OrgRole.AUDITOR))

    assert ids(auditor.get("/v1/requirement-set-versions")) == {str(draft.id)}
    assert problem_of(auditor.post(f"/v1/requirement-set-versions/{draft.id}/publish"))[0] == 403
    assert problem_of(auditor.post("/v1/requirement-sets", {"slug": "a"}))[0] == 403


@pytest.mark.parametrize("name", LISTS)
def test_sets_are_for_staff_only(draft: RequirementSetVersion, name: str) -> None:
    assert api().get(f"/v1/{name}").status_code == 401
    assert api(member(OrgRole.LEARNER)).get(f"/v1/{name}").status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_lists_take_the_same_statements_for_2_and_20_rows(
    author: APIClient, program: Program, name: str
) -> None:
    taken = []
    for size in (2, 18):
        for n in range(size):
            draft_set(
                program,
                group("root"),
                signoff("a"),
                member_of("a", "root"),
                slug=f"s{size}-{n}",
                purpose="certification",
            )
        taken.append(statements(author, f"/v1/{name}"))
        assert len(ids(author.get(f"/v1/{name}"))) >= size

    assert taken[0] == taken[1]


def test_a_row_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        version = draft_set(
            published_program(slug="theirs").definition,
            signoff("a"),
            signoff("b"),
            before("a", "b"),
        )
        theirs = {
            "requirement-sets": version.definition_id,
            "requirement-set-versions": version.id,
            "requirement-nodes": version.nodes.get(key="a").id,
            "requirement-edges": version.edges.get().id,
        }
    owner = api(member(OrgRole.OWNER))

    found = {
        (name, method): getattr(owner, method)(f"/v1/{name}/{row}").status_code
        for name, row in theirs.items()
        for method in ("get", "patch")
    }
    actions = [
        owner.post(f"/v1/requirement-sets/{theirs['requirement-sets']}/draft").status_code,
        *(
            owner.post(
                f"/v1/requirement-set-versions/{theirs['requirement-set-versions']}/{verb}"
            ).status_code
            for verb in ("publish", "retire")
        ),
        owner.get(
            f"/v1/requirement-set-versions/{theirs['requirement-set-versions']}/diff"
        ).status_code,
        owner.delete(f"/v1/requirement-nodes/{theirs['requirement-nodes']}").status_code,
        owner.delete(f"/v1/requirement-edges/{theirs['requirement-edges']}").status_code,
    ]

    assert set(found.values()) == {404}
    assert actions == [404] * 6
