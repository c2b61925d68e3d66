"""E-mail domains of the organisation, proved by a TXT record."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict, Invalid, NotFound
from apps.core.revisions import violates
from apps.core.tenancy import connection
from apps.organizations.services import record_platform_action
from apps.sso.models import EmailDomain
from apps.sso.ports import NoAnswer, txt_records
from apps.sso.rules import ascii_domain
from apps.sso.services.connections import check_owner

RECORD_NAME = "_assay"
RECORD_START = "assay-domain-verification="


class NoDomain(Invalid):
    code = "email-domain-invalid"
    title = "This is not the name of a domain, such as example.org."


class DomainKnown(Conflict):
    code = "email-domain-known"
    title = "This domain is in the list already."


class UnknownEmailDomain(NotFound):
    code = "email-domain-unknown"
    title = "There is no such domain in the list."


def record_name(domain: EmailDomain) -> str:
    """Return the name whose TXT record proves the domain."""
    return f"{RECORD_NAME}.{domain.domain}"


def record_value(domain: EmailDomain) -> str:
    """Return the text that must stand there."""
    return f"{RECORD_START}{domain.token}"


@transaction.atomic
def add_domain(*, principal: Principal, actor: Contact, domain: str) -> EmailDomain:
    """Return the new domain, not believed yet.

    Raises OwnersChangeSso, NoDomain, DomainKnown.
    """
    check_owner(principal)
    name = ascii_domain(domain)
    if not name:
        raise NoDomain(errors=[{"field": "domain", "code": "invalid", "message": NoDomain.title}])
    with connection.platform():
        try:
            with transaction.atomic():
                row = EmailDomain.objects.create(
                    organization_id=principal.org_id, domain=name, token=secrets.token_hex(16)
                )
        except IntegrityError as error:
            if violates(error, "email_domain_once_per_organization"):
                raise DomainKnown from error
            raise
    _record(principal, actor, "sso.domain_added", row)
    return row


def check_domain(*, principal: Principal, actor: Contact, domain_id: UUID, at: datetime) -> bool:
    """Return whether the domain is proved now, after asking the name servers.

    Raises OwnersChangeSso, UnknownEmailDomain.
    """
    check_owner(principal)
    with connection.platform():
        row = _domain(principal.org_id, domain_id)
    if row.verified_at is None and verify(row, at=at):
        with transaction.atomic():
            _record(principal, actor, "sso.domain_verified", row)
    return row.verified_at is not None


def verify(row: EmailDomain, *, at: datetime) -> bool:
    """Return whether the record stands, and keep the outcome on the row.

    The name servers are asked outside any transaction. A domain once proved stays so: what may
    be lost is taken away by an owner.
    """
    try:
        found = record_value(row) in [text.strip() for text in txt_records(record_name(row))]
        error = "" if found else f"No TXT record of {record_name(row)} has the text."
    except NoAnswer:
        found, error = False, "The name servers of the domain did not answer."
    changes: dict[str, Any] = {"checked_at": at, "check_error": error}
    if found:
        changes["verified_at"] = at
    with connection.platform(), transaction.atomic():
        EmailDomain.objects.filter(pk=row.pk, verified_at=None).update(**changes)
    for field, value in changes.items():
        setattr(row, field, value)
    return found


@transaction.atomic
def remove_domain(*, principal: Principal, actor: Contact, domain_id: UUID) -> None:
    """Believe the provider no more about this domain; who is linked already stays so.

    Raises OwnersChangeSso, UnknownEmailDomain.
    """
    check_owner(principal)
    with connection.platform():
        row = _domain(principal.org_id, domain_id)
        EmailDomain.objects.filter(pk=row.pk).delete()
    _record(principal, actor, "sso.domain_removed", row)


def _domain(organization_id: UUID, domain_id: UUID) -> EmailDomain:
    row = EmailDomain.objects.filter(pk=domain_id, organization_id=organization_id).first()
    if row is None:
        raise UnknownEmailDomain
    return row


def _record(principal: Principal, actor: Contact, action: str, row: EmailDomain) -> None:
    details = {"domain": row.domain}
    record_admin_action(actor=actor, action=action, details=details)
    with connection.platform():
        record_platform_action(
            action=action,
            organization_id=principal.org_id,
            actor_id=principal.user_id,
            details=details,
        )
