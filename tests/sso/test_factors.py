"""Second factors: set up on the account's pages, asked at the door, wanted of staff."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client

from apps.contacts.models import Contact
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from apps.sso.services.connections import OwnersChangeSso
from apps.sso.services.factors import require_factors
from tests.clients import api, browser, problem_of
from tests.factories import PASSWORD, member
from tests.sso.conftest import SamlProvider, Visitor, principal, refresh_tenant

pytestmark = pytest.mark.django_db


def code_of(secret: str, *, step: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step)))


def sign_in(email: str) -> tuple[Client, Any]:
    client = browser()
    response = client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    return client, response


def set_up_app(client: Client) -> str:
    """Set up an authenticator app through its pages, and return the app's secret."""
    client.post(
        "/accounts/reauthenticate/?next=/accounts/2fa/totp/activate/", {"password": PASSWORD}
    )
    page = client.get("/accounts/2fa/totp/activate/")
    secret = str(page.context["form"].secret)
    response = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert response["Location"] == "/accounts/2fa/recovery-codes/", response.content
    return secret


@pytest.fixture
def person(org_a: Organization) -> Contact:
    return member(OrgRole.ADMIN, email="ada@corp.example")


@pytest.fixture
def demanding(org_a: Organization) -> Organization:
    """An organisation that wants a second factor of its staff."""
    owner = member(OrgRole.OWNER)
    require_factors(principal=principal(owner), actor=owner, is_required=True)
    return refresh_tenant()


def test_an_app_is_asked_for_at_the_next_sign_in(person: Contact) -> None:
    secret = set_up_app(browser(person))
    cache.clear()

    client, response = sign_in("ada@corp.example")
    without = "_auth_user_id" in client.session
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    wrong = "_auth_user_id" in client.session
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret, step=1)})

    assert response["Location"] == "/accounts/2fa/authenticate/"
    assert (without, wrong) == (False, False)
    assert client.session["_auth_user_id"] == str(person.user_id)


def test_recovery_codes_are_shown_once_and_work_once(person: Contact) -> None:
    client = browser(person)
    set_up_app(client)
    cache.clear()
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    again = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]

    outcomes = []
    for _attempt in range(2):
        other, _response = sign_in("ada@corp.example")
        other.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        outcomes.append("_auth_user_id" in other.session)

    assert len(codes) == 10
    assert set(again) == {"****"}
    assert outcomes == [True, False]


def test_secrets_rest_sealed(person: Contact) -> None:
    secret = set_up_app(browser(person))

    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_setting_up_a_factor_asks_for_the_password_again(person: Contact) -> None:
    response = browser(person).get("/accounts/2fa/totp/activate/")

    assert response["Location"].startswith("/accounts/reauthenticate/")


def test_an_organisation_sees_the_factors_of_its_members_only(
    person: Contact, org_b: Organization
) -> None:
    set_up_app(browser(person))

    with tenant_context(org_b):
        assert not Authenticator.objects.exists()
        with pytest.raises(DatabaseError), transaction.atomic():
            Authenticator.objects.create(user_id=person.user_id, type="totp", data={})


# --- Wanted of staff ------------------------------------------------------------------------------


def test_staff_without_a_factor_are_led_to_set_one_up(
    person: Contact, demanding: Organization
) -> None:
    client = browser(person)

    back_office = client.get("/admin/", follow=True)
    api_answer = client.get("/v1/me")

    assert [where for where, _status in back_office.redirect_chain][-1] == "/accounts/2fa/"
    assert "set one up" in back_office.content.decode()
    assert problem_of(api_answer) == (403, "urn:assay:problem:factor-required")
    assert client.get("/account").status_code == 200


def test_staff_with_a_factor_work_as_before(person: Contact, demanding: Organization) -> None:
    client = browser(person)
    set_up_app(client)

    assert client.get("/admin/").status_code == 200
    assert client.get("/v1/me").status_code == 200


def test_learners_and_tokens_need_none(person: Contact, demanding: Organization) -> None:
    assert browser(member()).get("/v1/me").status_code == 200
    assert api(person).get("/v1/me").status_code == 200


def test_who_came_through_the_provider_needs_none_of_the_account(
    saml: SamlProvider, demanding: Organization
) -> None:
    member(OrgRole.ADMIN, email="ada@corp.example")
    visitor = Visitor()

    visitor.sign_in(saml)

    assert visitor.client.get("/admin/").status_code == 200


def test_the_provider_signs_in_without_the_accounts_factor(
    saml: SamlProvider, person: Contact
) -> None:
    set_up_app(browser(person))
    visitor = Visitor()

    response = visitor.sign_in(saml)

    assert response["Location"] == "/"
    assert visitor.user_id == str(person.user_id)


def test_the_emergency_way_asks_for_the_factor(saml: SamlProvider, owner: Contact) -> None:
    secret = set_up_app(browser(owner))
    cache.clear()
    tenant = connection.tenant
    with connection.platform():
        organization = Organization.objects.get(pk=tenant.pk)
        organization.sso_break_glass = organization.memberships.get(user_id=owner.user_id)
        organization.sso_enforced = True
        organization.sso_tested_at = organization.sso_enforced_at = organization.created_at
        organization.save()
    refresh_tenant()
    client = browser()

    response = client.post(
        "/accounts/break-glass/", {"login": "olga@corp.example", "password": PASSWORD}
    )
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret, step=1)})

    assert response["Location"] == "/accounts/2fa/authenticate/"
    assert client.session["assay_door"] == "break-glass"


def test_only_an_owner_wants_factors(person: Contact) -> None:
    with pytest.raises(OwnersChangeSso):
        require_factors(principal=principal(person), actor=person, is_required=True)


def test_where_no_factor_is_wanted_no_statement_asks(
    person: Contact, demanding: Organization
) -> None:
    client = browser(person)
    owner = member(OrgRole.OWNER)
    require_factors(principal=principal(owner), actor=owner, is_required=False)
    refresh_tenant()
    set_up_app(client)

    with connection.execute_wrapper(_no_authenticators):
        assert client.get("/v1/me").status_code == 200
        assert client.get("/admin/").status_code == 200


def _no_authenticators(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    assert "mfa_authenticator" not in sql
    return execute(sql, params, many, context)
