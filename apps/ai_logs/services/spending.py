"""The running sum of what AI costs, kept in the transaction of the costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.ai_logs.models import AiMonthSpend
from apps.ai_logs.pricelist import CURRENCY
from apps.ai_logs.rules.pricing import Cost
from apps.ai_logs.selectors.budgets import Spent, spent_by_costs
from apps.core.bulk import insert_many
from apps.core.ids import uuid7
from apps.core.tenancy import connection

PARTS = 16
"""So many who record at once need not wait for each other."""

ADD = """
INSERT INTO ai_month_spend AS part (id, month, part, amount, unpriced)
SELECT * FROM unnest(%(ids)s::uuid[], %(months)s::date[], %(parts)s::smallint[],
                     %(amounts)s::numeric[], %(unpriced)s::integer[])
ON CONFLICT (month, part) DO UPDATE
SET amount = part.amount + excluded.amount, unpriced = part.unpriced + excluded.unpriced
"""


def in_dollars(cost: Cost) -> Spent:
    """Return what a cost adds to a month's sum."""
    is_counted = cost.amount is not None and cost.currency == CURRENCY
    return (cost.amount or Decimal(0), 0) if is_counted else (Decimal(0), 1)


def add_spending(added: Iterable[tuple[date, Spent]]) -> None:
    """Add amounts to the sums of their months: one statement, or none."""
    sums: dict[date, Spent] = defaultdict(lambda: (Decimal(0), 0))
    for month, (amount, unpriced) in added:
        before = sums[month]
        sums[month] = (before[0] + amount, before[1] + unpriced)
    if not sums:
        return
    months = sorted(sums)  # always in this order, so that two can't deadlock
    part = uuid7().int % PARTS
    ids: list[UUID] = [uuid7() for _ in months]
    with connection.cursor() as cursor:
        cursor.execute(
            ADD,
            {
                "ids": ids,
                "months": months,
                "parts": [part] * len(months),
                "amounts": [sums[month][0] for month in months],
                "unpriced": [sums[month][1] for month in months],
            },
        )


@transaction.atomic
def rebuild_spending() -> int:
    """Make the sums what the costs say; return how many months that changed.

    Who records meanwhile waits: what they add comes after.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE ai_month_spend IN EXCLUSIVE MODE")
    stored: dict[date, Spent] = defaultdict(lambda: (Decimal(0), 0))
    for row in AiMonthSpend.objects.all():
        before = stored[row.month]
        stored[row.month] = (before[0] + row.amount, before[1] + row.unpriced)
    right = spent_by_costs()
    wrong = [month for month in {*stored, *right} if stored.get(month) != right.get(month)]
    AiMonthSpend.objects.filter(month__in=wrong).delete()
    insert_many(
        AiMonthSpend,
        [
            AiMonthSpend(month=month, part=0, amount=right[month][0], unpriced=right[month][1])
            for month in sorted(wrong)
            if month in right
        ],
    )
    return len(wrong)
