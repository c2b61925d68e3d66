"""The back office's pages about signing in: who may look, who may change, what is told."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.organizations.models import Organization, OrgMembership, OrgRole
from apps.sso.models import EmailDomain, SsoConnection, SsoIdentity
from tests.clients import browser
from tests.factories import member
from tests.sso.conftest import SamlProvider, Visitor, refresh_tenant
from tests.sso.test_metadata import document

pytestmark = pytest.mark.django_db

PAGE = "/admin/sso/ssoconnection/"
CHANGES = (
    "saml/",
    "oidc/",
    "enforce/",
    "break-glass/",
    "domains/add/",
    "act/offer/",
    "act/refresh/",
    "act/relax/",
    "act/require-factor/",
)


def actions() -> list[str]:
    return list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True))


def told(response: Any) -> str:
    return " ".join(str(one) for one in response.context["messages"])


def test_the_page_of_an_organisation_without_a_provider(owner: Contact) -> None:
    page = browser(owner).get(PAGE).content.decode()

    assert "None is described yet" in page
    assert "http://a.localhost:8000/accounts/sso/saml/acs/" in page
    assert "http://a.localhost:8000/accounts/sso/oidc/callback/" in page


def test_the_page_shows_everything_in_few_statements(
    saml: SamlProvider, owner: Contact, django_assert_max_num_queries: Any
) -> None:
    client = browser(owner)
    client.get(PAGE)

    with django_assert_max_num_queries(16):
        page = client.get(PAGE).content.decode()

    assert saml.entity_id in page
    assert "valid until" in page
    assert "corp.example" in page


@pytest.mark.parametrize("role", [OrgRole.ADMIN, OrgRole.AUDITOR])
def test_who_reads_everything_may_look_and_change_nothing(saml: SamlProvider, role: str) -> None:
    client = browser(member(role))

    assert client.get(PAGE).status_code == 200
    assert "Enforce…" not in client.get(PAGE).content.decode()
    assert {client.post(PAGE + path).status_code for path in CHANGES} == {403}
    assert SsoConnection.objects.get().provider_id == saml.entity_id


@pytest.mark.parametrize("role", [OrgRole.INSTRUCTOR, OrgRole.LEARNER])
def test_others_do_not_see_the_page(saml: SamlProvider, role: str) -> None:
    client = browser(member(role))

    assert client.get(PAGE).status_code in (302, 403)
    assert {client.post(PAGE + path).status_code for path in CHANGES} <= {302, 403}


def test_a_provider_is_described_by_the_address_of_its_metadata(
    idp: SamlProvider, owner: Contact
) -> None:
    client = browser(owner)

    response = client.post(f"{PAGE}saml/", {"url": idp.metadata_url}, follow=True)

    assert "Test it next" in told(response)
    assert refresh_tenant().saml_metadata_url == idp.metadata_url
    assert "sso.described" in actions()


def test_a_provider_is_described_by_a_file(owner: Contact) -> None:
    file = SimpleUploadedFile("metadata.xml", document().encode())

    browser(owner).post(f"{PAGE}saml/", {"file": file})

    assert SsoConnection.objects.get().provider_id == "https://idp.example"


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "Give an address or a file"),
        ({"url": "ftp://idp.example"}, "must begin with https://"),
        ({"url": "nonsense"}, "must begin with https://"),
        ({"url": "http://127.0.0.1:9/"}, "can&#x27;t be reached"),
        ({"file": SimpleUploadedFile("a.xml", b"<html/>")}, "0 identity providers"),
    ],
)
def test_what_is_wrong_with_the_metadata_is_said_in_the_form(
    owner: Contact, given: dict[str, Any], complaint: str
) -> None:
    response = browser(owner).post(f"{PAGE}saml/", given)

    assert response.status_code == 200
    assert complaint in response.content.decode()
    assert not SsoConnection.objects.exists()


def test_an_openid_provider_keeps_its_secret_when_none_is_given(owner: Contact) -> None:
    client = browser(owner)
    form = {"issuer": "https://op.example", "client_id": "assay", "client_secret": "s3cret"}
    client.post(f"{PAGE}oidc/", form)
    before = bytes(SsoConnection.objects.get().sealed_client_secret or b"")

    page = client.get(f"{PAGE}oidc/").content.decode()
    client.post(f"{PAGE}oidc/", {**form, "client_secret": ""})

    assert "s3cret" not in page
    assert bytes(SsoConnection.objects.get().sealed_client_secret or b"") == before != b""


def test_joining_is_changed_and_recorded(saml: SamlProvider, owner: Contact) -> None:
    browser(owner).post(f"{PAGE}joining/", {"joining_role": "instructor"})

    row = SsoConnection.objects.get()
    assert (row.provisions_members, row.joining_role) == (False, "instructor")
    assert "sso.joining_changed" in actions()


def test_without_provisioning_a_stranger_stays_outside(saml: SamlProvider, owner: Contact) -> None:
    browser(owner).post(f"{PAGE}joining/", {"joining_role": "learner"})
    visitor = Visitor()

    assert visitor.sign_in(saml).status_code == 403
    assert AdminAction.objects.get(action="sso.refused").details["code"] == "sso-not-invited"


def test_nobody_joins_as_admin(saml: SamlProvider, owner: Contact) -> None:
    response = browser(owner).post(f"{PAGE}joining/", {"joining_role": "admin"})

    assert response.status_code == 200
    assert SsoConnection.objects.get().joining_role == "learner"


def test_domains_are_added_and_removed(owner: Contact) -> None:
    client = browser(owner)
    client.post(f"{PAGE}domains/add/", {"domain": "Corp.Example"})
    row = EmailDomain.objects.get()
    page = client.get(PAGE).content.decode()

    again = client.post(f"{PAGE}domains/add/", {"domain": "corp.example"}).content.decode()
    client.post(f"{PAGE}domains/{row.pk}/remove/")

    assert "_assay.corp.example" in page
    assert f"assay-domain-verification={row.token}" in page
    assert "in the list already" in again
    assert not EmailDomain.objects.exists()
    assert actions()[-2:] == ["sso.domain_added", "sso.domain_removed"]


def test_enforcing_says_whom_it_keeps_out_and_wants_to_be_sure(
    saml: SamlProvider, owner: Contact
) -> None:
    member(email="guest@elsewhere.example")
    with connection.platform():
        Organization.objects.update(sso_tested_at=now())
    client = browser(owner)
    form = {"break_glass": str(OrgMembership.objects.get(user_id=owner.user_id).pk)}

    page = client.get(f"{PAGE}enforce/").content.decode()
    client.post(f"{PAGE}enforce/", form)
    unsure = refresh_tenant().sso_enforced
    response = client.post(f"{PAGE}enforce/", {**form, "is_sure": "on"})

    assert "guest@elsewhere.example" in page
    assert (unsure, response["Location"], refresh_tenant().sso_enforced) == (False, PAGE, True)


def test_enforcing_without_a_test_is_refused_in_the_form(
    saml: SamlProvider, owner: Contact
) -> None:
    form = {
        "break_glass": str(OrgMembership.objects.get(user_id=owner.user_id).pk),
        "is_sure": "on",
    }

    page = browser(owner).post(f"{PAGE}enforce/", form).content.decode()

    assert "Sign in once through the identity provider, as a test" in page
    assert not refresh_tenant().sso_enforced


def test_offering_and_wanting_factors_take_one_press(saml: SamlProvider, owner: Contact) -> None:
    client = browser(owner)

    client.post(f"{PAGE}act/withdraw/")
    client.post(f"{PAGE}act/require-factor/")

    tenant = refresh_tenant()
    assert (tenant.sso_provider, tenant.mfa_required) == ("", True)
    assert client.get(f"{PAGE}act/offer/").status_code in (302, 404)


def test_refreshing_tells_the_outcome(saml: SamlProvider, owner: Contact) -> None:
    response = browser(owner).post(f"{PAGE}act/refresh/", follow=True)

    assert "up to date" in told(response)


def test_an_identity_is_unlinked_and_signed_out(saml: SamlProvider, owner: Contact) -> None:
    visitor = Visitor()
    visitor.sign_in(saml)
    row = SsoIdentity.objects.get()

    browser(owner).post(
        "/admin/sso/ssoidentity/", {"action": "unlink", "_selected_action": str(row.pk)}
    )

    assert not SsoIdentity.objects.exists()
    assert visitor.client.get("/account").status_code == 302
    assert "sso.unlinked" in actions()


def test_refusals_are_listed_with_their_number(saml: SamlProvider, owner: Contact) -> None:
    saml.behave(fault="other-audience")
    Visitor().sign_in(saml)
    noted = AdminAction.objects.get(action="sso.refused").details

    page = browser(owner).get(PAGE).content.decode()

    assert noted["request_id"] in page
    assert "sso-wrong-audience" in page
