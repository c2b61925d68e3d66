"""Budgets: said by the organisation, told when a share is spent, and the end of new calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from apps.ai_logs.models import AiBudget, AiBudgetAlert
from apps.ai_logs.rules.budgets import Standing, month_of, next_month, seconds_left
from apps.ai_logs.selectors.budgets import spent_in, standing
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.outbox import owe
from apps.core.problems import Invalid, Problem
from apps.core.tenancy import connection
from apps.organizations.models import MembershipStatus, OrgMembership, OrgRole

ALERT = "ai_logs.budget_alert"


class BudgetSpent(Problem):
    """429: nothing new until the month ends or somebody raises the budget.

    The members `spent` and `allowed` are US dollars, `month` is that of the budget,
    `retry_after_seconds` says when the next one begins.
    """

    code, status, title = (
        "ai-budget-spent",
        429,
        "The organisation's AI budget of this month is spent.",
    )


class BudgetBeyondPlan(Invalid):
    code = "ai-budget-beyond-plan"
    title = "The plan allows less: an own budget can only be lower."


class BudgetOfThePast(Invalid):
    code = "ai-budget-of-the-past"
    title = "A budget is set for this month or a later one."


def refusal_of_new(*, at: datetime) -> BudgetSpent | None:
    """Return why nothing new can be recorded now, None while there is something left."""
    return budget_spent(standing(at=at), at=at)


def budget_spent(found: Standing, *, at: datetime) -> BudgetSpent | None:
    """Return the refusal of anything new, None while there is something left."""
    if not found.is_stopped or found.stop_at is None:
        return None
    return BudgetSpent(
        f"$ {found.spent:.2f} of $ {found.stop_at:.2f} are spent. It begins anew on"
        f" {next_month(found.month).isoformat()} (UTC).",
        month=f"{found.month:%Y-%m}",
        spent=f"{found.spent:.6f}",
        allowed=f"{found.stop_at:.2f}",
        retry_after_seconds=seconds_left(at),
    )


@transaction.atomic
def set_budget(
    *,
    month: date,
    amount: Decimal | None,
    alert_percent: Decimal,
    is_hard_stop: bool,
    actor: Contact,
    at: datetime,
) -> AiBudget:
    """Return what may be spent from that month on; None leaves it to the plan.

    Raises BudgetOfThePast, and BudgetBeyondPlan for more than the plan allows.
    """
    if month < month_of(at):
        raise BudgetOfThePast(errors=[_error("month", BudgetOfThePast)])
    plan = standing(at=at).plan
    if amount is not None and plan is not None and amount > plan:
        raise BudgetBeyondPlan(
            f"The plan allows $ {plan:.2f} a month.", errors=[_error("amount", BudgetBeyondPlan)]
        )
    before = AiBudget.objects.filter(valid_from__lte=month).order_by("-valid_from").first()
    said: dict[str, Any] = {
        "amount": amount,
        "alert_percent": alert_percent,
        "is_hard_stop": is_hard_stop,
        "created_by": actor,
    }
    budget, _created = AiBudget.objects.update_or_create(valid_from=month, defaults=said)
    record_admin_action(
        actor=actor,
        action="aibudget.set",
        entity=budget,
        details={
            "before": None if before is None or before.amount is None else str(before.amount),
            "amount": None if amount is None else str(amount),
            "alert_percent": str(alert_percent),
            "hard_stop": is_hard_stop,
            "from": month.isoformat(),
        },
    )
    owe_alert(at=at)
    return budget


def _error(field: str, problem: type[Problem]) -> Any:
    return {"field": field, "code": problem.code, "message": problem.title}


def owe_alert(*, at: datetime, before: Standing | None = None) -> bool:
    """Owe the month's mail if the share is reached and nobody was told; return whether.

    `before` is how the month stood when the transaction began: what it added is read anew.
    """
    found = standing(at=at) if before is None else _now(before)
    is_due = found.is_alarming and not AiBudgetAlert.objects.filter(month=found.month).exists()
    if is_due:
        owe(ALERT, found.month.isoformat())
    return is_due


def _now(before: Standing) -> Standing:
    if before.limit is None:
        return before
    spent, unpriced = spent_in(before.month)
    return replace(before, spent=spent, unpriced=unpriced)


def tell_administrators(month: date, *, at: datetime) -> int:
    """Mail owners and administrators once a month; return to how many.

    Nobody is told of a month that is over, twice, or when there is room again.
    """
    found = standing(at=at)
    is_told = AiBudgetAlert.objects.filter(month=month).exists()
    if found.month != month or is_told or not found.is_alarming or found.limit is None:
        return 0
    addresses = _administrators()
    AiBudgetAlert.objects.create(
        month=month, spent=found.spent, allowed=found.limit, recipients=len(addresses)
    )
    context = {
        "organization": connection.tenant,
        "standing": found,
        "percent": int(found.spent * 100 / found.limit) if found.limit else 100,
        "begins": next_month(month),
    }
    for address in addresses:
        EmailMultiAlternatives(
            subject=render_to_string("email/ai_budget_subject.txt", context).strip(),
            body=render_to_string("email/ai_budget.txt", context),
            to=[address],
        ).send()
    return len(addresses)


def _administrators() -> list[str]:
    organization_id = connection.tenant.id
    with connection.platform():
        members = OrgMembership.objects.filter(
            organization_id=organization_id,
            org_role__in=(OrgRole.OWNER, OrgRole.ADMIN),
            status=MembershipStatus.ACTIVE,
        )
        return sorted(members.values_list("user__email", flat=True))
