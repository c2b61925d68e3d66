"""The back office of requirement sets, driven over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.contacts.models import AdminAction
from apps.core.tenancy import tenant_context
from apps.core.versions import new_draft
from apps.organizations.models import Organization, OrgRole
from apps.programs.models import Program
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import RequirementSet, RequirementSetVersion
from tests.clients import browser
from tests.factories import member
from tests.programs.factories import AUTHORED, published_course, published_program
from tests.programs.statements import statements
from tests.requirements.factories import draft_set, published_set
from tests.requirements.graphs import before, group, signoff
from tests.requirements.graphs import member as member_of
from tests.requirements.worlds import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Client:
    return browser(member(OrgRole.INSTRUCTOR))


@pytest.fixture
def program() -> Program:
    found: Program = published_program().definition
    return found


def page(row: Any, *more: str) -> str:
    name = f"{row._meta.app_label}/{row._meta.model_name}"
    return "/".join(["/admin", name, str(row.pk), *(more or ("change",)), ""])


def formset(prefix: str, *rows: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    """Return what an inline sends: its rows, of which `initial` were there before."""
    data: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def node(title: str, **fields: Any) -> dict[str, Any]:
    """Return what the form of a sign-off sends."""
    return {
        "title": title,
        "key": "",
        "position": 1,
        "kind": "signoff",
        "signoff_capability": "sign_off",
        "retention": "sticky",
        **fields,
    }


def kept(draft: RequirementSetVersion) -> list[dict[str, Any]]:
    """Return what the forms of the nodes that are there send."""
    return [
        node(row.title, id=str(row.pk), key=row.key, position=row.position)
        for row in draft.nodes.order_by("position", "key")
    ]


def sent(nodes: list[dict[str, Any]], *edges: dict[str, Any], initial: int = 0) -> dict[str, Any]:
    return {**formset("nodes", *nodes, initial=initial), **formset("edges", *edges)}


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_set_is_written_connected_and_published(author: Client, program: Program) -> None:
    author.post(
        "/admin/requirements/requirementset/add/",
        {"title": "Way", "slug": "way", "program": str(program.pk), "purpose": "progression"},
    )
    definition = RequirementSet.objects.get()
    author.post(page(definition, "draft"))
    draft = RequirementSetVersion.objects.get()
    author.post(page(draft), sent([node("Reef knots"), node("Sails", position=2)]))
    first, second = draft.nodes.order_by("position")
    author.post(
        page(draft),
        sent(
            kept(draft),
            {
                "source": str(first.pk),
                "kind": "prerequisite",
                "target": str(second.pk),
                "condition": "satisfied",
            },
            initial=2,
        ),
    )
    shown = author.get(page(draft, "publish")).content.decode()
    published = author.post(page(draft, "publish"), follow=True)

    draft.refresh_from_db()
    assert [first.key, second.key] == ["reef-knots", "sails"]
    assert draft.edges.get().key == "reef-knots--prerequisite--sails"
    assert "Cohorts of the program can open." in shown
    assert "Reef knots" in shown
    assert messages(published) == ["Published."]
    assert (draft.number, draft.status) == (1, "published")
    assert list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True)) == [
        "requirementset.created",
        "requirementsetversion.draft-begun",
        "requirementsetversion.changed",
        "requirementsetversion.changed",
        "requirementsetversion.published",
    ]


def test_publish_page_names_everything_that_is_wrong(author: Client, program: Program) -> None:
    draft = draft_set(program, signoff("a"), signoff("b"), before("a", "b"), before("b", "a"))

    shown = author.get(page(draft, "publish")).content.decode()
    refused = author.post(page(draft, "publish"), follow=True)

    cycle = "These wait for each other: “a” → “b” → “a”."
    assert cycle in shown
    assert messages(refused)[1] == f"a: {cycle}"
    draft.refresh_from_db()
    assert draft.is_draft


def test_publish_page_tells_who_keeps_the_old_version(author: Client) -> None:
    here = world()
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)

    shown = author.get(page(draft, "publish")).content.decode()

    assert "1 learner keeps the version they have until this one is assigned to them." in shown
    assert "Whoever enrols from now on gets it." in shown
    assert "Cohorts of the program can open." not in shown


def test_diff_page_shows_what_a_draft_changes(author: Client, program: Program) -> None:
    version = published_set(program, signoff("a"))
    draft = new_draft(definition=version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    draft.nodes.update(title="Anchoring")

    assert "Anchoring" in author.get(page(draft, "diff")).content.decode()


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"signoff_capability": ""}, "signoff_capability", "must say this"),
        ({"kind": "milestone"}, "signoff_capability", "does not say this"),
        (
            {"kind": "attendance", "signoff_capability": ""},
            "attendance_percent",
            "Give either a number of sessions or a share of them.",
        ),
        (
            {"deadline_days": 3, "deadline_on": "2026-05-01"},
            "deadline_on",
            "Give either a number of days or a date.",
        ),
        ({"key": "no spaces"}, "key", "Enter a valid “slug”"),
        ({"kind": "film"}, "kind", "Select a valid choice"),
    ],
)
def test_a_requirement_that_does_not_fit_is_told_at_its_field(
    author: Client, program: Program, changes: dict[str, Any], field: str, told: str
) -> None:
    draft = draft_set(program)

    response = author.post(page(draft), sent([node("Knots", **changes)]))

    [form] = response.context["inline_admin_formsets"][0].formset.forms
    assert told in str(form.errors[field])
    assert not draft.nodes.exists()


@pytest.mark.parametrize(
    ("edges", "field", "told"),
    [
        ([{"target": "a"}], "target", "can’t lead to itself"),
        ([{"condition": "failed"}], "condition", "Only what unlocks"),
        ([{"kind": "unlock", "condition": "score_below"}], "threshold", "needs a percentage"),
        ([{}, {}], "target", "This is said already."),
        ([{"source": "elsewhere"}], "source", "Select a valid choice"),
    ],
)
def test_a_connection_that_does_not_fit_is_told_at_its_field(
    author: Client, program: Program, edges: list[dict[str, str]], field: str, told: str
) -> None:
    draft = draft_set(program, signoff("a"), signoff("b"))
    other = draft_set(program, signoff("x"), slug="other", purpose="certification")
    named = {row.key: str(row.pk) for row in draft.nodes.all()}
    named["elsewhere"] = str(other.nodes.get().pk)
    good = {"source": "a", "kind": "prerequisite", "target": "b", "condition": "satisfied"}
    said = [
        {name: named.get(value, value) for name, value in (good | edge).items()} for edge in edges
    ]

    response = author.post(page(draft), sent(kept(draft), *said, initial=2))

    forms = response.context["inline_admin_formsets"][1].formset.forms
    assert told.replace("’", "'") in " ".join(
        str(form.errors.get(field, "")).replace("&#x27;", "'") for form in forms
    )
    assert not draft.edges.exists()


def test_a_requirement_that_gets_another_key_keeps_its_connections(
    author: Client, program: Program
) -> None:
    draft = draft_set(program, signoff("a"), signoff("b"), before("a", "b"))
    edge = draft.edges.get()
    nodes = kept(draft)
    nodes[0]["key"] = "anchor"

    author.post(
        page(draft),
        {
            **formset("nodes", *nodes, initial=2),
            **formset(
                "edges",
                {
                    "id": str(edge.pk),
                    "source": str(edge.source_id),
                    "kind": "prerequisite",
                    "target": str(edge.target_id),
                    "condition": "satisfied",
                },
                initial=1,
            ),
        },
    )

    assert draft.edges.get().key == "anchor--prerequisite--b"


def test_a_draft_offers_what_the_program_has(author: Client, program: Program) -> None:
    draft = draft_set(program, signoff("a"))
    other = published_course("elsewhere")

    shown = author.get(page(draft)).content.decode()

    own = program.versions.get().courses.get().course_version.definition_id
    assert f'<option value="{own}">' in shown
    assert str(other.definition_id) not in shown
    assert '<datalist id="module-keys"><option value="practice">' in shown
    assert '<option value="welcome">' in shown
    assert "admin/assay/requirement_nodes.js" in shown
    assert "&quot;signoff&quot;: [&quot;signoff_capability&quot;]" in shown
    assert '<option value="award">award</option>' in shown
    assert '<option value="view_learners">' not in shown


def test_a_published_version_is_shown_in_words_and_not_editable(
    author: Client, program: Program
) -> None:
    course = program.versions.get().courses.get().course_version.definition
    version = published_set(
        program,
        NodeSpec("read", NodeKind.ITEM_COMPLETED, course=course.pk, item_key="welcome"),
        signoff("lab", deadline_days=30),
        before("read", "lab"),
    )

    shown = author.get(page(version)).content.decode()
    refused = author.post(page(version), sent(kept(version), initial=2))

    assert "course: First Aid; Item: welcome" in shown
    assert "sticky; Deadline (days): 30" in shown
    assert 'name="nodes-0-title"' not in shown
    assert refused.status_code == 403


def test_program_and_purpose_are_fixed_once_a_version_was_published(
    author: Client, program: Program
) -> None:
    settled = published_set(program, signoff("a")).definition
    other = published_program(published_course("other"), slug="other").definition

    author.post(
        page(settled),
        {"title": "New", "slug": "ladder", "program": str(other.pk), "purpose": "certification"},
    )

    settled.refresh_from_db()
    assert (settled.title, settled.program, settled.purpose) == ("New", program, "progression")


def test_pages_take_the_same_statements_for_2_and_20_rows(author: Client, program: Program) -> None:
    taken = []
    for size in (2, 20):
        parts = [signoff(f"s{n}") for n in range(size)]
        shown = [
            make(
                program,
                group("root", is_root=True),
                *parts,
                *(member_of(part.key, "root") for part in parts),
                slug=f"{name}-{size}",
                purpose="certification",
            )
            for name, make in (("draft", draft_set), ("published", published_set))
        ]
        for n in range(size):
            draft_set(program, slug=f"more-{size}-{n}", purpose="certification")
        taken.append(
            [
                statements(author, address)
                for address in (
                    *(page(version) for version in shown),
                    "/admin/requirements/requirementset/",
                    "/admin/requirements/requirementsetversion/",
                )
            ]
        )

    assert taken[0] == taken[1]


def test_who_may_come_in(program: Program) -> None:
    draft = draft_set(program, signoff("a"))
    auditor = browser(member(OrgRole.AUDITOR))

    assert auditor.get(page(draft)).status_code == 200
    assert auditor.post(page(draft), sent(kept(draft), initial=1)).status_code == 403
    assert auditor.get(page(draft, "publish")).status_code == 404
    assert browser(member()).get(page(draft), follow=True).status_code == 403


def test_a_row_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        version = draft_set(published_program(slug="theirs").definition, signoff("a"))
    owner = browser(member(OrgRole.OWNER))

    answers = [
        owner.get(page(version)),
        owner.post(page(version), {}),
        owner.post(page(version.definition, "draft")),
        owner.get(page(version, "publish")),
        owner.post(page(version, "publish")),
        owner.get(page(version, "diff")),
        owner.post(page(version, "retire")),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
