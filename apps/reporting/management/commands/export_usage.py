"""`manage.py export_usage`: what each organisation used in a month."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import asdict, fields
from datetime import UTC, date
from io import StringIO
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.clock import now
from apps.core.tasks import ready_organizations
from apps.core.tenancy import tenant_context
from apps.reporting.selectors.usage import Month, Usage, usage_of

_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class Command(BaseCommand):
    help = (
        "Meter members, active learners, storage, AI cost, awards and attempts of each "
        "organisation in a month (UTC), to standard output or a file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", help="YYYY-MM (default: the last one that is over)")
        parser.add_argument("--organization", help="the slug of one (default: all)")
        parser.add_argument("--format", choices=("csv", "json"), default="csv")
        parser.add_argument("--output", help="a file (default: standard output)")

    def handle(self, *args: Any, **options: Any) -> None:
        month = _month(options["month"])
        wanted = options["organization"]
        organizations = [o for o in ready_organizations() if wanted in (None, o.slug)]
        if wanted is not None and not organizations:
            raise CommandError(f"There is no organisation {wanted!r}.")
        rows = []
        for organization in sorted(organizations, key=lambda one: one.slug):
            with tenant_context(organization):
                rows.append(usage_of(organization, month))
        written = _as_json(rows) if options["format"] == "json" else _as_csv(rows)
        if options["output"] is None:
            self.stdout.write(written, ending="")
            return
        try:
            Path(options["output"]).write_text(written, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(
                f"{options['output']} can't be written: {error.strerror}."
            ) from error


def _month(said: str | None) -> Month:
    running = Month(now().astimezone(UTC).date().replace(day=1))
    if said is None:
        return running.before
    match = _MONTH.fullmatch(said)
    if match is None or match[1] == "0000":
        raise CommandError(f"{said!r} is no month: YYYY-MM.")
    month = Month(date(int(match[1]), int(match[2]), 1))
    if month.first > running.first:
        raise CommandError(f"{said} has not begun.")
    return month


def _as_csv(rows: list[Usage]) -> str:
    table = StringIO(newline="")
    writer = csv.DictWriter(table, [field.name for field in fields(Usage)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return table.getvalue()


def _as_json(rows: list[Usage]) -> str:
    told = [{**asdict(row), "ai_cost_usd": str(row.ai_cost_usd)} for row in rows]
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
