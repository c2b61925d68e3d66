"""`manage.py setup`: bring every schema to the newest migration and its walls up to date."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.tenancy import connection
from apps.organizations.walls import sync_public


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # they load every page, at each start
    help = "Migrate everything, then sync grants, triggers and row-level security. Idempotent."

    def handle(self, *args: Any, **options: Any) -> None:
        verbosity = options["verbosity"]
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=verbosity - 1)
        connection.set_schema(PUBLIC_SCHEMA)
        sync_public()
        call_command("migrate_schemas", tenant=True, interactive=False, verbosity=verbosity - 1)
        call_command("sync_grants", verbosity=verbosity)
