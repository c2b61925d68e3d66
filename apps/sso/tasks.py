"""What beat asks of single sign-on, and the mail about the break-glass owner's way."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from apps.core.clock import now
from apps.core.tenancy import connection
from apps.organizations.models import (
    MembershipStatus,
    OrganizationStatus,
    OrgMembership,
    OrgRole,
    SsoProvider,
)
from apps.sso.models import EmailDomain, SsoConnection, UsedAssertion
from apps.sso.services.connections import refresh_metadata
from apps.sso.services.domains import verify

log = logging.getLogger("assay.sso")

METADATA_IS_FRESH = timedelta(hours=6)
DOMAIN_IS_AWAITED = timedelta(days=7)


@shared_task(name="sso.refresh_metadata")
def refresh_all_metadata() -> int:
    """Fetch the metadata of every provider that gave an address; return how many failed."""
    at = now()
    with connection.platform():
        due = list(
            SsoConnection.objects.filter(
                kind=SsoProvider.SAML,
                metadata_checked_at__lt=at - METADATA_IS_FRESH,
                organization__status=OrganizationStatus.ACTIVE,
            )
            .exclude(organization__saml_metadata_url="")
            .values_list("organization_id", flat=True)
        )
    failed = 0
    for organization_id in due:
        error = refresh_metadata(organization_id=organization_id, at=at)
        if error:
            failed += 1
            log.warning(
                "identity provider's metadata not refreshed",
                extra={"organization": str(organization_id), "error": error},
            )
    connection.forget_tenant()
    return failed


@shared_task(name="sso.verify_domains")
def verify_awaited_domains() -> int:
    """Look for the records of domains that were added lately; return how many were found."""
    at = now()
    with connection.platform():
        awaited = list(
            EmailDomain.objects.filter(verified_at=None, created_at__gt=at - DOMAIN_IS_AWAITED)
        )
    found = sum(verify(domain, at=at) for domain in awaited)
    connection.forget_tenant()
    return found


@shared_task(name="sso.forget_assertions")
def forget_expired_assertions() -> int:
    """Forget used assertions that would be refused as expired anyway; return how many."""
    with connection.platform(), transaction.atomic():
        forgotten, _by_model = UsedAssertion.objects.filter(
            expires_at__lt=now() - timedelta(hours=1)
        ).delete()
    connection.forget_tenant()
    return forgotten


def tell_owners_of_break_glass(key: str, payloads: list[dict[str, Any]]) -> None:
    """Outbox handler: mail every owner that somebody came in around the identity provider."""
    organization = connection.tenant
    with connection.platform():
        owners = list(
            OrgMembership.objects.select_related("user").filter(
                organization_id=organization.id,
                org_role=OrgRole.OWNER,
                status=MembershipStatus.ACTIVE,
            )
        )
    used = next((one.user.email for one in owners if one.user_id == UUID(key)), "")
    for owner in owners:
        context = {"organization": organization, "email": used, "times": payloads}
        EmailMultiAlternatives(
            subject=render_to_string("email/break_glass_subject.txt", context).strip(),
            body=render_to_string("email/break_glass.txt", context),
            to=[owner.user.email],
        ).send()
