"""`manage.py provision`: make the schemas of organisations that were asked for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from apps.core.clock import now
from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.problems import Problem
from apps.core.tenancy import connection
from apps.organizations.hosts import base_url
from apps.organizations.models import Organization, OrgRole, ProvisioningStep
from apps.organizations.provisioning import ProvisioningNeedsOwner, provision
from apps.organizations.services import invitation_token, invite, request_organization


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # they load every page, and nothing here needs one
    help = "Create an organisation and make its schema; without --slug resume all unfinished ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", help="short name, the first part of its host")
        parser.add_argument("--name", help="full name; a new organisation needs one")
        parser.add_argument("--host", help="its host (default: <slug>.<PLATFORM_HOST>)")
        parser.add_argument("--owner", help="e-mail of its first owner: prints the link to join by")

    def handle(self, *args: Any, **options: Any) -> None:
        connection.set_schema(PUBLIC_SCHEMA)
        slug, owner = options["slug"], options["owner"]
        if owner and not slug:
            raise CommandError("--owner needs --slug: of which organisation?")
        if owner and not _is_address(owner):
            raise CommandError(f"“{owner}” is no e-mail address.")
        try:
            wanted = [_organization(slug, options["name"], options["host"])] if slug else None
            self._provision(_unfinished() if wanted is None else wanted)
            if owner and wanted is not None:
                self._invite_owner(wanted[0], owner)
        except Problem as problem:
            faults = [f"\n  --{error['field']}: {error['message']}" for error in problem.errors]
            raise CommandError(f"{problem}{''.join(faults)}") from problem
        except ProvisioningNeedsOwner as error:
            raise CommandError(str(error)) from error

    def _provision(self, organizations: Iterable[Organization]) -> None:
        for organization in organizations:
            if organization.provisioning == ProvisioningStep.READY:
                continue
            started = time.perf_counter()
            provision(organization)
            seconds = time.perf_counter() - started
            self.stdout.write(f"{organization.slug}: ready in {seconds:.1f} s")

    def _invite_owner(self, organization: Organization, email: str) -> None:
        """Print the link by which the first owner joins; there is nobody yet to mail it."""
        invitation = invite(
            organization_id=organization.id,
            email=email,
            org_role=OrgRole.OWNER,
            invited_by_id=organization.id,
            at=now(),
        )
        host = organization.domains.get(is_primary=True).domain
        self.stdout.write(f"{base_url(host)}/invitations/{invitation_token(invitation.id)}")


def _organization(slug: str, name: str | None, host: str | None) -> Organization:
    """Return the organisation, asking for it if it is new.

    Only with a name: a slip in a short name must not make another organisation. Raises
    CommandError, Invalid and HostTaken.
    """
    found: Organization | None = Organization.objects.filter(slug=slug).first()
    if found is None and name is None:
        known = ", ".join(Organization.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(
            f"There is no organisation “{slug}”. There are: {known or 'none'}. "
            "To make a new one, give its --name."
        )
    if found is None:
        return request_organization(slug=slug, name=name or "", host=host)
    if name is not None and name.strip() != found.name:
        raise CommandError(f"“{slug}” is there already: it is {found.name}.")
    if host is not None and not found.domains.filter(domain=host.lower()).exists():
        raise CommandError(f"“{slug}” is there already, at another host.")
    return found


def _unfinished() -> Iterable[Organization]:
    waiting = Organization.objects.exclude(provisioning=ProvisioningStep.READY)
    return list(waiting.order_by("created_at"))


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
