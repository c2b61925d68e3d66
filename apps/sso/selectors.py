"""Reads about an organisation's identity provider and who came through it."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.urls import reverse

from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.core.sealing import open_sealed
from apps.core.tenancy import connection
from apps.organizations.hosts import base_url
from apps.sso.models import EmailDomain, SsoConnection
from apps.sso.saml.metadata import ProviderMetadata, read_metadata
from apps.sso.saml.toolkit import ServiceProvider


def bound_to(organization_id: uuid.UUID, what: str) -> str:
    """Return what a sealed secret of this organisation is bound to."""
    return f"sso/{organization_id}/{what}"


def own_connection() -> SsoConnection | None:
    """Return the identity provider of the organisation in force, if one was described."""
    return SsoConnection.objects.filter(organization_id=connection.tenant.id).first()


def provider_metadata(row: SsoConnection, *, at: datetime) -> ProviderMetadata:
    """Return the last good metadata. Raises MetadataUnusable when it has expired meanwhile."""
    return read_metadata(row.metadata_xml, at=at)


def service_provider(row: SsoConnection | None, *, host: str = "") -> ServiceProvider:
    """Return how this host of the organisation presents itself to the identity provider."""
    base = base_url(host or connection.tenant.domain_url or "")
    return ServiceProvider(
        entity_id=base + reverse("sso_metadata"),
        acs_url=base + reverse("sso_acs"),
        certificate=row.own_certificate if row else "",
        private_key=private_key(row) if row else "",
    )


def private_key(row: SsoConnection) -> str:
    """Return our private key in PEM. Raises SealBroken."""
    return open_sealed(
        bytes(row.sealed_own_key),
        bound_to=bound_to(row.organization_id, "key"),
    ).decode()


def client_secret(row: SsoConnection) -> str:
    """Return the OpenID client's secret. Raises SealBroken."""
    return open_sealed(
        bytes(row.sealed_client_secret or b""),
        bound_to=bound_to(row.organization_id, "client"),
    ).decode()


def callback_url(*, host: str = "") -> str:
    """Return the redirect URI that the OpenID provider is told."""
    return base_url(host or connection.tenant.domain_url or "") + reverse("sso_callback")


def verified_domains(organization_id: uuid.UUID) -> frozenset[str]:
    """Return the e-mail domains that an organisation proved."""
    proved = EmailDomain.objects.filter(organization_id=organization_id, verified_at__isnull=False)
    return frozenset(proved.values_list("domain", flat=True))


def may_make_tokens(principal: Principal) -> bool:
    """Whether somebody may make API tokens while single sign-on is enforced."""
    row = own_connection()
    return row is not None and row.admins_make_tokens and principal.has(Capability.MANAGE_SETTINGS)
