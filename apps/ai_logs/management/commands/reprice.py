"""`manage.py reprice`: what the price list changes about costs; with --apply, revisions."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.ai_logs.services.prices import apply_changes, listed_changes
from apps.ai_logs.services.repricing import apply_cost_changes, by_model, cost_changes
from apps.core.clock import now
from apps.core.tasks import ready_organizations
from apps.core.tenancy import tenant_context


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Show what today's prices change about the costs of AI calls; --apply adds revisions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", help="slug of the only one to look at")
        parser.add_argument("--since", type=_day, help="calls from this day on (UTC)")
        parser.add_argument("--until", type=_day, help="calls before this day (UTC)")
        parser.add_argument("--model", default="", help="calls that this model answered")
        parser.add_argument(
            "--refresh", action="store_true", help="first bring prices up to the published list"
        )
        parser.add_argument("--apply", action="store_true", help="write what is shown")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["organization"]
        organizations = [one for one in ready_organizations() if wanted in (None, one.slug)]
        if not organizations:
            raise CommandError(f"There is no organisation “{wanted}”.")
        for organization in organizations:
            with tenant_context(organization):
                self.stdout.write(f"{organization.slug}:")
                if options["refresh"]:
                    self._refresh(is_applied=options["apply"])
                self._reprice(options)

    def _refresh(self, *, is_applied: bool) -> None:
        changes = listed_changes(today=now().date())
        for change in changes:
            price, before = change.listed, change.before
            self.stdout.write(
                f"  price {change.model.provider} {change.model.model} {price.token_type}"
                f" from {price.valid_from}: {before.price_per_million if before else '–'}"
                f" → {price.per_million}"
            )
        if is_applied:
            apply_changes(changes)

    def _reprice(self, options: dict[str, Any]) -> None:
        changes = cost_changes(
            since=options["since"], until=options["until"], model=options["model"]
        )
        for line in by_model(changes):
            self.stdout.write(
                f"  {line.provider} {line.model}: {line.calls} calls,"
                f" {line.before.normalize():f} → {line.after.normalize():f} {line.currency}"
                f" ({line.newly_known} newly known, {line.newly_unknown} newly unknown)"
            )
        if not changes:
            self.stdout.write("  no cost changes")
        elif options["apply"]:
            self.stdout.write(f"  {apply_cost_changes(changes)} revisions written")
        else:
            self.stdout.write("  nothing written; --apply writes revisions")
