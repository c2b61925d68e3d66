"""`manage.py plan`: show what an organisation may have, or change it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.core.problems import Problem
from apps.core.tenancy import connection
from apps.organizations.models import LIMIT_UNITS, LimitName, Organization, Plan
from apps.organizations.plans import agree_limit, forget_agreed_limit, set_plan
from apps.organizations.selectors import limits_of


class Command(BaseCommand):
    help = "Show an organisation's plan and limits; with --set or --limit change them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, help="its slug")
        parser.add_argument("--set", choices=Plan.values, help="put it on this plan")
        parser.add_argument(
            "--limit",
            action="append",
            default=[],
            metavar="NAME=AMOUNT",
            help=f"agree on a limit of its own: {', '.join(LimitName.values)}; an amount, "
            "`none` for no limit, or `plan` to let the plan's count again",
        )
        parser.add_argument("--reason", default="", help="why, for the record")

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.platform(), transaction.atomic():
            organization = Organization.objects.filter(slug=options["organization"]).first()
            if organization is None:
                raise CommandError(f"There is no organisation {options['organization']!r}.")
            try:
                self._change(organization, options)
            except Problem as problem:
                raise CommandError(str(problem)) from problem
            for limit in limits_of(organization.id).values():
                amount = "no limit" if limit.amount is None else f"{limit.amount:f}"
                source = "agreed" if limit.is_own else f"plan {limit.plan}"
                unit = LIMIT_UNITS[LimitName(limit.name)]
                self.stdout.write(f"{limit.name}: {amount} ({unit}; {source})")

    def _change(self, organization: Organization, options: dict[str, Any]) -> None:
        if options["set"]:
            set_plan(
                organization_id=organization.id,
                plan=options["set"],
                reason=options["reason"],
                actor_id=None,
            )
        for asked in options["limit"]:
            name, _, said = asked.partition("=")
            if said == "plan":
                forget_agreed_limit(organization_id=organization.id, name=name, actor_id=None)
                continue
            agree_limit(
                organization_id=organization.id,
                name=name,
                amount=None if said == "none" else _amount(said),
                reason=options["reason"],
                actor_id=None,
            )


def _amount(said: str) -> Decimal:
    try:
        amount = Decimal(said)
    except InvalidOperation as error:
        raise CommandError(f"{said!r} is no amount.") from error
    if not amount.is_finite():
        raise CommandError(f"{said!r} is no amount.")
    return amount
