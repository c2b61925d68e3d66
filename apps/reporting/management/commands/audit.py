"""`manage.py audit`: the health checklist; with `--replay`, every stored decision again."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.tasks import ready_organizations
from apps.core.tenancy import tenant_context
from apps.reporting.audit import REPLAYS, Replay
from apps.reporting.checklist import Outcome, run_checklist

SHOWN: Final = 10


class Command(BaseCommand):
    help = (
        "Go through the health checklist: counts what should not be there and names it. With "
        "--replay, replay results, evaluations and awards from their stored facts and from the "
        "history instead. Exits 1 when anything is found."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--replay", action="store_true", help="decide everything again")
        parser.add_argument("--organization", help="the slug of one (default: all)")
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print the outcome as JSON"
        )
        parser.add_argument(
            "--ids", type=int, default=SHOWN, metavar="N", help=f"name at most N (default {SHOWN})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["ids"] < 0:
            raise CommandError("--ids is 0 or more.")
        if options["replay"] and options["as_json"]:
            raise CommandError("--json tells the checklist: leave out --replay.")
        wanted = options["organization"]
        organizations = [o for o in ready_organizations() if wanted in (None, o.slug)]
        if not organizations:
            raise CommandError(f"There is no organisation {wanted!r}." if wanted else "None yet.")
        if options["replay"]:
            self._conclude(self._each(organizations, self._replays), "difference")
        elif options["as_json"]:
            self._as_json(organizations, shown=options["ids"])
        else:
            told = self._each(organizations, lambda slug: self._checklist(slug, options["ids"]))
            self._conclude(told, "fault")

    def _each(self, organizations: list[Any], look: Callable[[str], int]) -> int:
        """Return the sum of what is found in each organisation."""
        found = 0
        for organization in organizations:
            with tenant_context(organization):
                found += look(organization.slug)
        return found

    def _conclude(self, found: int, noun: str) -> None:
        if found:
            self.stdout.write(self.style.ERROR(f"{found} {noun}{'' if found == 1 else 's'}"))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(f"no {noun}"))

    def _checklist(self, slug: str, shown: int) -> int:
        outcomes = run_checklist()
        for outcome in outcomes:
            style = self.style.ERROR if outcome.faults else str
            self.stdout.write(style(f"{slug}: {outcome.check.name}: {outcome.faults}"))
            for row_id in outcome.ids[:shown]:
                self.stdout.write(f"{slug}:   {row_id}")
            if 0 < shown < outcome.faults:
                self.stdout.write(f"{slug}:   and {outcome.faults - shown} more")
        return sum(outcome.faults for outcome in outcomes)

    def _as_json(self, organizations: list[Any], *, shown: int) -> None:
        told, faults = [], 0
        for organization in organizations:
            with tenant_context(organization):
                outcomes = run_checklist()
            faults += sum(outcome.faults for outcome in outcomes)
            checks = [as_json(outcome, shown) for outcome in outcomes]
            told.append({"organization": organization.slug, "checks": checks})
        self.stdout.write(json.dumps({"faults": faults, "organizations": told}, indent=2))
        if faults:
            sys.exit(1)

    def _replays(self, slug: str) -> int:
        return sum(self._replay(slug, one) for one in REPLAYS)

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


def as_json(outcome: Outcome, shown: int) -> dict[str, Any]:
    """Return a check's outcome: its name, what it proves, how many faults, the first ids."""
    return {
        "name": outcome.check.name,
        "proves": outcome.check.proves,
        "faults": outcome.faults,
        "ids": [str(row_id) for row_id in outcome.ids[:shown]],
    }
