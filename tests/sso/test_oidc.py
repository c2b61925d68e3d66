"""Signing in through a real OpenID provider, and every way in which it can be wrong."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.contacts.models import AdminAction
from apps.organizations.models import MembershipStatus, OrgRole
from apps.sso.models import SsoConnection, SsoIdentity
from tests.sso.conftest import OpenIdProvider, Visitor, refusal, standing

pytestmark = pytest.mark.django_db


def test_a_stranger_of_a_proved_domain_becomes_a_learner(oidc: OpenIdProvider) -> None:
    visitor = Visitor()

    response = visitor.client.get(oidc.answer(visitor.begin("/accounts/sso/?next=/certificates")))

    user = User.objects.get(email="grace@corp.example")
    assert (response.status_code, response["Location"]) == (302, "/certificates")
    assert visitor.user_id == str(user.pk)
    assert standing("grace@corp.example") == (OrgRole.LEARNER, MembershipStatus.ACTIVE)
    assert SsoIdentity.objects.values_list("provider_id", "subject").get() == (
        oidc.issuer,
        "op-1",
    )


def test_the_request_has_pkce_a_nonce_and_our_callback(oidc: OpenIdProvider) -> None:
    url = Visitor().begin()

    assert "code_challenge_method=S256" in url
    assert "nonce=" in url
    assert (
        "redirect_uri=http%3A%2F%2Fa.localhost%3A8000%2Faccounts%2Fsso%2Foidc%2Fcallback%2F" in url
    )


def test_what_the_token_leaves_out_is_asked_for(oidc: OpenIdProvider) -> None:
    visitor = Visitor()
    path = oidc.answer(visitor.begin())
    oidc.behave("thin-token")

    visitor.client.get(path)

    assert visitor.user_id == str(User.objects.get(email="grace@corp.example").pk)


def test_the_secret_rests_sealed(oidc: OpenIdProvider) -> None:
    sealed = SsoConnection.objects.get().sealed_client_secret

    assert b"the-clients-secret" not in bytes(sealed or b"")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unsigned", "sso-wrong-signature"),
        ("shared-key", "sso-wrong-signature"),
        ("other-key", "sso-wrong-signature"),
        ("other-issuer", "sso-wrong-provider"),
        ("other-audience", "sso-wrong-audience"),
        ("shared-audience", "sso-wrong-audience"),
        ("expired", "sso-expired"),
        ("other-nonce", "sso-not-asked"),
        ("no-nonce", "sso-not-asked"),
        ("no-token", "sso-answer-unreadable"),
        ("other-userinfo", "sso-answer-unreadable"),
        ("other-discovery", "sso-wrong-provider"),
    ],
)
def test_a_wrong_answer_lets_nobody_in(oidc: OpenIdProvider, fault: str, code: str) -> None:
    visitor = Visitor()
    path = oidc.answer(visitor.begin())
    oidc.behave(fault)

    response = visitor.client.get(path)

    assert refusal(response) == (403, code)
    assert (visitor.user_id, SsoIdentity.objects.count()) == (None, 0)


def test_an_answer_counts_once(oidc: OpenIdProvider) -> None:
    visitor = Visitor()
    path = oidc.answer(visitor.begin())
    visitor.client.get(path)
    visitor.client.post("/accounts/logout/")

    assert refusal(visitor.client.get(path)) == (403, "sso-not-asked")
    assert visitor.user_id is None


def test_an_answer_is_good_in_the_browser_that_asked_only(oidc: OpenIdProvider) -> None:
    path = oidc.answer(Visitor().begin())

    assert refusal(Visitor().client.get(path)) == (403, "sso-not-asked")


def test_who_changes_their_mind_comes_back_to_the_sign_in_page(oidc: OpenIdProvider) -> None:
    visitor = Visitor()

    response = visitor.client.get(oidc.answer(visitor.begin(), action="deny"))

    assert refusal(response) == (403, "sso-cancelled")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"email": "grace@corp.example"}, "sso-email-not-verified"),
        ({"email": "grace@corp.example", "email_verified": False}, "sso-email-not-verified"),
        ({"email": "grace@elsewhere.example", "email_verified": True}, "sso-unknown-domain"),
        ({"name": "Grace"}, "sso-no-email"),
    ],
)
def test_an_address_must_be_verified_and_of_a_proved_domain(
    oidc: OpenIdProvider, claims: dict[str, object], code: str
) -> None:
    oidc.knows("op-1", **claims)
    visitor = Visitor()

    assert refusal(visitor.client.get(oidc.answer(visitor.begin()))) == (403, code)


def test_a_provider_of_the_organisation_alone_need_not_say_verified(oidc: OpenIdProvider) -> None:
    oidc.knows("op-1", email="grace@corp.example")
    with connection.platform():
        SsoConnection.objects.update(believes_unverified_email=True)
    visitor = Visitor()

    visitor.client.get(oidc.answer(visitor.begin()))

    assert visitor.user_id is not None


def test_a_provider_that_is_down_is_told_so(oidc: OpenIdProvider) -> None:
    with connection.platform():
        SsoConnection.objects.update(provider_id="http://127.0.0.1:9")

    response = Visitor().client.get("/accounts/sso/")

    assert refusal(response) == (403, "sso-provider-unreachable")
    assert AdminAction.objects.filter(action="sso.refused").count() == 1
