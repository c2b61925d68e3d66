"""What was spent on AI, and what may be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncMonth

from apps.ai_logs.models import AiBudget, AiInteractionCost, AiMonthSpend
from apps.ai_logs.pricelist import CURRENCY
from apps.ai_logs.rules.budgets import OwnBudget, Standing, month_of
from apps.core.tenancy import connection
from apps.organizations.models import LimitName
from apps.organizations.selectors import limit_of

Spent = tuple[Decimal, int]
"""US dollars, and calls that have no price in them."""


def spent_in(month: date) -> Spent:
    """Return what the calls of a month cost; reads the few parts of its sum."""
    found = AiMonthSpend.objects.filter(month=month).aggregate(
        amount=Sum("amount"), unpriced=Sum("unpriced")
    )
    return found["amount"] or Decimal(0), found["unpriced"] or 0


def spent_this_month(at: datetime) -> Decimal:
    """Return what the calls of the running month cost so far, in US dollars."""
    return spent_in(month_of(at))[0]


def standing(*, at: datetime) -> Standing:
    """Return how the running month stands: three statements, however much was said in it."""
    month = month_of(at)
    spent, unpriced = spent_in(month)
    row = AiBudget.objects.filter(valid_from__lte=month).order_by("-valid_from").first()
    own = OwnBudget(row.amount, row.alert_percent, row.is_hard_stop) if row else None
    plan = limit_of(connection.tenant, LimitName.AI_BUDGET)
    return Standing(month=month, spent=spent, unpriced=unpriced, plan=plan, own=own)


def spent_by_costs() -> Mapping[date, Spent]:
    """Return month -> what its calls cost, added up anew from every cost that counts."""
    in_dollars = Q(amount__isnull=False, currency=CURRENCY)
    rows = (
        AiInteractionCost.objects.current()
        .annotate(month=TruncMonth("interaction__occurred_at"))
        .values("month")
        .annotate(total=Sum("amount", filter=in_dollars), unknown=Count("id", filter=~in_dollars))
        .order_by("month")
        .values_list("month", "total", "unknown")
    )
    return {
        month.date(): (total or Decimal(0), unknown)
        for month, total, unknown in rows.iterator(chunk_size=1000)
    }
