"""Describing the organisation's identity provider, and keeping its metadata fresh."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.db import transaction

from apps.contacts.capabilities import Capability
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core.outbound import Unreachable, fetch
from apps.core.problems import Conflict, Forbidden
from apps.core.sealing import seal
from apps.core.tenancy import connection
from apps.organizations.models import Organization, SsoProvider
from apps.organizations.services import record_platform_action
from apps.sso.models import SsoConnection
from apps.sso.problems import SsoNotConfigured
from apps.sso.saml.metadata import MetadataUnusable, ProviderMetadata, read_metadata
from apps.sso.selectors import bound_to

OWN_CERTIFICATE_LASTS = timedelta(days=3650)


class OwnersChangeSso(Forbidden):
    code = "sso-owners-only"
    title = "Only an owner may change how members sign in."


class ChangeWhileEnforced(Conflict):
    code = "sso-change-while-enforced"
    title = "Switch enforcement off first: another provider has to be tested before it counts."


class ProviderChanged(Conflict):
    code = "sso-provider-changed"
    title = "The metadata is of another identity provider than before."


def check_owner(principal: Principal) -> None:
    """Raise OwnersChangeSso for anybody but an owner."""
    if not principal.has(Capability.MANAGE_OWNERS):
        raise OwnersChangeSso


@transaction.atomic
def describe_saml(
    *, principal: Principal, actor: Contact, at: datetime, url: str = "", xml: bytes = b""
) -> SsoConnection:
    """Return the connection with this provider's metadata, fetched from `url` or as given.

    Raises OwnersChangeSso, MetadataUnusable, ChangeWhileEnforced.
    """
    check_owner(principal)
    if url:
        try:
            xml = fetch(url)
        except Unreachable as error:
            raise MetadataUnusable(str(error)) from error
    metadata = read_metadata(xml, at=at)
    changes: dict[str, Any] = {
        "kind": SsoProvider.SAML,
        "provider_id": metadata.entity_id,
        "client_id": "",
        "sealed_client_secret": None,
        **_fresh(xml, metadata, at),
    }
    row = _describe(principal.org_id, changes, at=at, url=url)
    _record(principal, actor, "sso.described", provider=row.provider_id, metadata_url=url)
    return row


@transaction.atomic
def describe_oidc(
    *,
    principal: Principal,
    actor: Contact,
    at: datetime,
    issuer: str,
    client_id: str,
    client_secret: str = "",
    believes_unverified_email: bool = False,
) -> SsoConnection:
    """Return the connection with this OpenID provider; an empty secret keeps the one there is.

    Raises OwnersChangeSso, ChangeWhileEnforced.
    """
    check_owner(principal)
    changes: dict[str, Any] = {
        "kind": SsoProvider.OIDC,
        "provider_id": issuer,
        "client_id": client_id,
        "believes_unverified_email": believes_unverified_email,
        "metadata_xml": "",
        "metadata_error": "",
        "metadata_fetched_at": None,
        "metadata_checked_at": None,
        "certificate_expires_at": None,
    }
    if client_secret:
        changes["sealed_client_secret"] = seal(
            client_secret.encode(), bound_to=bound_to(principal.org_id, "client")
        )
    row = _describe(principal.org_id, changes, at=at, url="")
    _record(principal, actor, "sso.described", provider=issuer, client_id=client_id)
    return row


def _describe(
    organization_id: UUID, changes: dict[str, Any], *, at: datetime, url: str
) -> SsoConnection:
    with connection.platform():
        organization = Organization.objects.select_for_update().get(pk=organization_id)
        row = SsoConnection.objects.filter(pk=organization_id).first()
        is_new = row is None or any(
            getattr(row, field) != changes[field] for field in ("kind", "provider_id", "client_id")
        )
        if organization.sso_enforced and is_new:
            raise ChangeWhileEnforced
        if row is None:
            row = SsoConnection(organization_id=organization_id, **_own_key(organization_id, at))
        for field, value in changes.items():
            setattr(row, field, value)
        row.save()
        organization.saml_metadata_url = url
        if is_new:  # what was tested was another provider
            organization.sso_tested_at = None
            organization.sso_provider = SsoProvider.NONE
        organization.save(update_fields=["saml_metadata_url", "sso_tested_at", "sso_provider"])
    return row


def _own_key(organization_id: UUID, at: datetime) -> dict[str, Any]:
    """Return a new key of ours with its certificate: it signs requests and opens assertions."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Assay {organization_id}")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + OWN_CERTIFICATE_LASTS)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "own_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "sealed_own_key": seal(pem, bound_to=bound_to(organization_id, "key")),
    }


def _fresh(xml: bytes, metadata: ProviderMetadata, at: datetime) -> dict[str, Any]:
    return {
        "metadata_xml": xml.decode("utf-8-sig"),
        "metadata_fetched_at": at,
        "metadata_checked_at": at,
        "metadata_error": "",
        "certificate_expires_at": metadata.expires_at,
    }


@transaction.atomic
def change_joining(
    *,
    principal: Principal,
    actor: Contact,
    provisions_members: bool,
    joining_role: str,
    admins_make_tokens: bool,
) -> SsoConnection:
    """Return the connection with what happens to people who come for the first time.

    Raises OwnersChangeSso, SsoNotConfigured.
    """
    check_owner(principal)
    changes = {
        "provisions_members": provisions_members,
        "joining_role": joining_role,
        "admins_make_tokens": admins_make_tokens,
    }
    with connection.platform():
        if not SsoConnection.objects.filter(pk=principal.org_id).update(**changes):
            raise SsoNotConfigured
        row = SsoConnection.objects.get(pk=principal.org_id)
    _record(principal, actor, "sso.joining_changed", **changes)
    return row


@transaction.atomic
def offer_sso(*, principal: Principal, actor: Contact, is_offered: bool) -> None:
    """Show the way through the provider on the sign-in page, or take it away.

    Raises OwnersChangeSso, SsoNotConfigured, ChangeWhileEnforced.
    """
    check_owner(principal)
    with connection.platform():
        organization = Organization.objects.select_for_update().get(pk=principal.org_id)
        row = SsoConnection.objects.filter(pk=principal.org_id).first()
        if row is None:
            raise SsoNotConfigured
        if organization.sso_enforced:
            raise ChangeWhileEnforced
        organization.sso_provider = row.kind if is_offered else SsoProvider.NONE
        organization.save(update_fields=["sso_provider"])
    _record(principal, actor, "sso.offered" if is_offered else "sso.withdrawn")


def refresh_metadata(
    *, organization_id: UUID, at: datetime, read: Callable[[str], bytes] = fetch
) -> str:
    """Fetch a provider's metadata again; return "" or why the last good one was kept.

    Other certificates are taken over; another entity id is not: that would be another provider.
    The address is asked outside any transaction.
    """
    with connection.platform():
        organization = Organization.objects.get(pk=organization_id)
        row = SsoConnection.objects.get(pk=organization_id)
    url, error, changes = organization.saml_metadata_url, "", {}
    try:
        xml = read(url)
        metadata = read_metadata(xml, at=at)
        if metadata.entity_id != row.provider_id:
            raise ProviderChanged(f"The metadata now names {metadata.entity_id[:200]}.")
        changes = _fresh(xml, metadata, at)
    except (Unreachable, MetadataUnusable, ProviderChanged) as refused:
        error = str(refused)[:500]
        changes = {"metadata_checked_at": at, "metadata_error": error}
    with connection.platform(), transaction.atomic():
        # Only of the provider and address that were asked: an owner may have changed them.
        Organization.objects.select_for_update().get(pk=organization_id)
        if Organization.objects.filter(pk=organization_id, saml_metadata_url=url).exists():
            SsoConnection.objects.filter(
                pk=organization_id, kind=SsoProvider.SAML, provider_id=row.provider_id
            ).update(**changes)
    return error


def refresh_own_metadata(*, principal: Principal, actor: Contact, at: datetime) -> str:
    """Refresh at an owner's wish; return "" or why the last good metadata was kept.

    Raises OwnersChangeSso.
    """
    check_owner(principal)
    error = refresh_metadata(organization_id=principal.org_id, at=at)
    with transaction.atomic():
        _record(principal, actor, "sso.metadata_refreshed", error=error)
    return error


def _record(principal: Principal, actor: Contact, action: str, **details: Any) -> None:
    """Leave a row on both sides: the organisation's own and the platform's."""
    record_admin_action(actor=actor, action=action, details=details)
    with connection.platform():
        record_platform_action(
            action=action,
            organization_id=principal.org_id,
            actor_id=principal.user_id,
            details=details,
        )
