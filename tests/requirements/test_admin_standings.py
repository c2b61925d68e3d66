"""Learners' standings in the back office: seen, explained, and decided about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.contacts.models import AdminAction
from apps.core.clock import now
from apps.core.tenancy import tenant_context
from apps.core.versions import new_draft, publish
from apps.organizations.models import Organization, OrgRole
from apps.requirements.models import (
    RequirementAssignment,
    RequirementEvaluation,
    RequirementSetVersion,
    SignOff,
    Waiver,
)
from apps.requirements.services import evaluate_enrollment, sign_off
from tests.assessment.factories import RIGHT
from tests.clients import browser
from tests.cohorts.factories import NOON
from tests.factories import member
from tests.programs.factories import AUTHORED, published_course, published_program
from tests.programs.statements import statements
from tests.requirements.factories import DAY, decided, draw, evaluation_of, published_set
from tests.requirements.graphs import signoff
from tests.requirements.worlds import UNKNOWN, World, instructor_of, world

pytestmark = pytest.mark.django_db

STANDINGS = "/admin/requirements/enrollmentstanding/"
LISTS = [
    STANDINGS,
    "/admin/requirements/requirementevaluation/",
    "/admin/requirements/requirementassignment/",
    "/admin/requirements/signoff/",
    "/admin/requirements/waiver/",
]
VERBS = ["sign-off", "withdraw-sign-off", "waive", "withdraw-waiver"]


@pytest.fixture
def here() -> World:
    return world()


@pytest.fixture
def owner() -> Client:
    return browser(member(OrgRole.OWNER))


@pytest.fixture
def staff(here: World) -> Client:
    return browser(instructor_of(here.stage.cohort))


def standing(here: World) -> str:
    return f"{STANDINGS}{here.enrollment.pk}/change/"


def word(here: World, verb: str, key: str = "lab") -> str:
    return f"{STANDINGS}{here.enrollment.pk}/{verb}/{here.node(key).pk}/"


def messages(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def certified(here: World) -> None:
    """Let the learner meet everything, and record it."""
    here.stage.graded(RIGHT)
    sign_off(
        enrollment=here.enrollment,
        node=here.node(),
        actor=here.stage.grader,
        at=NOON,
        reason="Seen in the harbour",
    )
    here.evaluate(NOON + DAY)


def test_standing_shows_status_reason_evidence_and_what_next(here: World, staff: Client) -> None:
    here.stage.graded(RIGHT)
    here.evaluate(NOON + DAY)

    shown = staff.get(standing(here))

    text = shown.content.decode()
    [(tree, lines)] = shown.context["standings"]
    assert tree.title == "Award"
    assert [(line.requirement.key, line.status) for line in lines] == [
        ("root", "in progress"),
        ("quiz", "satisfied"),
        ("lab", "in progress"),
    ]
    assert [[piece.kind for piece in line.evidence] for line in lines] == [[], ["result"], []]
    assert "Passed with 100 %." in text
    assert "result: Quiz · 100 % · Quiz v1" in text
    assert "Have “Laboratory” signed off." in text
    assert f"requirementevaluation/{evaluation_of(here.enrollment, 'quiz').pk}/change/" in text


def test_standing_offers_what_the_one_at_work_may_do(
    here: World, staff: Client, owner: Client
) -> None:
    def offered(client: Client) -> dict[str, list[str]]:
        [(_tree, lines)] = client.get(standing(here)).context["standings"]
        return {
            line.requirement.key: [url.split("/")[-3] for url, _label in line.verbs]
            for line in lines
        }

    assert offered(staff) == {"root": [], "quiz": [], "lab": ["sign-off"]}
    assert offered(owner) == {"root": ["waive"], "quiz": ["waive"], "lab": ["sign-off", "waive"]}
    assert offered(browser(member(OrgRole.AUDITOR))) == {"root": [], "quiz": [], "lab": []}

    owner.post(word(here, "sign-off"), {"reason": ""})
    owner.post(word(here, "waive", "quiz"), {"reason": "Recognised"})

    assert offered(owner) == {
        "root": ["waive"],
        "quiz": ["withdraw-waiver"],
        "lab": ["withdraw-sign-off", "waive"],
    }


def test_sign_off_and_its_withdrawal_leave_records(here: World, staff: Client) -> None:
    asked = staff.get(word(here, "sign-off"))
    given = staff.post(word(here, "sign-off"), {"reason": "Seen"}, follow=True)
    here.evaluate(now())
    blank = staff.post(word(here, "withdraw-sign-off"), {"reason": ""})
    withdrawn = staff.post(word(here, "withdraw-sign-off"), {"reason": "Mixed up"}, follow=True)
    again = staff.post(word(here, "withdraw-sign-off"), {"reason": "Mixed up"}, follow=True)
    here.evaluate(now())

    assert "Sign off “Laboratory”" in asked.content.decode()
    assert blank.context["form"].errors == {"reason": ["This field is required."]}
    assert [messages(response) for response in (given, withdrawn, again)] == [
        ["Signed off."],
        ["The sign-off is withdrawn."],
        ["There is no sign-off to withdraw."],
    ]
    assert decided(here.enrollment) == [("lab", "satisfied"), ("lab", "reopened")]
    assert list(
        AdminAction.objects.filter(action__startswith="requirements.signoff")
        .order_by("recorded_at")
        .values_list("action", flat=True)
    ) == ["requirements.signoff_given", "requirements.signoff_withdrawn"]


def test_waiver_until_a_day_and_its_withdrawal(here: World, owner: Client) -> None:
    until = now() + timedelta(days=30)

    granted_until = {"expires_at": f"{until.date().isoformat()}T12:00"}
    made = owner.post(word(here, "waive"), {"reason": "Recognised", **granted_until}, follow=True)
    past = owner.post(
        word(here, "waive"),
        {"reason": "Late", "expires_at": "2020-01-01T12:00"},
        follow=True,
    )
    here.evaluate(now())
    owner.post(word(here, "withdraw-waiver"), {"reason": "Forged"})

    granted, withdrawn = Waiver.objects.order_by("revision")
    assert granted.expires_at == until.replace(hour=12, minute=0, second=0, microsecond=0)
    assert withdrawn.status == "withdrawn"
    assert messages(made) == ["Waived."]
    assert messages(past) == ["The waiver would have expired before it begins."]
    assert decided(here.enrollment) == [("lab", "waived")]


def test_nobody_decides_about_their_own_requirements(here: World) -> None:
    boss = member(OrgRole.OWNER)
    here.learner.merged_into = boss
    here.learner.save(update_fields=["merged_into"])

    response = browser(boss).post(word(here, "sign-off"), {"reason": "I can"}, follow=True)

    assert messages(response) == ["Nobody decides about their own requirements."]
    assert not SignOff.objects.exists()


def test_sign_off_of_something_else_is_refused(here: World, owner: Client) -> None:
    response = owner.post(word(here, "sign-off", "quiz"), {"reason": ""}, follow=True)

    assert messages(response) == ["This requirement is not met by a sign-off."]


def test_who_sees_and_says_what(here: World, staff: Client) -> None:
    stranger = browser(instructor_of(here.elsewhere))
    auditor = browser(member(OrgRole.AUDITOR))

    assert staff.get(standing(here)).status_code == 200
    assert auditor.get(standing(here)).status_code == 200
    assert stranger.get(standing(here)).status_code == 404
    assert browser(member()).get(standing(here), follow=True).status_code == 403
    assert staff.post(standing(here), {}).status_code == 403
    assert {
        (who, verb): client.post(word(here, verb), {"reason": "No"}).status_code
        for who, client in (("stranger", stranger), ("auditor", auditor))
        for verb in VERBS
    } == {(who, verb): 404 for who in ("stranger", "auditor") for verb in VERBS}
    assert staff.post(word(here, "waive"), {"reason": "No"}).status_code == 404
    assert not SignOff.objects.exists()
    assert not Waiver.objects.exists()


def test_word_about_what_is_not_asked_is_not_found(here: World, owner: Client) -> None:
    other = published_program(published_course("other"), slug="other").definition
    foreign = published_set(other, signoff("x"), slug="other").nodes.get()

    answers = [
        owner.get(f"{STANDINGS}{here.enrollment.pk}/sign-off/{row}/")
        for row in (foreign.pk, UNKNOWN)
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("path", LISTS)
def test_lists_are_narrowed_to_the_cohorts_of_the_instructor(here: World, path: str) -> None:
    certified(here)
    browser(member(OrgRole.OWNER)).post(word(here, "waive"), {"reason": "Recognised"})

    own = browser(instructor_of(here.stage.cohort)).get(path)
    foreign = browser(instructor_of(here.elsewhere)).get(path)

    assert own.context["cl"].result_count > 0
    assert foreign.context["cl"].result_count == 0
    assert "Spring" not in foreign.content.decode()


@pytest.mark.parametrize("path", LISTS)
def test_lists_take_the_same_statements_for_2_and_20_rows(
    here: World, owner: Client, path: str
) -> None:
    taken = []
    for size in (2, 18):
        for n in range(size):
            enrollment = here.another(f"L{size}-{n}")
            evaluate_enrollment(enrollment.pk, at=NOON)
            about = f"{STANDINGS}{enrollment.pk}"
            owner.post(f"{about}/sign-off/{here.node().pk}/", {"reason": ""})
            owner.post(f"{about}/waive/{here.node('quiz').pk}/", {"reason": "Recognised"})
            evaluate_enrollment(enrollment.pk, at=now())
        taken.append(statements(owner, path))

    assert taken[0] == taken[1]


def test_lists_are_filtered_by_cohort(here: World, owner: Client) -> None:
    here.another("Bob", here.elsewhere)

    def found(query: str) -> set[str]:
        rows = owner.get(f"{STANDINGS}?{query}").context["cl"].result_list
        return {str(row.contact) for row in rows}

    assert found(f"cohort={here.elsewhere.pk}") == {"Bob"}
    assert found(f"cohort={here.stage.cohort.pk}") == {"Ada"}
    assert found("cohort=seven") == {"Ada", "Bob"}


def test_evaluation_page_shows_what_it_rests_on(here: World, staff: Client) -> None:
    certified(here)
    root = evaluation_of(here.enrollment, "root")
    address = f"/admin/requirements/requirementevaluation/{root.pk}/change/"

    shown = staff.get(address)

    text = shown.content.decode()
    first, *others = [one.evaluation.node.key for one in shown.context["decisions"]]
    assert (first, sorted(others)) == ("root", ["lab", "quiz"])
    assert "signoff: Laboratory · given · Award v1 · Grace" in text
    assert "“Seen in the harbour”" in text
    assert "&quot;history&quot;" in text
    assert staff.post(address, {"status": "failed"}).status_code == 403
    assert browser(instructor_of(here.elsewhere)).get(address).status_code == 404


def test_evaluation_page_takes_the_same_statements_however_deep(here: World, owner: Client) -> None:
    certified(here)

    taken = {
        key: statements(
            owner,
            f"/admin/requirements/requirementevaluation/{evaluation_of(here.enrollment, key).pk}"
            "/change/",
        )
        for key in ("root", "quiz")
    }

    assert taken["root"] == taken["quiz"]


def next_version(here: World) -> RequirementSetVersion:
    """Publish a version of the set that also asks for the harbour."""
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    draw(draft, signoff("harbour"))
    nodes = {node.key: node for node in draft.nodes.all()}
    draft.edges.create(source=nodes["harbour"], target=nodes["root"], kind="member")
    return publish(version=draft, actor=None, at=AUTHORED)


def chosen(*people: Any, **fields: Any) -> dict[str, Any]:
    return {
        "action": "assign",
        "_selected_action": [str(getattr(one, "pk", one)) for one in people],
        **fields,
    }


def test_assign_shows_what_it_changes_and_then_does_it(here: World) -> None:
    certified(here)
    second, bob = next_version(here), here.another("Bob")
    colleague = instructor_of(here.stage.cohort)
    client = browser(colleague)
    said = {"set_version": str(second.pk), "reason": "New rules"}

    asked = client.post(STANDINGS, chosen(here.enrollment, bob))
    blank = client.post(STANDINGS, chosen(here.enrollment, bob, **said | {"reason": ""}))
    preview = client.post(STANDINGS, chosen(here.enrollment, bob, **said))
    before = RequirementAssignment.objects.filter(set_version=second).count()
    done = client.post(
        STANDINGS, chosen(here.enrollment, bob, confirmed="Assign", **said), follow=True
    )

    assert "2 learners are chosen." in asked.content.decode()
    assert f'<option value="{second.pk}">Award v2</option>' in asked.content.decode()
    assert blank.context["form"].errors == {"reason": ["This field is required."]}
    assert {
        str(one.contact): (gained, lost) for one, gained, lost in preview.context["changes"]
    } == {"Ada": ([], ["Award"]), "Bob": ([], [])}
    assert before == 0
    assert messages(done) == ["Assigned; the evaluations are on their way."]
    assert RequirementAssignment.objects.filter(set_version=second, actor=colleague).count() == 2
    assert AdminAction.objects.filter(actor=colleague, action="requirements.assigned").count() == 1


def test_assign_offers_the_published_versions_of_the_program_only(
    here: World, owner: Client
) -> None:
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    other = published_program(published_course("other"), slug="other").definition
    foreign = published_set(other, signoff("x"), slug="other")

    form = owner.post(STANDINGS, chosen(here.enrollment)).context["form"]
    forced = owner.post(
        STANDINGS,
        chosen(here.enrollment, set_version=str(draft.pk), reason="No", confirmed="Assign"),
    )

    assert [version.pk for version in form.fields["set_version"].queryset] == [here.version.pk]
    assert foreign.pk not in {version.pk for version in form.fields["set_version"].queryset}
    assert "set_version" in forced.context["form"].errors


def test_assign_is_for_who_runs_the_cohort(here: World) -> None:
    said = {"set_version": str(next_version(here).pk), "reason": "New", "confirmed": "Assign"}
    stranger = browser(instructor_of(here.elsewhere))

    browser(member(OrgRole.AUDITOR)).post(STANDINGS, chosen(here.enrollment, **said))
    stranger.post(STANDINGS, chosen(here.enrollment, **said))

    assert not RequirementAssignment.objects.filter(reason="New").exists()


def test_the_roster_leads_to_the_standing(here: World, staff: Client) -> None:
    roster = staff.get(f"/admin/cohorts/cohort/{here.stage.cohort.pk}/roster/").content.decode()

    assert standing(here) in roster


def test_standing_takes_the_same_statements_for_few_and_many_requirements(
    here: World, owner: Client
) -> None:
    certified(here)
    few = statements(owner, standing(here))
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    draw(draft, *(signoff(f"s{n}") for n in range(20)))
    nodes = {node.key: node for node in draft.nodes.all()}
    for n in range(20):
        draft.edges.create(source=nodes[f"s{n}"], target=nodes["root"], kind="member")
    second = publish(version=draft, actor=None, at=AUTHORED)
    said = {"set_version": str(second.pk), "reason": "More", "confirmed": "Assign"}
    owner.post(STANDINGS, chosen(here.enrollment, **said))
    here.evaluate(now())

    assert RequirementEvaluation.objects.filter(set_version=second, node__key="quiz").exists()
    assert statements(owner, standing(here)) == few


def test_what_is_of_another_organisation_is_not_found(here: World, org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = world()
        certified(theirs)
        addresses = [standing(theirs), *(word(theirs, verb) for verb in VERBS)]
        evaluation = RequirementEvaluation.objects.values_list("pk", flat=True)[0]
    owner = browser(member(OrgRole.OWNER))

    answers = [
        *(owner.get(address) for address in addresses),
        *(owner.post(address, {"reason": "No"}) for address in addresses),
        owner.get(f"/admin/requirements/requirementevaluation/{evaluation}/change/"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 11
