"""What calls would cost by the price list of today; applied, as revisions of their costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.ai_logs.models import AiInteraction, AiInteractionCost
from apps.ai_logs.rules.budgets import month_of
from apps.ai_logs.rules.pricing import Cost
from apps.ai_logs.selectors.budgets import Spent
from apps.ai_logs.services.costs import cost_row, costs_of
from apps.ai_logs.services.sessions import tell_of_changes
from apps.ai_logs.services.spending import add_spending, in_dollars
from apps.contacts.services import record_admin_action
from apps.core.bulk import insert_many

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class CostChange:
    """A call whose cost would be another: its cost now, and by the price list."""

    call: AiInteraction
    before: AiInteractionCost
    after: Cost


@dataclass(frozen=True, slots=True)
class ModelChange:
    """What re-pricing changes for one model, in one currency; unknown costs are counted apart."""

    provider: str
    model: str
    currency: str
    calls: int
    before: Decimal
    after: Decimal
    newly_known: int
    newly_unknown: int


def cost_changes(
    *, since: datetime | None = None, until: datetime | None = None, model: str = ""
) -> list[CostChange]:
    """Return the calls of that time, and model, whose cost the price list has otherwise."""
    rows = AiInteractionCost.objects.current().select_related("interaction").order_by("id")
    if since is not None:
        rows = rows.filter(interaction__occurred_at__gte=since)
    if until is not None:
        rows = rows.filter(interaction__occurred_at__lt=until)
    changes: list[CostChange] = []
    chunk: list[AiInteractionCost] = []
    for row in rows.iterator(chunk_size=CHUNK):
        if model and row.interaction.model.lower() != model.lower():
            continue
        chunk.append(row)
        if len(chunk) == CHUNK:
            changes += _changed(chunk)
            chunk = []
    return changes + _changed(chunk)


def _changed(rows: Sequence[AiInteractionCost]) -> list[CostChange]:
    costs = costs_of([row.interaction for row in rows])
    found = []
    for row in rows:
        cost = costs[row.interaction_id]
        said = (row.amount, row.currency, row.unpriced_because)
        if (cost.amount, cost.currency, cost.because) != said:
            found.append(CostChange(row.interaction, row, cost))
    return found


def by_model(changes: Sequence[CostChange]) -> list[ModelChange]:
    """Return the changes summed up, a line for each model and currency."""
    groups: dict[tuple[str, str, str], list[CostChange]] = defaultdict(list)
    for change in changes:
        currency = change.after.currency or change.before.currency
        groups[change.call.provider, change.call.model, currency].append(change)
    return [
        ModelChange(
            *key,
            calls=len(group),
            before=sum((one.before.amount or Decimal(0) for one in group), Decimal(0)),
            after=sum((one.after.amount or Decimal(0) for one in group), Decimal(0)),
            newly_known=sum(
                one.before.amount is None and one.after.amount is not None for one in group
            ),
            newly_unknown=sum(
                one.before.amount is not None and one.after.amount is None for one in group
            ),
        )
        for key, group in sorted(groups.items())
    ]


@transaction.atomic
def apply_cost_changes(changes: Sequence[CostChange]) -> int:
    """Add a revision for each change; return how many. The older costs stay.

    Raises IntegrityError when a cost was revised since the changes were found: nothing is written.
    """
    rows = [_revision(change.call.id, change) for change in changes]
    insert_many(AiInteractionCost, rows)
    add_spending(_difference(change) for change in changes)
    tell_of_changes({change.call.session_id for change in changes})
    if rows:
        record_admin_action(
            actor=None, action="aiinteractioncost.repriced", details={"calls": len(rows)}
        )
    return len(rows)


def _difference(change: CostChange) -> tuple[date, Spent]:
    """Return what a revision changes about the sum of its call's month."""
    row = change.before
    before, unpriced_before = in_dollars(Cost(row.amount, row.currency, row.unpriced_because))
    after, unpriced_after = in_dollars(change.after)
    return month_of(change.call.occurred_at), (after - before, unpriced_after - unpriced_before)


def _revision(call_id: UUID, change: CostChange) -> AiInteractionCost:
    return cost_row(call_id, change.after, revision=change.before.revision + 1)
