"""What is taken from an identity provider's metadata, and how it is kept fresh."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.contacts.models import Contact
from apps.core.clock import now
from apps.core.outbound import Unreachable, fetch, may_be_called
from apps.organizations.models import Organization
from apps.sso.models import SsoConnection, UsedAssertion
from apps.sso.saml.metadata import MetadataUnusable, read_metadata
from apps.sso.services.connections import describe_saml, refresh_metadata
from apps.sso.tasks import forget_expired_assertions, refresh_all_metadata
from tests.sso.conftest import SamlProvider, principal, refresh_tenant
from tests.sso.idp import key_pair

CERTIFICATE = "".join(key_pair()[1].splitlines()[1:-1])
OTHER = "".join(key_pair()[1].splitlines()[1:-1])


def document(
    *,
    entity_id: str = "https://idp.example",
    certificates: tuple[str, ...] = (CERTIFICATE,),
    binding: str = "HTTP-Redirect",
    extra: str = "",
    use: str = "signing",
) -> str:
    keys = "".join(
        f'<KeyDescriptor use="{use}"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#">'
        f"<X509Data><X509Certificate>{one}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        for one in certificates
    )
    return (
        f'<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}"'
        f'{extra}><IDPSSODescriptor protocolSupportEnumeration="x">{keys}<SingleSignOnService'
        f' Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}"'
        ' Location="https://idp.example/sso"/></IDPSSODescriptor></EntityDescriptor>'
    )


def test_read_metadata() -> None:
    found = read_metadata(document(certificates=(CERTIFICATE, OTHER)), at=now())

    assert (found.entity_id, found.sign_in_url) == (
        "https://idp.example",
        "https://idp.example/sso",
    )
    assert found.certificates == (CERTIFICATE, OTHER)
    assert timedelta(days=28) < found.expires_at - now() < timedelta(days=31)


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("", "well-formed"),
        ("<a", "well-formed"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "well-formed"),
        ("<a/>", "0 identity providers"),
        (document(entity_id=""), "entity id"),
        (document(entity_id="x" * 501), "entity id"),
        (document(binding="HTTP-POST"), "HTTP-Redirect"),
        (document(certificates=()), "no signing certificate"),
        (document(use="encryption"), "no signing certificate"),
        (document(certificates=("bm8=",)), "can't be read"),
        (document(extra=' validUntil="2020-01-01T00:00:00Z"'), "out of date"),
        (document(extra=' validUntil="soon"'), "no time"),
        (
            '<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">'
            f"{document()}{document()}</EntitiesDescriptor>",
            "2 identity providers",
        ),
    ],
)
def test_read_metadata_says_what_is_wrong(xml: str, reason: str) -> None:
    with pytest.raises(MetadataUnusable, match=reason):
        read_metadata(xml, at=now())


def test_an_expired_certificate_does_not_count() -> None:
    with pytest.raises(MetadataUnusable, match="valid now"):
        read_metadata(document(), at=now() + timedelta(days=60))


@pytest.mark.django_db
def test_other_certificates_are_taken_over(saml: SamlProvider, org_a: Organization) -> None:
    fresh = document(entity_id=saml.entity_id, certificates=(OTHER,))
    at = now() + timedelta(hours=7)

    error = refresh_metadata(organization_id=org_a.id, at=at, read=lambda url: fresh.encode())

    row = SsoConnection.objects.get()
    assert (error, row.metadata_xml, row.metadata_fetched_at) == ("", fresh, at)


def unreachable(_url: str) -> bytes:
    raise Unreachable("The address answered 503.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("read", "error"),
    [
        (unreachable, "The address answered 503."),
        (lambda url: b"<html/>", "It describes 0 identity providers instead of one."),
        (lambda url: document().encode(), "The metadata now names https://idp.example."),
    ],
)
def test_a_failed_refresh_keeps_the_last_good_metadata_and_says_why(
    saml: SamlProvider, org_a: Organization, read: object, error: str
) -> None:
    before, at = SsoConnection.objects.get(), now() + timedelta(hours=7)

    told = refresh_metadata(organization_id=org_a.id, at=at, read=read)  # type: ignore[arg-type]

    row = SsoConnection.objects.get()
    assert (told, row.metadata_error, row.metadata_checked_at) == (error, error, at)
    assert (row.metadata_xml, row.metadata_fetched_at) == (
        before.metadata_xml,
        before.metadata_fetched_at,
    )


@pytest.mark.django_db
def test_the_task_asks_what_is_older_than_six_hours(saml: SamlProvider) -> None:
    tenant = connection.tenant
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    fresh = SsoConnection.objects.get().metadata_checked_at
    refresh_all_metadata()
    connection.set_tenant(tenant)
    untouched = SsoConnection.objects.get().metadata_checked_at
    with connection.platform():
        SsoConnection.objects.update(metadata_checked_at=long_ago)

    failed = refresh_all_metadata()

    connection.set_tenant(tenant)
    assert (untouched, failed) == (fresh, 0)
    assert SsoConnection.objects.get().metadata_checked_at > long_ago


@pytest.mark.django_db
def test_used_assertions_are_forgotten_once_they_have_expired(
    owner: Contact, org_a: Organization
) -> None:
    tenant = connection.tenant
    with connection.platform():
        for name, at in (("old", now() - timedelta(hours=2)), ("new", now())):
            UsedAssertion.objects.create(organization=org_a, assertion_id=name, expires_at=at)

    assert forget_expired_assertions() == 1
    with connection.platform():
        assert UsedAssertion.objects.get().assertion_id == "new"
    connection.set_tenant(tenant)


@pytest.mark.django_db
def test_another_provider_has_to_be_tested_and_offered_anew(
    saml: SamlProvider, owner: Contact
) -> None:
    with connection.platform():
        Organization.objects.update(sso_tested_at=now())

    describe_saml(principal=principal(owner), actor=owner, at=now(), xml=document().encode())

    tenant = refresh_tenant()
    assert (tenant.sso_tested_at, tenant.sso_provider, tenant.saml_metadata_url) == (None, "", "")


# --- Where we call ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address that must not be called
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
    ],
)
def test_a_private_address_is_not_called(settings: object, address: str) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False  # type: ignore[attr-defined]

    assert not may_be_called(address)
    assert may_be_called("93.184.216.34")


def test_fetch_refuses_our_own_network(settings: object, idp: SamlProvider) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False  # type: ignore[attr-defined]
    port = idp.base.rpartition(":")[2]

    for url in (idp.metadata_url, f"https://127.0.0.1:{port}/", f"https://localhost:{port}/"):
        with pytest.raises(Unreachable):
            fetch(url)


def test_fetch_says_what_is_wrong(idp: SamlProvider) -> None:
    with pytest.raises(Unreachable, match="answered 404"):
        fetch(f"{idp.base}/nothing")
    with pytest.raises(Unreachable, match="can't be reached"):
        fetch("http://127.0.0.1:9/")
