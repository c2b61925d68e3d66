"""Single sign-on as the only way in: every other door, one by one, and the owner's way around."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import get_resolver, reverse

from apps.accounts.models import User
from apps.contacts.members import change_member, invite_member
from apps.contacts.models import AdminAction, ApiToken, Contact
from apps.core.clock import now
from apps.core.outbox import deliver
from apps.organizations.models import (
    Invitation,
    MembershipStatus,
    Organization,
    OrgMembership,
    OrgRole,
)
from apps.organizations.services import BreakGlassOwner, invitation_token
from apps.sso.models import SsoConnection
from apps.sso.services.connections import ChangeWhileEnforced, describe_oidc, offer_sso
from apps.sso.services.enforcement import (
    NoBreakGlass,
    NotTested,
    change_break_glass,
    enforce_sso,
    relax_sso,
)
from tests.clients import api, browser
from tests.factories import PASSWORD, member
from tests.sso.conftest import SamlProvider, Visitor, principal, refresh_tenant
from tests.walls.endpoints import walk

pytestmark = pytest.mark.django_db


def membership(person: Contact) -> OrgMembership:
    return OrgMembership.objects.get(user_id=person.user_id)


def enforce(owner: Contact, **changes: Any) -> None:
    enforce_sso(
        **{
            "principal": principal(owner),
            "actor": owner,
            "break_glass_id": membership(owner).pk,
            "revokes_tokens": False,
            "at": now(),
            **changes,
        }
    )
    refresh_tenant()


@pytest.fixture
def tested(saml: SamlProvider, owner: Contact) -> SamlProvider:
    """The provider, through which the owner has just come as a test."""
    saml.behave(subject="olga", email="olga@corp.example", name="Olga Owner")
    response = Visitor(owner).sign_in(saml, "/accounts/sso/test/")
    assert response["Location"] == reverse("admin:sso_ssoconnection_changelist")
    refresh_tenant()
    return saml


@pytest.fixture
def enforced(tested: SamlProvider, owner: Contact) -> SamlProvider:
    enforce(owner)
    tested.behave()
    return tested


# --- Before it is switched on -------------------------------------------------------------------


def test_a_test_signs_nobody_in_and_is_noted(tested: SamlProvider, owner: Contact) -> None:
    assert connection.tenant.sso_tested_at is not None
    assert AdminAction.objects.get(action="sso.tested").actor == owner


def test_a_test_as_somebody_else_proves_nothing(saml: SamlProvider, owner: Contact) -> None:
    visitor = Visitor(owner)

    visitor.sign_in(saml, "/accounts/sso/test/")

    assert refresh_tenant().sso_tested_at is None
    assert visitor.user_id == str(owner.user_id)


def test_only_an_owner_tests(saml: SamlProvider) -> None:
    admin = member(OrgRole.ADMIN)

    assert browser(admin).get("/accounts/sso/test/").status_code == 403
    assert browser().get("/accounts/sso/test/").status_code == 403


def test_without_a_test_nothing_is_enforced(saml: SamlProvider, owner: Contact) -> None:
    with pytest.raises(NotTested):
        enforce(owner)


def test_a_test_of_more_than_an_hour_ago_does_not_count(
    tested: SamlProvider, owner: Contact
) -> None:
    with pytest.raises(NotTested):
        enforce(owner, at=now() + timedelta(minutes=61))


def test_the_break_glass_owner_is_an_active_owner_with_a_password(
    tested: SamlProvider, owner: Contact
) -> None:
    admin = member(OrgRole.ADMIN)
    passwordless = member(OrgRole.OWNER)
    User.objects.filter(pk=passwordless.user_id).update(password="!")

    for person in (admin, passwordless):
        with pytest.raises(NoBreakGlass):
            enforce(owner, break_glass_id=membership(person).pk)


@pytest.mark.parametrize(
    "change",
    [
        {"sso_enforced": True},
        {"sso_enforced": True, "sso_provider": "saml"},
        {"sso_enforced": True, "sso_provider": "saml", "sso_tested_at": now()},
        {
            "sso_enforced": True,
            "sso_provider": "saml",
            "sso_tested_at": now() - timedelta(hours=2),
            "sso_enforced_at": now(),
        },
        {"sso_provider": "ldap"},
    ],
)
def test_the_database_refuses_to_enforce_what_is_not_ready(
    owner: Contact, org_a: Organization, change: dict[str, Any]
) -> None:
    found = membership(owner)
    with (
        connection.platform(),
        pytest.raises(IntegrityError, match=r"sso_enforced_only_when_tested|sso_provider_is_known"),
        transaction.atomic(),
    ):
        Organization.objects.filter(pk=org_a.pk).update(sso_break_glass=found, **change)


def test_the_database_refuses_a_break_glass_owner_of_another_role(
    org_a: Organization,
) -> None:
    found = membership(member(OrgRole.ADMIN))
    with (
        connection.platform(),
        pytest.raises(IntegrityError, match="break_glass_is_an_active_owner"),
        transaction.atomic(),
    ):
        Organization.objects.filter(pk=org_a.pk).update(sso_break_glass=found)


def test_the_break_glass_owner_can_be_neither_demoted_nor_deactivated(
    enforced: SamlProvider, owner: Contact
) -> None:
    second = member(OrgRole.OWNER)
    for change in ({"org_role": OrgRole.ADMIN}, {"status": MembershipStatus.DEACTIVATED}):
        with pytest.raises(BreakGlassOwner):
            change_member(
                membership_id=membership(owner).pk,
                principal=principal(second),
                actor=second,
                **change,
            )


def test_another_provider_must_be_described_before_it_is_enforced(
    enforced: SamlProvider, owner: Contact
) -> None:
    with pytest.raises(ChangeWhileEnforced):
        describe_oidc(
            principal=principal(owner),
            actor=owner,
            at=now(),
            issuer="https://op.example",
            client_id="x",
            client_secret="y",
        )
    with pytest.raises(ChangeWhileEnforced):
        offer_sso(principal=principal(owner), actor=owner, is_offered=False)


# --- The doors ----------------------------------------------------------------------------------


def signs_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_provider_is_open(enforced: SamlProvider) -> None:
    visitor = Visitor()

    visitor.sign_in(enforced)

    assert visitor.client.get("/account").status_code == 200


def test_the_sign_in_page_shows_the_provider_and_no_password(enforced: SamlProvider) -> None:
    page = browser().get("/accounts/login/").content.decode()

    assert "/accounts/sso/" in page
    assert "/accounts/break-glass/" in page
    assert 'name="password"' not in page
    assert "passkey" not in page


# Address -> why it is no door, or what of it is tried below.
OPEN = {
    "accounts/login/": "shows the provider; its POST is tried",
    "accounts/break-glass/": "the owner's way, tried below",
    "accounts/logout/": "leads out",
    "accounts/inactive/": "tells only",
    "accounts/signup/": "registration is closed",
    "accounts/reauthenticate/": "for whoever is in",
    "accounts/password/change/": "for whoever is in, not through the provider",
    "accounts/password/set/": "for whoever is in, not through the provider",
    "accounts/sso/": "the provider",
    "accounts/sso/test/": "for owners who are in",
    "accounts/sso/saml/acs/": "the provider",
    "accounts/sso/saml/finish/": "the provider",
    "accounts/sso/saml/metadata/": "tells only",
    "accounts/sso/oidc/callback/": "the provider",
}
RESET_LINK = "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"
CLOSED = {
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/password/reset/key/done/",
    f"accounts/{RESET_LINK}",
    "accounts/2fa/keys/login/",
}


def is_for_who_is_in(route: str) -> bool:
    return route.startswith("accounts/2fa/") and route not in CLOSED


def test_every_address_about_signing_in_is_known_as_open_or_closed() -> None:
    routes = {one.route for one in walk(get_resolver()) if one.route.startswith("accounts/")}

    assert {route for route in routes if not is_for_who_is_in(route)} == {*OPEN, *CLOSED}


@pytest.mark.parametrize("route", sorted(CLOSED))
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_closed_door_says_so(enforced: SamlProvider, route: str, method: str) -> None:
    path = "/" + route.replace(
        "^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", "password/reset/key/1-x/"
    )

    response = getattr(browser(), method)(path)

    assert response.status_code == 403
    assert "identity provider only" in response.content.decode()


def test_a_password_opens_nothing(enforced: SamlProvider) -> None:
    person = member(email="ada@corp.example")
    client = browser()

    response = client.post("/accounts/login/", {"login": "ada@corp.example", "password": PASSWORD})

    assert (response.status_code, signs_in(client)) == (403, False)
    assert principal(person)


def test_no_reset_link_is_mailed(enforced: SamlProvider, owner: Contact) -> None:
    browser().post("/accounts/password/reset/", {"email": "olga@corp.example"})

    assert mail.outbox == []


def test_the_back_office_leads_to_the_same_page(enforced: SamlProvider) -> None:
    response = browser().post(
        "/admin/login/", {"username": "olga@corp.example", "password": PASSWORD}
    )

    assert response["Location"].startswith("/accounts/login/")


def test_a_session_from_before_is_over(tested: SamlProvider, owner: Contact) -> None:
    client = browser(member(OrgRole.ADMIN))
    before = client.get("/v1/me").status_code
    enforce(owner)

    again = browser()  # another process, which has not looked the host up yet
    again.cookies = client.cookies
    page, api_answer = again.get("/account"), again.get("/v1/me")

    assert (before, page.status_code, api_answer.status_code) == (200, 302, 401)


def invited(owner: Contact, email: str, role: str = OrgRole.INSTRUCTOR) -> Invitation:
    return invite_member(
        email=email, org_role=role, principal=principal(owner), actor=owner, at=now()
    )


def test_an_invitation_is_not_accepted_with_a_password(
    enforced: SamlProvider, owner: Contact
) -> None:
    path = f"/invitations/{invitation_token(invited(owner, 'ada@corp.example').id)}"
    client = browser()

    page = client.get(path)
    response = client.post(path, {"display_name": "Ada", "password": "a long enough one"})

    assert "/accounts/sso/" in page.content.decode()
    assert 'name="password"' not in page.content.decode()
    assert (response.status_code, signs_in(client)) == (403, False)
    with connection.platform():
        assert not User.objects.filter(email="ada@corp.example").exists()


def test_an_invitation_is_accepted_by_signing_in_and_gives_its_role(
    enforced: SamlProvider, owner: Contact
) -> None:
    invitation = invited(owner, "ada@corp.example")

    Visitor().sign_in(enforced)

    with connection.platform():
        accepted = Invitation.objects.get(pk=invitation.pk).accepted_at
    assert accepted is not None
    assert OrgMembership.objects.get(user__email="ada@corp.example").org_role == OrgRole.INSTRUCTOR


def test_nobody_makes_tokens_unless_owners_let_admins(
    enforced: SamlProvider, owner: Contact
) -> None:
    enforced.behave(subject="olga", email="olga@corp.example")
    visitor = Visitor()
    visitor.sign_in(enforced)
    form = {"name": "script"}

    page = visitor.client.get("/account/tokens").content.decode()
    refused = [
        visitor.client.post("/account/tokens", form).status_code,
        visitor.client.post("/v1/tokens", form, "application/json").status_code,
        api(owner).post("/v1/tokens", form).status_code,
    ]
    with connection.platform():
        SsoConnection.objects.update(admins_make_tokens=True)
    allowed = visitor.client.post("/account/tokens", form).status_code
    by_token = api(owner).post("/v1/tokens", form).status_code

    assert "make no tokens" in page
    assert (refused, allowed, by_token) == ([403, 403, 403], 200, 403)


def test_tokens_can_be_revoked_along(tested: SamlProvider, owner: Contact) -> None:
    client = api(member())
    enforce(owner, revokes_tokens=True)

    assert client.get("/v1/me").status_code == 401
    assert ApiToken.objects.filter(revoked_at=None).count() == 0


def test_through_the_provider_nobody_touches_the_account(enforced: SamlProvider) -> None:
    visitor = Visitor()
    visitor.sign_in(enforced)
    addresses = [
        "/accounts/password/change/",
        "/accounts/password/set/",
        "/accounts/reauthenticate/",
        *(
            "/" + one.route.replace("<int:pk>", "1")
            for one in walk(get_resolver())
            if is_for_who_is_in(one.route) and one.route != "accounts/2fa/authenticate/"
        ),
    ]

    answers = {
        (address, method): getattr(visitor.client, method)(address).status_code
        for address in addresses
        for method in ("get", "post")
    }

    assert len(addresses) > 10
    assert set(answers.values()) == {403}


# --- The owner's way around ---------------------------------------------------------------------


def break_glass(email: str, password: str = PASSWORD) -> tuple[Client, Any]:
    client = browser()
    response = client.post("/accounts/break-glass/", {"login": email, "password": password})
    return client, response


def test_the_break_glass_owner_comes_in_and_every_owner_is_told(
    enforced: SamlProvider, owner: Contact
) -> None:
    member(OrgRole.OWNER, email="second@corp.example")

    client, response = break_glass("olga@corp.example")

    assert response.status_code == 302
    assert client.get("/admin/").status_code == 200
    noted = AdminAction.objects.filter(action="login").latest("recorded_at")
    assert (noted.actor, noted.details) == (owner, {"door": "break-glass"})
    deliver("sso.break_glass_used", str(owner.user_id))
    assert sorted(one.to[0] for one in mail.outbox) == ["olga@corp.example", "second@corp.example"]
    assert "olga@corp.example" in mail.outbox[0].body


def test_nobody_else_comes_in_there_nor_learns_who_could(enforced: SamlProvider) -> None:
    member(OrgRole.OWNER, email="second@corp.example")

    other, right = break_glass("second@corp.example")
    _client, wrong = break_glass("olga@corp.example", "a wrong one")
    _client, unknown = break_glass("nobody@corp.example")

    assert not signs_in(other)
    told = [answer.context["form"].non_field_errors() for answer in (right, wrong, unknown)]
    assert told[0] == told[1] == told[2]
    assert len(told[0]) == 1


def test_without_enforcement_there_is_no_such_page(saml: SamlProvider) -> None:
    _client, response = break_glass("olga@corp.example")

    assert response["Location"] == "/accounts/login/"


def test_another_break_glass_owner_ends_the_first_ones_session(
    enforced: SamlProvider, owner: Contact
) -> None:
    second = member(OrgRole.OWNER)
    client, _response = break_glass("olga@corp.example")

    change_break_glass(
        principal=principal(second), actor=second, break_glass_id=membership(second).pk
    )
    refresh_tenant()

    assert client.get("/account").status_code == 302


def test_what_is_relaxed_opens_again(enforced: SamlProvider, owner: Contact) -> None:
    person = member(email="ada@corp.example")
    relax_sso(principal=principal(owner), actor=owner)
    refresh_tenant()
    client = browser()

    client.post("/accounts/login/", {"login": "ada@corp.example", "password": PASSWORD})

    assert client.session["_auth_user_id"] == str(person.user_id)
