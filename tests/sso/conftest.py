"""Identity providers as processes, and an organisation that trusts one of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection

from apps.contacts.models import AdminAction, Contact
from apps.contacts.selectors import principal_of_user
from apps.core.clock import now
from apps.organizations.models import Organization, OrgMembership, OrgRole
from apps.sso.models import EmailDomain
from apps.sso.services.connections import describe_oidc, describe_saml, offer_sso
from tests.browser.conftest import chromium as chromium
from tests.clients import browser
from tests.database import ROOT
from tests.factories import member
from tests.flows.conftest import free_port, until

DOMAIN = "corp.example"


class SamlProvider:
    """A caller of a running `tests.sso.idp`."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.metadata_url = f"{self.base}/saml/metadata.xml"

    @property
    def entity_id(self) -> str:
        return self.metadata_url

    def behave(self, **behaviour: Any) -> None:
        answer = requests.post(f"{self.base}/behave", json=behaviour, timeout=10)
        assert answer.ok, answer.text

    def answer(self, sign_in_url: str) -> dict[str, str]:
        """Sign in at the provider, and return the form that it would let the browser post."""
        assert sign_in_url.startswith(self.base), sign_in_url
        page = requests.Session().get(sign_in_url, timeout=30)
        assert page.ok, page.text
        fields = dict.fromkeys(("SAMLResponse", "RelayState"), "")
        for name in fields:
            start = page.text.index(f'name="{name}" value="') + len(f'name="{name}" value="')
            fields[name] = unescape(page.text[start : page.text.index('"', start)])
        return fields


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


@contextmanager
def process(module: str, *arguments: str, log: Path, ready: str) -> Iterator[None]:
    """Run a module as a process until the block ends."""
    with log.open("ab") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], cwd=ROOT, stdout=output, stderr=output
        )
    try:
        until(lambda: answers(ready), what=f"{module} to answer")
        yield
    finally:
        running.kill()
        running.wait()


@pytest.fixture(scope="session")
def idp_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamlProvider]:
    provider = SamlProvider(free_port())
    log = tmp_path_factory.mktemp("idp") / "idp.log"
    port = str(urlsplit(provider.base).port)
    with process("tests.sso.idp", port, log=log, ready=provider.metadata_url):
        yield provider


@pytest.fixture
def idp(idp_process: SamlProvider) -> SamlProvider:
    """The organisation's identity provider, on its best behaviour."""
    idp_process.behave()
    return idp_process


@pytest.fixture
def owner(org_a: Organization) -> Contact:
    return member(OrgRole.OWNER, name="Olga Owner", email="olga@corp.example")


def principal(person: Contact) -> Any:
    found = principal_of_user(person.user_id)
    assert found is not None
    return found


def verify(domain: str = DOMAIN) -> EmailDomain:
    """Return a domain of the organisation in force that counts as proved."""
    organization_id = connection.tenant.id
    with connection.platform():
        return EmailDomain.objects.create(
            organization_id=organization_id, domain=domain, token="x", verified_at=now()
        )


def refresh_tenant() -> Organization:
    """Read the organisation in force again, as the next look-up of its host would."""
    host, organization_id = connection.tenant.domain_url, connection.tenant.id
    with connection.platform():
        found = Organization.objects.get(pk=organization_id)
    found.domain_url = host
    connection.set_tenant(found)
    return found


@pytest.fixture
def saml(idp: SamlProvider, owner: Contact) -> SamlProvider:
    """The provider, described and offered by the organisation's owner, with a proved domain."""
    describe_saml(principal=principal(owner), actor=owner, at=now(), url=idp.metadata_url)
    offer_sso(principal=principal(owner), actor=owner, is_offered=True)
    verify()
    refresh_tenant()
    return idp


class Visitor:
    """A browser without a screen, that goes through the identity provider and back."""

    def __init__(self, person: Contact | None = None) -> None:
        self.client = browser(person)

    def begin(self, path: str = "/accounts/sso/") -> str:
        """Return where the browser is sent."""
        response = self.client.get(path)
        assert response.status_code == 302, response.content
        return str(response["Location"])

    def post(self, form: dict[str, str]) -> Any:
        """Bring the provider's answer, without the session's cookie as another site's form."""
        response = self.client.post("/accounts/sso/saml/acs/", form)
        if response.status_code != 302:
            return response
        assert response["Location"] == "/accounts/sso/saml/finish/"
        return self.client.get(response["Location"])

    def sign_in(self, provider: SamlProvider, path: str = "/accounts/sso/") -> Any:
        return self.post(provider.answer(self.begin(path)))

    @property
    def user_id(self) -> str | None:
        found: str | None = self.client.session.get("_auth_user_id")
        return found


class OpenIdProvider:
    """A caller of a running `tests.sso.op`."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"

    def behave(self, fault: str = "") -> None:
        answer = requests.post(f"{self.issuer}/behave", json={"fault": fault}, timeout=10)
        assert answer.ok, answer.text

    def knows(self, subject: str, **claims: Any) -> None:
        answer = requests.put(f"{self.issuer}/users/{subject}", json=claims, timeout=10)
        assert answer.ok, answer.text

    def answer(self, sign_in_url: str, *, subject: str = "op-1", **form: str) -> str:
        """Sign in at the provider, and return the path to which it sends the browser back."""
        assert sign_in_url.startswith(self.issuer), sign_in_url
        posted = {"sub": subject, **form}
        page = requests.post(sign_in_url, data=posted, timeout=30, allow_redirects=False)
        assert page.status_code == 302, page.text
        return str(page.headers["Location"]).partition(":8000")[2]


@pytest.fixture(scope="session")
def op_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    provider = OpenIdProvider(free_port())
    log = tmp_path_factory.mktemp("op") / "op.log"
    port = str(urlsplit(provider.issuer).port)
    ready = f"{provider.issuer}/.well-known/openid-configuration"
    with process("tests.sso.op", port, log=log, ready=ready):
        yield provider


@pytest.fixture
def oidc(op_process: OpenIdProvider, owner: Contact) -> OpenIdProvider:
    """An OpenID provider, described and offered by the organisation's owner."""
    op_process.behave()
    op_process.knows("op-1", email="grace@corp.example", email_verified=True, name="Grace Hopper")
    describe_oidc(
        principal=principal(owner),
        actor=owner,
        at=now(),
        issuer=op_process.issuer,
        client_id="assay",
        client_secret="the-clients-secret-as-a-key-0123456789",
    )
    offer_sso(principal=principal(owner), actor=owner, is_offered=True)
    verify()
    refresh_tenant()
    return op_process


def standing(email: str) -> tuple[str, str] | None:
    membership = OrgMembership.objects.filter(user__email=email).first()
    return (membership.org_role, membership.status) if membership else None


def refusal(response: Any) -> tuple[int, str]:
    """Return status and code of a refused sign-in, as the organisation's record has it."""
    noted = AdminAction.objects.filter(action="sso.refused").order_by("-id")[0]
    assert noted.details["request_id"] in response.content.decode()
    return response.status_code, noted.details["code"]
