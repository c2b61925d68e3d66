"""What calls cost, fixed when they are written."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.ai_logs import pricelist
from apps.ai_logs.models import AiInteraction, AiInteractionCost
from apps.ai_logs.rules.budgets import month_of
from apps.ai_logs.rules.pricing import Cost, Usage, cost_of
from apps.ai_logs.services.prices import prices_of
from apps.ai_logs.services.spending import add_spending, in_dollars
from apps.core.bulk import insert_many

PRICE_COLUMNS = {
    "input": "input_price_id",
    "cached_input": "cached_input_price_id",
    "cache_write": "cache_write_price_id",
    "output": "output_price_id",
    "reasoning": "reasoning_price_id",
    "request": "request_price_id",
}


def usage_of(call: AiInteraction) -> Usage:
    """Return the tokens of a call as the rules know them."""
    return Usage(
        input=call.input_tokens,
        output=call.output_tokens,
        cached=call.cached_tokens,
        cache_write=call.cache_write_tokens,
        reasoning=call.reasoning_tokens,
    )


def costs_of(calls: Sequence[AiInteraction]) -> dict[UUID, Cost]:
    """Return call -> what it costs by the price list as it is now, for its own time."""
    prices = prices_of({(call.provider, call.model) for call in calls if call.model})
    return {
        call.id: cost_of(
            usage_of(call),
            model=call.model,
            prices=prices.get((call.provider, call.model), ()),
            at=call.occurred_at,
            service_tier=pricelist.service_tier(call.service_tier),
        )
        for call in calls
    }


def cost_row(interaction_id: UUID, cost: Cost, *, revision: int) -> AiInteractionCost:
    """Return the row that fixes a cost with the prices it rests on."""
    prices = {PRICE_COLUMNS[kind]: price_id for kind, price_id in cost.prices.items()}
    return AiInteractionCost(
        interaction_id=interaction_id,
        revision=revision,
        amount=cost.amount,
        currency=cost.currency,
        unpriced_because=cost.because,
        **prices,
    )


def fix_costs(calls: Sequence[AiInteraction]) -> dict[UUID, Cost]:
    """Write the first cost of each of these new calls, and add it to its month's sum.

    Return call -> cost.
    """
    costs = costs_of(calls)
    insert_many(
        AiInteractionCost,
        [cost_row(call_id, cost, revision=1) for call_id, cost in costs.items()],
    )
    months = {call.id: month_of(call.occurred_at) for call in calls}
    add_spending((months[call_id], in_dollars(cost)) for call_id, cost in costs.items())
    return costs
