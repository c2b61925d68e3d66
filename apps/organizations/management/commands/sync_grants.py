"""`manage.py sync_grants`: derive every grant, trigger and policy from the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.tenancy import connection
from apps.core.walls import sync_schema
from apps.organizations.models import Organization, ProvisioningStep
from apps.organizations.walls import sync_public


class Command(BaseCommand):
    help = "Make grants, triggers and row-level security what the models say, in every schema."

    def handle(self, *args: Any, **options: Any) -> None:
        connection.set_schema(PUBLIC_SCHEMA)
        with transaction.atomic():
            sync_public()
        ready = Organization.objects.filter(provisioning=ProvisioningStep.READY).order_by("slug")
        for organization in ready:
            with transaction.atomic():
                sync_schema(organization.schema_name)
            if options["verbosity"] > 1:
                self.stdout.write(f"{organization.slug}: synced")
