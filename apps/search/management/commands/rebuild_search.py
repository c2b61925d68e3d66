"""manage.py rebuild_search"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.tasks import ready_organizations
from apps.core.tenancy import tenant_context
from apps.search.services import rebuild


class Command(BaseCommand):
    help = (
        "Make the search index from what is published, for all organisations. "
        "Rows that are right stay; says how many were not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="only this organisation")
        parser.add_argument(
            "--afresh",
            action="store_true",
            help="make the words of every row anew, after an upgrade of PostgreSQL",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["organization"]
        organizations = [o for o in ready_organizations() if slug in (None, o.slug)]
        if slug is not None and not organizations:
            raise CommandError(f"There is no organisation “{slug}”.")
        for organization in organizations:
            with tenant_context(organization):
                written = rebuild(afresh=options["afresh"])
            self.stdout.write(f"{organization.slug}: rows mended: {written}")
