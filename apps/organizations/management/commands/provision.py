"""`manage.py provision`: make the schemas of organisations that were asked for."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.tenancy import connection
from apps.organizations.hosts import base_url
from apps.organizations.models import Organization, OrgRole, ProvisioningStep
from apps.organizations.provisioning import provision
from apps.organizations.services import invitation_token, invite, request_organization


class Command(BaseCommand):
    help = "Create an organisation and make its schema; without --slug resume all unfinished ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", help="short name, the first part of its host")
        parser.add_argument("--name", help="full name (default: the slug)")
        parser.add_argument("--host", help="its host (default: <slug>.<PLATFORM_HOST>)")
        parser.add_argument("--owner", help="e-mail of its first owner: prints the link to join by")

    def handle(self, *args: Any, **options: Any) -> None:
        connection.set_schema(PUBLIC_SCHEMA)
        slug = options["slug"]
        if slug and not Organization.objects.filter(slug=slug).exists():
            request_organization(
                slug=slug, name=options["name"] or slug, host=options["host"] or None
            )
        waiting = Organization.objects.exclude(provisioning=ProvisioningStep.READY)
        for organization in waiting.order_by("created_at"):
            started = time.perf_counter()
            provision(organization)
            seconds = time.perf_counter() - started
            self.stdout.write(f"{organization.slug}: ready in {seconds:.1f} s")
        if options["owner"]:
            self._invite_owner(slug, options["owner"])

    def _invite_owner(self, slug: str | None, email: str) -> None:
        """Print the link by which the first owner joins; there is nobody yet to mail it."""
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            raise CommandError("--owner needs --slug.")
        invitation = invite(
            organization_id=organization.id,
            email=email,
            org_role=OrgRole.OWNER,
            invited_by_id=organization.id,
            at=now(),
        )
        host = organization.domains.get(is_primary=True).domain
        self.stdout.write(f"{base_url(host)}/invitations/{invitation_token(invitation.id)}")
