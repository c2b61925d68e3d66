"""What the back office shows of signing in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Value
from django.db.models.functions import Lower, StrIndex, Substr

from apps.accounts.models import User
from apps.contacts.models import AdminAction, ApiToken
from apps.core.tenancy import connection
from apps.organizations.models import (
    TEST_SIGN_IN_COUNTS,
    MembershipStatus,
    Organization,
    OrgMembership,
    OrgRole,
)
from apps.sso.models import EmailDomain, SsoConnection
from apps.sso.saml.toolkit import ServiceProvider
from apps.sso.selectors import (
    callback_url,
    own_connection,
    service_provider,
    verified_domains,
)
from apps.sso.services.domains import record_name, record_value

LAST_REFUSALS = 10
ENDS_SOON = timedelta(days=30)
UNUSABLE_PASSWORD = "!"  # noqa: S105 - how Django marks an account without one


@dataclass(frozen=True)
class Domain:
    """A domain with the record that proves it."""

    row: EmailDomain
    record_name: str
    record_value: str


@dataclass(frozen=True)
class SignInOverview:
    """Everything about signing in at one moment."""

    organization: Organization
    connection: SsoConnection | None
    own: ServiceProvider
    callback_url: str
    domains: list[Domain]
    break_glass: str
    is_tested: bool
    is_ending: bool
    refusals: list[AdminAction]


@dataclass(frozen=True)
class Consequences:
    """Whom enforcing would keep out, and which keys would stay."""

    outside: int
    examples: list[str]
    tokens: int
    is_tested: bool
    is_offered: bool


def organization_now() -> Organization:
    """Return the organisation's row as it is, not as its host was remembered."""
    found: Organization = Organization.objects.get(pk=connection.tenant.id)
    return found


def sign_in_overview(*, at: datetime) -> SignInOverview:
    """Return what the page shows."""
    organization, row = organization_now(), own_connection()
    ends = row.certificate_expires_at if row else None
    return SignInOverview(
        organization=organization,
        connection=row,
        own=service_provider(row),
        callback_url=callback_url(),
        domains=[
            Domain(one, record_name(one), record_value(one))
            for one in EmailDomain.objects.order_by("domain")
        ],
        break_glass=_break_glass_email(organization),
        is_tested=is_tested(organization, at=at),
        is_ending=ends is not None and ends - at < ENDS_SOON,
        refusals=list(
            AdminAction.objects.filter(action="sso.refused").order_by("-id")[:LAST_REFUSALS]
        ),
    )


def is_tested(organization: Organization, *, at: datetime) -> bool:
    """Whether a test sign-in of the last hour counts."""
    tested_at = organization.sso_tested_at
    return tested_at is not None and at - tested_at <= TEST_SIGN_IN_COUNTS


def _break_glass_email(organization: Organization) -> str:
    member = OrgMembership.objects.filter(pk=organization.sso_break_glass_id).first()
    return member.user.email if member else ""


def possible_break_glass() -> QuerySet[OrgMembership]:
    """Return the active owners who have a password."""
    return (
        OrgMembership.objects.select_related("user")
        .filter(org_role=OrgRole.OWNER, status=MembershipStatus.ACTIVE)
        .exclude(user__password__startswith=UNUSABLE_PASSWORD)
        .order_by("user__email")
    )


def consequences_of_enforcing(*, at: datetime) -> Consequences:
    """Return who is a member under an address for which the provider is not believed.

    Who is linked already is not counted: their subject decides, whatever their address.
    """
    organization = organization_now()
    proved = verified_domains(organization.id)
    strangers: Any = (
        User.objects.filter(
            memberships__organization_id=organization.id,
            memberships__status=MembershipStatus.ACTIVE,
        )
        .exclude(sso_identities__organization_id=organization.id)
        .annotate(domain=Lower(Substr("email", StrIndex("email", Value("@")) + 1)))
        .exclude(domain__in=proved)
        .order_by("email")
    )
    emails = list(strangers.values_list("email", flat=True)[:5])
    return Consequences(
        outside=strangers.count(),
        examples=emails,
        tokens=ApiToken.objects.filter(revoked_at=None, contact__user_id__isnull=False).count(),
        is_tested=is_tested(organization, at=at),
        is_offered=bool(organization.sso_provider),
    )
