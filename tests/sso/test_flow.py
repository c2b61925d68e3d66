"""Signing in as people do: a real browser, a real identity provider, real web processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import User
from apps.contacts.models import AdminAction
from apps.core.clock import now
from apps.organizations.models import OrganizationDomain, OrgMembership, OrgRole
from apps.sso.models import SsoIdentity
from apps.sso.services.connections import describe_saml, offer_sso
from tests.database import Server
from tests.factories import PASSWORD, member
from tests.flows.conftest import Stack, until
from tests.sso.conftest import SamlProvider, principal, verify

pytestmark = pytest.mark.flow


@pytest.fixture
def site(server: Server, own_database: str, tmp_path: Path) -> Iterator[str]:
    """The address of the organisation's host, served by a real web process."""
    stack = Stack(server, own_database, tmp_path)
    try:
        stack.start_web()
        yield f"http://a.localhost:{stack.port}"
    finally:
        stack.stop()


def window(chromium: Any) -> Any:
    page = chromium.new_context().new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on(
        "console",
        lambda said: pytest.fail(said.text) if "Content Security Policy" in said.text else None,
    )
    return page


def with_password(page: Any, site: str, email: str, path: str = "/accounts/login/") -> None:
    page.goto(f"{site}{path}")
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("form:has([name=password]) button[type=submit]")


def is_asked_to_sign_in(page: Any, site: str) -> bool:
    """Whether the session is over; each process knows the organisation's row for a few seconds."""
    page.goto(f"{site}/account")
    return "/accounts/login/" in page.url


def through_provider(page: Any, site: str) -> None:
    page.goto(f"{site}/accounts/login/?next=/account")
    page.click("text=Sign in with your organisation")
    page.click("#logged_in_button_continue")


def test_an_owner_sets_up_the_provider_and_makes_it_the_only_way_in(
    chromium: Any,
    site: str,
    idp: SamlProvider,
) -> None:
    owner = member(OrgRole.OWNER, email="olga@corp.example", name="Olga Owner")
    page = window(chromium)
    with_password(page, site, "olga@corp.example")
    page.goto(f"{site}/admin/sso/ssoconnection/")
    page.click("a:has-text('Use SAML')")
    page.fill("[name=url]", idp.metadata_url)
    page.click("input[type=submit]")
    page.wait_for_selector("text=The identity provider is described")
    verify()
    page.click("text=Offer it on the sign-in page")
    idp.behave(subject="olga", email="olga@corp.example", name="Olga Owner")

    page.click("a:has-text('Test sign-in')")
    page.click("#logged_in_button_continue")
    page.wait_for_selector("text=The test sign-in worked")
    page.click("a:has-text('Enforce')")
    page.check("[name=is_sure]")
    page.click("input[type=submit]")
    until(lambda: is_asked_to_sign_in(page, site), what="the owner's password session to end")
    offered = page.inner_text("main")
    through_provider(page, site)
    page.goto(f"{site}/admin/sso/ssoconnection/")
    through = page.inner_text("#content")
    other = window(chromium)
    with_password(other, site, "olga@corp.example", "/accounts/break-glass/")
    other.wait_for_url(f"{site}/")

    assert "Password" not in offered
    assert "olga@corp.example" in through
    doors = AdminAction.objects.filter(action="login").order_by("recorded_at")
    assert [one.details.get("door", "") for one in doors] == ["", "sso", "break-glass"]
    assert doors[0].actor == owner


@pytest.fixture
def offered(site: str, idp: SamlProvider) -> SamlProvider:
    """The provider, offered by organisation A."""
    owner = member(OrgRole.OWNER)
    describe_saml(principal=principal(owner), actor=owner, at=now(), url=idp.metadata_url)
    offer_sso(principal=principal(owner), actor=owner, is_offered=True)
    verify()
    idp.behave()
    return idp


def test_a_stranger_comes_in_and_an_answer_is_not_good_twice(
    chromium: Any,
    site: str,
    offered: SamlProvider,
) -> None:
    page = window(chromium)
    posted: list[str] = []
    page.on("request", lambda sent: posted.append(sent.post_data or "") if "acs" in sent.url else 0)

    through_provider(page, site)
    page.wait_for_url(f"{site}/account")
    profile = page.inner_text("main")
    page.click("text=Sign out")
    page.wait_for_url("**/accounts/**")
    page.goto(f"{site}/accounts/login/")
    replay(page, site, posted[0])
    page.wait_for_selector("[role=alert]")
    refused = page.inner_text("main")

    assert "Password" not in profile
    assert OrgMembership.objects.get(user__email="ada@corp.example").org_role == OrgRole.LEARNER
    assert "This sign-in was not begun here" in refused


def replay(page: Any, site: str, body: str) -> None:
    """Post the recorded answer again, as a form of this very host could."""
    with page.expect_navigation():
        page.evaluate(
            """([action, body]) => {
            const form = document.createElement('form');
            form.method = 'post';
            form.action = action;
            for (const [name, value] of new URLSearchParams(body)) {
                const field = document.createElement('input');
                field.name = name;
                field.value = value;
                form.append(field);
            }
            document.body.append(form);
            form.submit();
        }""",
            [f"{site}/accounts/sso/saml/acs/", body],
        )


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("unsigned", "must sign both"),
        ("other-key", "not of a key that is known here"),
        ("idp-initiated", "was not begun here"),
        ("expired", "is not valid at this time"),
    ],
)
def test_what_is_wrong_is_told_on_the_sign_in_page_with_a_number(
    chromium: Any,
    site: str,
    offered: SamlProvider,
    fault: str,
    told: str,
) -> None:
    offered.behave(fault=fault)
    page = window(chromium)

    through_provider(page, site)
    page.wait_for_selector("[role=alert]")
    number = page.inner_text("[role=alert] code")

    assert told in page.inner_text("[role=alert]")
    until(
        lambda: AdminAction.objects.filter(details__request_id=number).exists(),
        what="the refusal to be recorded",
    )
    assert not SsoIdentity.objects.exists()


def test_the_provider_of_one_organisation_opens_no_other(
    chromium: Any,
    site: str,
    offered: SamlProvider,
) -> None:
    page = window(chromium)
    other = site.replace("a.localhost", "b.localhost")
    posted: list[str] = []
    page.on("request", lambda sent: posted.append(sent.post_data or "") if "acs" in sent.url else 0)
    through_provider(page, site)
    page.wait_for_url(f"{site}/account")

    page.goto(f"{other}/accounts/login/")
    without = page.inner_text("main")
    replay(page, other, posted[0])
    page.goto(f"{other}/account")

    assert "your organisation" not in without
    assert page.url.startswith(f"{other}/accounts/login/")
    assert OrganizationDomain.objects.get().domain == "a.localhost"


def test_a_passkey_is_added_and_signs_in(chromium: Any, site: str) -> None:
    person = member(email="ada@corp.example")
    page = window(chromium)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    with_password(page, site, "ada@corp.example")
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/accounts/2fa/keys/add/")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.fill("[name=name]", "Laptop")
    page.check("[name=passwordless]")
    page.click("form[data-key] button")
    page.wait_for_url("**/recovery-codes/")
    codes = page.inner_text("#recovery-codes").split()
    page.goto(f"{site}/account")
    page.click("text=Sign out")
    page.goto(f"{site}/accounts/login/")

    page.click("text=Sign in with a passkey")
    page.wait_for_url(f"{site}/")

    assert len(codes) == 10
    assert User.objects.get(pk=person.user_id).email == "ada@corp.example"
    page.goto(f"{site}/accounts/2fa/keys/")
    assert "Laptop" in page.inner_text("main")


def test_an_app_is_set_up_by_what_the_page_shows(chromium: Any, site: str) -> None:
    member(OrgRole.ADMIN, email="ada@corp.example")
    page = window(chromium)
    with_password(page, site, "ada@corp.example")
    page.goto(f"{site}/accounts/2fa/totp/activate/")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    secret = page.inner_text("#totp-secret")

    page.fill("[name=code]", "000000")
    page.click("main button[type=submit]")
    page.wait_for_selector("[role=alert]")

    assert len(secret) == 32
    assert page.inner_text("#totp-secret") == secret
    assert connection.tenant is not None
