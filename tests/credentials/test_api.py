"""/v1: templates, awards, holds, and who may see and do what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.models import CohortStaff, StaffRole
from apps.contacts.models import AdminAction, Contact
from apps.contacts.services import merge_contacts
from apps.core.tenancy import tenant_context
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CertificationTemplate,
    CertificationTemplateVersion,
    CredentialDocument,
)
from apps.credentials.services import consider_awards, open_hold
from apps.organizations.models import Organization, OrgRole
from tests.clients import api, problem_of
from tests.cohorts.factories import NOON
from tests.credentials.factories import World, draft_template, event_line, world
from tests.factories import member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def it() -> World:
    return world()


@pytest.fixture
def registrar() -> Contact:
    return member(OrgRole.ADMIN, name="Registrar")


def learner(it: World) -> Contact:
    """Return the learner, with a login."""
    return it.enrollment.contact


def staff(it: World) -> Contact:
    """Return an instructor of the learner's cohort."""
    person = member(OrgRole.INSTRUCTOR, name="Ines")
    CohortStaff.objects.create(cohort=it.scene.cohort, contact=person, role=StaffRole.INSTRUCTOR)
    return person


# --- Templates -----------------------------------------------------------------------------------
def test_a_template_is_authored_and_published(it: World, registrar: Contact) -> None:
    client = api(registrar)
    made = client.post(
        "/v1/certification-templates",
        {
            "slug": "rescuer",
            "title": "Rescuer",
            "type": "badge",
            "program": str(it.template.program_id),
        },
    )
    assert made.status_code == 201, made.json()
    draft = client.post(f"/v1/certification-templates/{made.json()['id']}/draft")
    assert draft.status_code == 201
    version = f"/v1/certification-template-versions/{draft.json()['id']}"
    assert problem_of(client.post(f"{version}/publish")) == (
        409,
        "urn:assay:problem:not-publishable",
    )

    changed = client.patch(
        version,
        {
            "name": "Rescuer",
            "description": "Gets people out.",
            "criteria_markdown": "Everything.",
            "requirement_set": str(it.requirements.definition_id),
            "award_mode": "manual",
            "validity_days": 730,
            "badge_letters": "R",
            "alignments": [{"target_name": "Rescue", "target_url": "https://skills.example/r"}],
            "tags": ["safety"],
        },
    )
    assert changed.status_code == 200, changed.json()
    published = client.post(f"{version}/publish")
    assert published.status_code == 200, published.json()
    assert (published.json()["number"], published.json()["status"]) == (1, "published")
    assert problem_of(client.patch(version, {"name": "Other"})) == (
        409,
        "urn:assay:problem:not-a-draft",
    )
    assert client.get(f"{version}/diff").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"badge_background": "red"}, "badge_background"),
        ({"badge_letters": "ABCDE"}, "badge_letters"),
        ({"validity_days": 0}, "validity_days"),
        ({"validity_days": 10**12}, "validity_days"),
        ({"award_mode": "magic"}, "award_mode"),
        ({"tags": "safety"}, "tags"),
        ({"tags": ["a", "a"]}, "tags"),
        ({"tags": ["t"] * 21}, "tags"),
        ({"alignments": [{"target_name": "x"}]}, "alignments"),
        ({"alignments": [{"target_name": "x", "target_url": "ftp://x/"}]}, "alignments"),
        ({"alignments": [{"target_name": "x", "target_url": "https://x.example", "z": 1}]}, "z"),
        ({"name": "a\u0007b"}, "name"),
        ({"colour": "red"}, "colour"),
        ({"requirement_set": "00000000-0000-4000-8000-000000000000"}, "requirement_set"),
    ],
    ids=str,
)
def test_bad_input_of_a_draft_is_told_by_field(
    it: World, registrar: Contact, changes: dict[str, Any], field: str
) -> None:
    draft = draft_template(it.requirements, slug="d")
    before = CertificationTemplateVersion.objects.filter(pk=draft.pk).values()[0]

    answer = api(registrar).patch(f"/v1/certification-template-versions/{draft.id}", changes)

    assert answer.status_code == 422, answer.json()
    assert any(field in error["field"] for error in answer.json()["errors"]), answer.json()
    assert CertificationTemplateVersion.objects.filter(pk=draft.pk).values()[0] == before


def test_type_of_a_published_template_stays(it: World, registrar: Contact) -> None:
    answer = api(registrar).patch(
        f"/v1/certification-templates/{it.template.id}", {"type": "badge"}
    )

    assert problem_of(answer) == (409, "urn:assay:problem:frozen")
    assert CertificationTemplate.objects.get(pk=it.template.pk).type == "certificate"


def test_learners_and_strangers_read_no_templates(it: World) -> None:
    assert api(learner(it)).get("/v1/certification-templates").status_code == 403
    assert api().get("/v1/certification-templates").status_code == 401


# --- Awards --------------------------------------------------------------------------------------
def grant(it: World, by: Contact, **headers: str) -> Any:
    return api(by).post(
        "/v1/certification-awards",
        {"enrollment": str(it.enrollment.id), "template": str(it.template.id), "reason": "Board"},
        headers=headers,
    )


def test_an_award_by_hand(it: World, registrar: Contact) -> None:
    it.meet()

    made, again = grant(it, registrar), grant(it, registrar)

    award = CertificationAward.objects.get()
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert made.json() == {
        "id": str(award.id),
        "template": str(it.template.id),
        "template_version": str(it.version.id),
        "enrollment": str(it.enrollment.id),
        "contact": str(it.enrollment.contact_id),
        "evaluation": str(award.evaluation_id),
        "certificate_number": award.certificate_number,
        "legal_name": "Ada",
        "issued_at": award.issued_at.isoformat().replace("+00:00", "Z"),
        "expires_at": None,
        "revoked_at": None,
        "state": "active",
        "granted_by": str(registrar.id),
        "reason": "Board",
        "replaces": None,
        "credential_url": f"http://a.localhost:8000/v1/credentials/{award.id}",
        "page_url": f"http://a.localhost:8000/credentials/{award.id}",
    }


def test_an_award_by_hand_under_a_key_is_answered_alike(it: World, registrar: Contact) -> None:
    it.meet()
    key = {"Idempotency-Key": "award-ada"}

    first, second = grant(it, registrar, **key), grant(it, registrar, **key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert CertificationAward.objects.count() == 1


def test_an_award_that_is_not_confirmed_answers_its_hold(it: World, registrar: Contact) -> None:
    it.meet()
    response = it.enrollment.attempts.get().responses.get(item__key="pi")
    response.value = "2.71"
    response.save(update_fields=["value"])
    key = {"Idempotency-Key": "held"}

    first, second = grant(it, registrar, **key), grant(it, registrar, **key)

    assert (first.status_code, first.json()["code"]) == (202, "results-disagree")
    assert (second.status_code, second.json()) == (202, first.json())
    assert AwardHold.objects.get().details["differences"][0]["stored"] == "3.14"


def test_an_award_while_requirements_are_open_is_refused(it: World, registrar: Contact) -> None:
    assert problem_of(grant(it, registrar)) == (409, "urn:assay:problem:requirements-open")


def test_nobody_awards_themselves(it: World) -> None:
    own = member(OrgRole.ADMIN, name="Adam")
    mine = it.another("Adam-learner")
    mine.meet()
    merge_contacts(source=mine.enrollment.contact, into=own, actor=None)

    assert problem_of(grant(mine, own)) == (403, "urn:assay:problem:own-award")


@pytest.mark.parametrize("field", ["enrollment", "template"])
def test_an_award_of_something_unknown_is_not_found(
    it: World, registrar: Contact, field: str
) -> None:
    body = {
        "enrollment": str(it.enrollment.id),
        "template": str(it.template.id),
        field: "00000000-0000-4000-8000-000000000000",
    }

    assert api(registrar).post("/v1/certification-awards", body).status_code == 404


def test_an_award_is_suspended_reinstated_and_revoked(it: World, registrar: Contact) -> None:
    award = it.awarded()
    client, url = api(registrar), f"/v1/certification-awards/{award.id}"

    states = [
        client.post(f"{url}/{verb}", {"reason": "Board"}).json()["state"]
        for verb in ("suspend", "reinstate", "revoke")
    ]

    assert states == ["suspended", "active", "revoked"]
    assert event_line(award) == ["issued", "suspended", "reinstated", "revoked"]
    events = client.get(f"{url}/events").json()
    assert [(event["type"], event["actor"], event["reason"]) for event in events][1:] == [
        ("suspended", str(registrar.id), "Board"),
        ("reinstated", str(registrar.id), "Board"),
        ("revoked", str(registrar.id), "Board"),
    ]
    assert problem_of(client.post(f"{url}/revoke", {"reason": "Again"})) == (
        409,
        "urn:assay:problem:award-state",
    )


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": 7, "x": 1}])
def test_a_change_without_a_reason_is_refused(
    it: World, registrar: Contact, body: dict[str, Any]
) -> None:
    award = it.awarded()

    answer = api(registrar).post(f"/v1/certification-awards/{award.id}/revoke", body)

    assert answer.status_code == 422
    assert event_line(award) == ["issued"]


def test_who_sees_which_awards(it: World, registrar: Contact) -> None:
    award = it.awarded()
    bob = it.another("Bob")
    bobs = bob.awarded()
    everybody = {str(award.id), str(bobs.id)}

    def seen_by(person: Contact) -> set[str]:
        return {row["id"] for row in api(person).get("/v1/certification-awards").json()["results"]}

    assert seen_by(registrar) == everybody
    assert seen_by(member(OrgRole.AUDITOR)) == everybody
    assert seen_by(staff(it)) == everybody
    assert seen_by(member(OrgRole.INSTRUCTOR)) == set()
    assert seen_by(learner(it)) == {str(award.id)}
    assert api().get("/v1/certification-awards").status_code == 401
    assert api(learner(it)).get(f"/v1/certification-awards/{bobs.id}").status_code == 404


@pytest.mark.parametrize("role", [OrgRole.AUDITOR, OrgRole.INSTRUCTOR, OrgRole.LEARNER])
def test_who_may_not_award_nor_revoke(it: World, role: str) -> None:
    award = it.awarded()
    person = staff(it) if role == OrgRole.INSTRUCTOR else member(role)

    assert grant(it, person).status_code == 403
    url = f"/v1/certification-awards/{award.id}/revoke"
    assert api(person).post(url, {"reason": "No"}).status_code in {403, 404}
    assert event_line(award) == ["issued"]


def test_awards_are_filtered(it: World, registrar: Contact) -> None:
    award = it.awarded()
    it.another("Bob").awarded()
    client = api(registrar)

    for query in (
        f"certificate_number={award.certificate_number}",
        f"contact={award.contact_id}",
        f"enrollment={award.enrollment_id}",
    ):
        found = client.get(f"/v1/certification-awards?{query}").json()["results"]
        assert [row["id"] for row in found] == [str(award.id)], query


@pytest.mark.parametrize("path", ["certification-awards", "credentials", "award-holds"])
def test_lists_cost_the_same_for_two_and_for_six(it: World, registrar: Contact, path: str) -> None:
    def fill(names: list[str]) -> None:
        for name in names:
            one = it.another(name)
            one.awarded()
            open_hold(
                enrollment=one.enrollment,
                template=one.template,
                actor=None,
                reason="Asked",
                at=NOON,
            )

    client = api(registrar)
    fill(["B", "C"])
    client.get(f"/v1/{path}")
    few = count_queries(client, path)
    fill(["D", "E", "F", "G"])

    assert count_queries(client, path) == few


def count_queries(client: Any, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/v1/{path}").status_code == 200
    return len(captured)


# --- Holds ---------------------------------------------------------------------------------------
def test_a_hold_is_opened_and_resolved(it: World, registrar: Contact) -> None:
    client = api(registrar)
    opened = client.post(
        "/v1/award-holds",
        {
            "enrollment": str(it.enrollment.id),
            "template": str(it.template.id),
            "reason": "Identity not checked",
        },
    )
    assert opened.status_code == 201, opened.json()
    it.meet()
    assert consider_awards(it.enrollment.id, at=NOON) == []

    url = f"/v1/award-holds/{opened.json()['id']}/resolve"
    assert client.post(url, {"resolution": "revoked", "reason": "x"}).status_code == 422
    resolved = client.post(url, {"resolution": "released", "reason": "Passport seen"})

    assert (resolved.status_code, resolved.json()["resolution"]) == (200, "released")
    assert problem_of(client.post(url, {"resolution": "refused", "reason": "No"})) == (
        409,
        "urn:assay:problem:hold-resolved",
    )
    assert AdminAction.objects.filter(action="awardhold.released", actor=registrar).count() == 1


def test_who_sees_holds(it: World, registrar: Contact) -> None:
    hold = open_hold(
        enrollment=it.enrollment, template=it.template, actor=None, reason="Asked", at=NOON
    )

    def seen_by(person: Contact) -> list[str]:
        return [row["id"] for row in api(person).get("/v1/award-holds").json()["results"]]

    assert seen_by(registrar) == seen_by(staff(it)) == [str(hold.id)]
    assert seen_by(member(OrgRole.INSTRUCTOR)) == []
    assert api(learner(it)).get("/v1/award-holds").status_code == 403
    url = f"/v1/award-holds/{hold.id}/resolve"
    body = {"resolution": "released", "reason": "Fine"}
    assert api(staff(it)).post(url, body).status_code == 403


# --- Credentials ---------------------------------------------------------------------------------
def test_the_list_of_credentials_names_their_bytes(it: World, registrar: Contact) -> None:
    award = it.awarded()
    document = CredentialDocument.objects.get()

    [row] = api(registrar).get("/v1/credentials").json()["results"]

    assert row == {
        "id": str(award.id),
        "certificate_number": award.certificate_number,
        "media_type": "application/vc",
        "sha256": document.sha256,
        "signed_at": row["signed_at"],
        "url": f"http://a.localhost:8000/v1/credentials/{award.id}",
    }
    assert api(member()).get("/v1/credentials").json()["results"] == []


# --- Another organisation ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "certification-templates/{template}"),
        ("patch", "certification-templates/{template}"),
        ("post", "certification-templates/{template}/draft"),
        ("get", "certification-template-versions/{version}"),
        ("patch", "certification-template-versions/{version}"),
        ("post", "certification-template-versions/{version}/publish"),
        ("post", "certification-template-versions/{version}/retire"),
        ("get", "certification-template-versions/{version}/diff"),
        ("get", "certification-awards/{award}"),
        ("get", "certification-awards/{award}/events"),
        ("post", "certification-awards/{award}/revoke"),
        ("post", "certification-awards/{award}/suspend"),
        ("post", "certification-awards/{award}/reinstate"),
        ("get", "award-holds/{hold}"),
        ("post", "award-holds/{hold}/resolve"),
        ("get", "credentials/{award}"),
        ("get", "credentials/{award}/verify"),
    ],
)
def test_rows_of_another_organisation_are_not_found(
    org_b: Organization, registrar: Contact, method: str, path: str
) -> None:
    with tenant_context(org_b):
        there = world()
        award = there.awarded()
        hold = open_hold(
            enrollment=there.enrollment,
            template=there.template,
            actor=None,
            reason="Asked",
            at=NOON,
        )
        ids = {
            "template": there.template.id,
            "version": there.version.id,
            "award": award.id,
            "hold": hold.id,
        }

    answer = getattr(api(registrar), method)(f"/v1/{path.format(**ids)}", {"reason": "x"})

    assert answer.status_code == 404
    with tenant_context(org_b):
        assert event_line(award) == ["issued"]
        assert AwardHold.objects.get().resolved_at is None
