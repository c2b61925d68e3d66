"""A learner's standing under /v1, and what people say about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.contacts.models import AdminAction
from apps.core.clock import now
from apps.core.tenancy import tenant_context
from apps.core.versions import new_draft, publish
from apps.organizations.models import Organization, OrgRole
from apps.requirements.models import RequirementSetVersion, SignOff, Waiver
from apps.requirements.services import assign_requirements, sign_off, waive
from tests.assessment.factories import RIGHT
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON
from tests.factories import member
from tests.programs.factories import AUTHORED
from tests.programs.statements import statements
from tests.requirements.factories import decided, draw, evaluation_of
from tests.requirements.graphs import signoff
from tests.requirements.worlds import UNKNOWN, World, instructor_of, world

pytestmark = pytest.mark.django_db

WORDS = ["sign-offs", "waivers"]


@pytest.fixture
def here() -> World:
    return world()


@pytest.fixture
def staff(here: World) -> APIClient:
    return api(instructor_of(here.stage.cohort))


@pytest.fixture
def owner() -> APIClient:
    return api(member(OrgRole.OWNER))


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def address(here: World, what: str = "requirements") -> str:
    return f"/v1/enrollments/{here.enrollment.id}/{what}"


def asked(here: World, what: str, **fields: Any) -> dict[str, Any]:
    reason = {"reason": "Recognised"} if what == "waivers" else {}
    return {"node": str(here.node().id), **reason, **fields}


def test_standing_tells_status_reason_and_what_next(here: World, staff: APIClient) -> None:
    here.stage.graded(RIGHT)
    here.evaluate()

    body = staff.get(address(here)).json()

    [tree] = body["sets"]
    quiz, lab = tree["requirements"][1:]
    assert body["id"] == str(here.enrollment.id)
    assert (tree["purpose"], tree["set_version"]) == ("certification", str(here.version.id))
    assert [
        (one["key"], one["status"], one["recorded_status"]) for one in tree["requirements"]
    ] == [
        ("root", "pending", None),
        ("quiz", "satisfied", "satisfied"),
        ("lab", "pending", None),
    ]
    assert quiz["evaluation"] == str(evaluation_of(here.enrollment, "quiz").id)
    assert (quiz["have"], quiz["explanation"]["text"]) == ("100", "Passed with 100 %.")
    assert (lab["node"], lab["explanation"]["reason"]) == (
        str(here.node().id),
        "awaiting_signoff",
    )
    assert [(step["code"], step["requirement"]) for step in tree["next_actions"]] == [
        ("await_signoff", "lab")
    ]


def test_standing_is_for_the_learner_and_the_staff_of_the_cohort(here: World) -> None:
    other = here.another("Bob")
    seen = {
        "the learner": api(here.learner),
        "staff": api(instructor_of(here.stage.cohort)),
        "an auditor": api(member(OrgRole.AUDITOR)),
    }
    unseen = {
        "another learner": api(other.contact),
        "staff of another cohort": api(instructor_of(here.elsewhere)),
        "a member": api(member()),
    }

    assert {
        who: client.get(address(here)).status_code for who, client in seen.items()
    } == dict.fromkeys(seen, 200)
    assert {
        who: client.get(address(here)).status_code for who, client in unseen.items()
    } == dict.fromkeys(unseen, 404)
    assert api().get(address(here)).status_code == 401


def test_standing_under_an_alias_is_ones_own(here: World) -> None:
    account = member()
    here.learner.merged_into = account
    here.learner.save(update_fields=["merged_into"])

    assert api(account).get(address(here)).status_code == 200


def test_standing_takes_the_same_statements_for_few_and_many_requirements(
    here: World, owner: APIClient
) -> None:
    few = statements(owner, address(here))
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    more = [signoff(f"s{n}") for n in range(20)]
    draw(draft, *more)
    for n in range(20):
        draft.edges.create(
            source=draft.nodes.get(key=f"s{n}"),
            target=draft.nodes.get(key="root"),
            kind="member",
        )
    second = publish(version=draft, actor=None, at=AUTHORED)
    assign_requirements(
        enrollment=here.enrollment, set_version=second, actor=None, reason="More", at=NOON
    )

    assert statements(owner, address(here)) == few


def test_sign_off_is_recorded_once_and_owes_an_evaluation(here: World, staff: APIClient) -> None:
    first = staff.post(address(here, "sign-offs"), asked(here, "sign-offs", reason="Seen"))
    again = staff.post(address(here, "sign-offs"), asked(here, "sign-offs"))
    here.evaluate(now())

    row = SignOff.objects.get()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["id"], first.json()["status"], first.json()["reason"]) == (
        str(row.id),
        "given",
        "Seen",
    )
    assert decided(here.enrollment) == [("lab", "satisfied")]
    assert AdminAction.objects.filter(action="requirements.signoff_given").count() == 1


def test_sign_off_under_one_key_twice_is_answered_alike(here: World, staff: APIClient) -> None:
    def ask() -> tuple[int, Any]:
        response = staff.post(
            address(here, "sign-offs"), asked(here, "sign-offs"), headers={"Idempotency-Key": "k"}
        )
        return response.status_code, response.json()

    first, again = ask(), ask()

    assert first == again
    assert first[0] == 201


def test_withdraw_sign_off_needs_a_reason_and_the_one_in_force(
    here: World, staff: APIClient
) -> None:
    given = staff.post(address(here, "sign-offs"), asked(here, "sign-offs")).json()["id"]
    back = f"/v1/requirements/sign-offs/{given}/withdraw"

    blank = staff.post(back, {"reason": " "})
    withdrawn = staff.post(back, {"reason": "Mixed up"})
    new = staff.post(address(here, "sign-offs"), asked(here, "sign-offs"))
    outdated = staff.post(back, {"reason": "Mixed up"})

    assert codes(blank) == [("reason", "blank")]
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "withdrawn")
    assert new.status_code == 201
    assert problem_of(outdated) == (409, "urn:assay:problem:not-signed-off")
    assert list(SignOff.objects.order_by("revision").values_list("status", flat=True)) == [
        "given",
        "withdrawn",
        "given",
    ]


def test_withdraw_of_a_sign_off_from_an_earlier_version_counts_in_the_next(
    here: World, staff: APIClient
) -> None:
    given = staff.post(address(here, "sign-offs"), asked(here, "sign-offs")).json()["id"]
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    second = publish(version=draft, actor=None, at=AUTHORED)
    assign_requirements(
        enrollment=here.enrollment,
        set_version=second,  # type: ignore[arg-type]
        actor=None,
        reason="Next",
        at=now(),
    )

    withdrawn = staff.post(f"/v1/requirements/sign-offs/{given}/withdraw", {"reason": "No"})

    assert withdrawn.status_code == 200
    assert withdrawn.json()["node"] == str(second.nodes.get(key="lab").id)  # type: ignore[attr-defined]


def test_waiver_until_a_moment_and_its_withdrawal(here: World, owner: APIClient) -> None:
    until = (now() + timedelta(days=30)).isoformat()

    granted = owner.post(address(here, "waivers"), asked(here, "waivers", expires_at=until))
    again = owner.post(address(here, "waivers"), asked(here, "waivers", expires_at=until))
    here.evaluate(now())
    back = f"/v1/requirements/waivers/{granted.json()['id']}/withdraw"
    withdrawn = owner.post(back, {"reason": "Forged papers"})
    outdated = owner.post(back, {"reason": "Forged papers"})
    here.evaluate(now())

    assert (granted.status_code, again.status_code, withdrawn.status_code) == (201, 200, 200)
    assert granted.json()["expires_at"] is not None
    assert problem_of(outdated) == (409, "urn:assay:problem:not-waived")
    assert decided(here.enrollment) == [("lab", "waived"), ("lab", "reopened")]


def test_nobody_decides_about_their_own_requirements(here: World) -> None:
    boss = member(OrgRole.OWNER)
    here.learner.merged_into = boss
    here.learner.save(update_fields=["merged_into"])
    client = api(boss)

    refused = {
        what: problem_of(client.post(address(here, what), asked(here, what))) for what in WORDS
    }

    assert refused == dict.fromkeys(WORDS, (403, "urn:assay:problem:own-work"))
    assert not SignOff.objects.exists()
    assert not Waiver.objects.exists()


def test_instructors_sign_off_in_their_cohorts_and_waive_nowhere(
    here: World, staff: APIClient
) -> None:
    stranger = api(instructor_of(here.elsewhere))

    assert staff.post(address(here, "sign-offs"), asked(here, "sign-offs")).status_code == 201
    assert staff.post(address(here, "waivers"), asked(here, "waivers")).status_code == 403
    assert stranger.post(address(here, "sign-offs"), asked(here, "sign-offs")).status_code == 404


@pytest.mark.parametrize("what", WORDS)
def test_learners_and_auditors_say_nothing_about_requirements(here: World, what: str) -> None:
    for client in (api(here.learner), api(member(OrgRole.AUDITOR))):
        assert problem_of(client.post(address(here, what), asked(here, what))) == (
            403,
            "urn:assay:problem:permission-denied",
        )


def test_an_instructor_who_learns_in_a_cohort_signs_nothing_off_there(here: World) -> None:
    colleague = member(OrgRole.INSTRUCTOR)
    here.learner.merged_into = colleague
    here.learner.save(update_fields=["merged_into"])

    response = api(colleague).post(address(here, "sign-offs"), asked(here, "sign-offs"))

    assert problem_of(response) == (403, "urn:assay:problem:forbidden")


def test_sign_off_needs_the_capability_that_the_requirement_names(
    here: World, staff: APIClient, owner: APIClient
) -> None:
    draft = new_draft(definition=here.version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    draft.nodes.filter(key="lab").update(signoff_capability="award")
    second = publish(version=draft, actor=None, at=AUTHORED)
    assign_requirements(
        enrollment=here.enrollment, set_version=second, actor=None, reason="Next", at=NOON
    )
    lab = {"node": str(second.nodes.get(key="lab").id)}

    assert staff.post(address(here, "sign-offs"), lab).status_code == 403
    assert staff.post(address(here, "sign-offs"), asked(here, "sign-offs")).status_code == 403
    assert owner.post(address(here, "sign-offs"), lab).status_code == 201


@pytest.mark.parametrize("what", WORDS)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"node": None}, ("node", "null")),
        ({"node": "seven"}, ("node", "invalid")),
        ({"node": ["x"]}, ("node", "invalid")),
        ({"reason": {"a": 1}}, ("reason", "invalid")),
        ({"reason": "x" * 2_001}, ("reason", "max-length")),
        ({"colour": "red"}, ("colour", "unknown")),
    ],
)
def test_words_with_bad_input_tell_the_field(
    here: World, owner: APIClient, what: str, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    response = owner.post(address(here, what), asked(here, what, **changes))

    assert expected in codes(response)


def test_waiver_without_reason_or_in_the_past_is_refused(here: World, owner: APIClient) -> None:
    past = (now() - timedelta(days=1)).isoformat()

    blank = owner.post(address(here, "waivers"), asked(here, "waivers", reason=""))
    late = owner.post(address(here, "waivers"), asked(here, "waivers", expires_at=past))
    odd = owner.post(address(here, "waivers"), asked(here, "waivers", expires_at="soon"))

    assert codes(blank) == [("reason", "blank")]
    assert problem_of(late) == (422, "urn:assay:problem:already-expired")
    assert codes(odd) == [("expires_at", "invalid")]


@pytest.mark.parametrize("what", WORDS)
def test_word_about_an_unknown_requirement_is_not_found(
    here: World, owner: APIClient, what: str
) -> None:
    response = owner.post(address(here, what), asked(here, what, node=str(UNKNOWN)))

    assert problem_of(response) == (404, "urn:assay:problem:not-found")
    assert response.json()["errors"][0]["field"] == "node"


def test_sign_off_of_something_else_is_refused(here: World, owner: APIClient) -> None:
    quiz = str(here.node("quiz").id)

    response = owner.post(address(here, "sign-offs"), {"node": quiz})

    assert problem_of(response) == (409, "urn:assay:problem:not-required")


def words_of(here: World) -> dict[str, str]:
    """Say something about the learner; return the addresses of what was said."""
    about = {"enrollment": here.enrollment, "node": here.node(), "actor": here.stage.grader}
    given = sign_off(**about, at=NOON)  # type: ignore[arg-type]
    granted = waive(**about, at=NOON, reason="Recognised")  # type: ignore[arg-type]
    return {
        "sign-offs": f"/v1/requirements/sign-offs/{given.id}",
        "waivers": f"/v1/requirements/waivers/{granted.id}",
    }


@pytest.mark.parametrize("what", WORDS)
def test_words_are_seen_by_the_learner_and_staff_of_the_cohort(here: World, what: str) -> None:
    row = words_of(here)[what]
    seen = [api(here.learner), api(instructor_of(here.stage.cohort))]
    unseen = [api(here.another("Bob").contact), api(instructor_of(here.elsewhere))]

    assert [client.get(row).status_code for client in seen] == [200, 200]
    assert [client.get(row).status_code for client in unseen] == [404, 404]
    assert [
        len(client.get(f"/v1/requirements/{what}").json()["results"]) for client in seen + unseen
    ] == [1, 1, 0, 0]


@pytest.mark.parametrize("what", WORDS)
def test_withdraw_in_a_foreign_cohort_is_not_found(here: World, what: str) -> None:
    row = words_of(here)[what]
    foreign = api(instructor_of(here.elsewhere))

    response = foreign.post(f"{row}/withdraw", {"reason": "No"})

    assert response.status_code == (404 if what == "sign-offs" else 403)


@pytest.mark.parametrize("what", WORDS)
def test_lists_of_words_take_the_same_statements_for_2_and_20_rows(
    here: World, owner: APIClient, what: str
) -> None:
    taken = []
    for size in (2, 18):
        for n in range(size):
            enrollment = here.another(f"L{size}-{n}")
            assign_requirements(
                enrollment=enrollment,
                set_version=here.version,
                actor=None,
                reason="Test",
                at=NOON,
            )
            about = {"enrollment": enrollment, "node": here.node(), "actor": here.stage.grader}
            sign_off(**about, at=NOON)  # type: ignore[arg-type]
            waive(**about, at=NOON, reason="Recognised")  # type: ignore[arg-type]
        taken.append(statements(owner, f"/v1/requirements/{what}"))

    assert taken[0] == taken[1]


def test_what_is_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = world()
        words = words_of(theirs)
        addresses = [address(theirs, what) for what in ("requirements", *WORDS)]
        node = str(theirs.node().id)
    owner = api(member(OrgRole.OWNER))

    found = [
        owner.get(addresses[0]),
        *(owner.post(a, {"node": node, "reason": "No"}) for a in addresses[1:]),
        *(owner.get(row) for row in words.values()),
        *(owner.post(f"{row}/withdraw", {"reason": "No"}) for row in words.values()),
    ]

    assert [response.status_code for response in found] == [404] * 7
