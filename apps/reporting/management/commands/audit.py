"""`manage.py audit --replay`: decide every stored decision again and name each difference."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.tasks import ready_organizations
from apps.core.tenancy import tenant_context
from apps.reporting.audit import REPLAYS, Replay


class Command(BaseCommand):
    help = (
        "Replay results, evaluations and awards from their stored facts and from the history. "
        "Prints each difference; exits 1 when there is one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--replay", action="store_true", help="decide everything again")
        parser.add_argument("--organization", help="the slug of one (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["replay"]:
            raise CommandError("Say what to audit: --replay.")
        wanted = options["organization"]
        organizations = [o for o in ready_organizations() if wanted in (None, o.slug)]
        if not organizations:
            raise CommandError(f"There is no organisation {wanted!r}." if wanted else "None yet.")
        differences = 0
        for organization in organizations:
            with tenant_context(organization):
                differences += sum(self._replay(organization.slug, one) for one in REPLAYS)
        if differences:
            self.stdout.write(self.style.ERROR(f"{differences} differences"))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("no difference"))

    def _replay(self, slug: str, replay: Replay) -> int:
        """Print what differs among one kind of decisions; return how much does."""
        began = time.perf_counter()
        found = 0
        for difference in replay.run():
            found += 1
            self.stdout.write(
                f"{slug}: {difference.entity_type} {difference.entity_id} {difference.check}: "
                f"stored {difference.stored}, replayed {difference.replayed}"
            )
        seconds = time.perf_counter() - began
        self.stdout.write(
            f"{slug}: {replay.count()} {replay.name} replayed in {seconds:.1f} s, "
            f"{found} differences"
        )
        return found
