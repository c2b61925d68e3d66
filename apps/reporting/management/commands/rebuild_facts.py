"""manage.py rebuild_facts"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.tasks import ready_organizations
from apps.core.tenancy import tenant_context
from apps.reporting.services import Refreshed, rebuild_facts
from apps.reporting.services.ai_usage import rebuild_ai_usage


class Command(BaseCommand):
    help = (
        "Make the facts that dashboards count from the rows of record, for everybody. "
        "Rows that are right stay; says how many were not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="only this organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["organization"]
        organizations = [o for o in ready_organizations() if slug in (None, o.slug)]
        if slug is not None and not organizations:
            raise CommandError(f"There is no organisation “{slug}”.")
        for organization in organizations:
            with tenant_context(organization):
                done = rebuild_facts() + Refreshed({"fact_ai_usage": rebuild_ai_usage()})
            told = ", ".join(f"{name} {rows}" for name, rows in done.rows.items())
            self.stdout.write(f"{organization.slug}: rows mended: {told or 'none'}")
