"""People under /v1."""

from __future__ import annotations

import pytest
from django.core import mail
from django.db import connection

from apps.contacts.models import AdminAction, ApiToken, Contact
from apps.organizations.models import Organization, OrgMembership, OrgRole
from tests.clients import api, browser, problem_of
from tests.factories import PASSWORD, contact, member
from tests.outbox import drain

pytestmark = pytest.mark.django_db


def test_me_tells_role_and_capabilities() -> None:
    ada = member(OrgRole.AUDITOR)

    body = api(ada).get("/v1/me").json()

    assert body == {
        "contact": str(ada.id),
        "org_role": "auditor",
        "capabilities": [
            "audit_read",
            "read_conversations",
            "use_back_office",
            "view_analytics",
            "view_commerce",
            "view_content",
            "view_learners",
        ],
        "cohorts": None,
    }


def test_a_stranger_is_asked_to_sign_in() -> None:
    response = api().get("/v1/me")

    assert problem_of(response) == (401, "urn:assay:problem:not-authenticated")
    assert response["WWW-Authenticate"] == 'Bearer realm="assay"'
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("field", ["revoked_at", "expires_at"])
def test_a_token_that_ended_is_refused(field: str) -> None:
    client = api(member())
    ApiToken.objects.update(**{field: "2020-01-01T00:00:00Z"})

    assert problem_of(client.get("/v1/me")) == (401, "urn:assay:problem:invalid-token")


def test_a_scope_narrows_what_the_role_allows() -> None:
    client = api(member(OrgRole.ADMIN), scopes=("view_learners",))

    assert client.get("/v1/contacts").status_code == 200
    assert client.post("/v1/contacts", {"display_name": "X"}).status_code == 403


def test_create_contact_answers_it_and_leaves_a_record() -> None:
    response = api(member(OrgRole.ADMIN)).post(
        "/v1/contacts", {"display_name": "Ada", "email": "ada@example.org"}
    )

    assert response.status_code == 201
    assert response.json()["channels"][0]["value"] == "ada@example.org"
    assert AdminAction.objects.filter(
        action="contact.created", entity_id=response.json()["id"]
    ).exists()


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "display_name", "required"),
        ({"display_name": "A", "colour": "red"}, "colour", "unknown"),
        ({"display_name": ["A"]}, "display_name", "invalid"),
        ({"display_name": 5}, "display_name", "invalid"),
        ({"display_name": "A" * 201}, "display_name", "max-length"),
        ({"display_name": "A", "email": "nobody"}, "email", "invalid"),
    ],
)
def test_create_contact_with_bad_input_tells_the_field(
    body: dict[str, object], field: str, code: str
) -> None:
    response = api(member(OrgRole.ADMIN)).post("/v1/contacts", body)

    assert response.status_code == 422
    assert [(e["field"], e["code"]) for e in response.json()["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"display_name": "a\\u0000b"}', 400),
        (b'{"display_name": "\\ud800"}', 400),
        (b'{"display_name": NaN}', 400),
        (b'{"display_name": "a", "display_name": "b"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"display_name": ' + b"9" * 5000 + b"}", 400),
        (b'"' + b"x" * (10 * 1024 * 1024) + b'"', 413),
        (b"[1, 2]", 422),
        (b"null", 422),
    ],
    ids=[
        "cut-off",
        "nul",
        "surrogate",
        "nan",
        "said-twice",
        "not-utf8",
        "deep",
        "huge-number",
        "10-mb",
        "list",
        "null",
    ],
)
def test_hostile_json_is_refused_precisely(body: bytes, status: int) -> None:
    response = api(member(OrgRole.ADMIN)).post(
        "/v1/contacts", body, content_type="application/json"
    )

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"


def test_the_same_idempotency_key_gives_one_contact_and_the_same_answer() -> None:
    client = api(member(OrgRole.ADMIN))

    def post(name: str) -> tuple[int, dict[str, object]]:
        response = client.post(
            "/v1/contacts", {"display_name": name}, headers={"Idempotency-Key": "k1"}
        )
        return response.status_code, response.json()

    first, again, other = post("Ada"), post("Ada"), post("Eve")

    assert first == again
    assert Contact.objects.filter(display_name="Ada").count() == 1
    assert (other[0], other[1]["type"]) == (422, "urn:assay:problem:idempotency-key-reused")


def test_a_learner_sees_no_contacts() -> None:
    assert problem_of(api(member()).get("/v1/contacts"))[0] == 403


def test_if_match_refuses_what_changed_in_between() -> None:
    client = api(member(OrgRole.ADMIN))
    ada = contact("Ada")
    tag = client.get(f"/v1/contacts/{ada.id}")["ETag"]
    Contact.objects.filter(pk=ada.pk).update(display_name="Ada L.")

    stale = client.patch(f"/v1/contacts/{ada.id}", {"display_name": "X"}, headers={"If-Match": tag})

    assert problem_of(stale) == (412, "urn:assay:problem:stale")


def test_merge_over_the_api() -> None:
    source, into = contact("Old"), contact("New")

    response = api(member(OrgRole.ADMIN)).post(
        f"/v1/contacts/{into.id}/merge", {"contact": str(source.id)}
    )

    assert response.status_code == 200
    source.refresh_from_db()
    assert source.merged_into == into


def test_invitation_is_mailed_and_joins_the_rosters_contact(org_a: Organization) -> None:
    ada = contact("Ada", email="ada@example.org")
    client = api(member(OrgRole.OWNER))

    response = client.post("/v1/members/invite", {"email": "Ada@example.org"})
    drain()

    assert response.status_code == 201
    [message] = mail.outbox
    assert message.to == ["ada@example.org"]
    link = next(word for word in message.body.split() if "/invitations/" in word)
    assert link.startswith("http://a.localhost:8000/invitations/")
    assert ada.user_id is None


def test_an_admin_cannot_make_an_owner() -> None:
    response = api(member(OrgRole.ADMIN)).post(
        "/v1/members/invite", {"email": "x@example.org", "org_role": "owner"}
    )

    assert problem_of(response) == (403, "urn:assay:problem:owners-only")


def test_the_last_owner_stays(org_a: Organization) -> None:
    owner = member(OrgRole.OWNER)
    membership = OrgMembership.objects.get(user_id=owner.user_id)

    response = api(owner).patch(f"/v1/members/{membership.id}", {"status": "deactivated"})

    assert problem_of(response) == (409, "urn:assay:problem:last-owner")


def test_a_deactivated_member_is_out_at_once(org_a: Organization) -> None:
    owner, ada = member(OrgRole.OWNER), member(OrgRole.ADMIN)
    membership = OrgMembership.objects.get(user_id=ada.user_id)
    token, page = api(ada), browser(ada)
    assert token.get("/v1/me").status_code == page.get("/v1/me").status_code == 200

    api(owner).patch(f"/v1/members/{membership.id}", {"status": "deactivated"})

    assert token.get("/v1/me").status_code == page.get("/v1/me").status_code == 401


def test_sign_in_with_e_mail_and_password() -> None:
    ada = member(OrgRole.OWNER, email="ada@example.org")
    client = browser()

    wrong = client.post("/accounts/login/", {"login": "ada@example.org", "password": "nope"})
    right = client.post("/accounts/login/", {"login": "ada@example.org", "password": PASSWORD})

    assert (wrong.status_code, right.status_code) == (200, 302)
    assert client.get("/v1/me").json()["contact"] == str(ada.id)
    assert AdminAction.objects.filter(action="login", actor=ada).count() == 1


def test_a_user_of_another_organisation_cannot_sign_in(org_b: Organization) -> None:
    with connection.platform():
        pass
    client = browser()

    response = client.post("/accounts/login/", {"login": "boole@b.example", "password": PASSWORD})

    assert response.status_code == 200


def test_the_back_office_refuses_learners_and_lets_staff_in() -> None:
    assert browser().get("/admin/")["Location"].startswith("/admin/login/")
    assert browser(member()).get("/admin/", follow=True).status_code == 403
    assert browser(member(OrgRole.INSTRUCTOR)).get("/admin/").status_code == 200
