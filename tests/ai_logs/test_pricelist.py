"""Our prices and rules say what the published list's own calculator says."""

from __future__ import annotations

import random
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot

from apps.ai_logs.pricelist import (
    ALWAYS,
    ListedPrice,
    listed_model,
    listed_models,
    listed_provider,
    service_tier,
)
from apps.ai_logs.rules.pricing import Price, Usage, cost_of

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def our_prices(listed: tuple[ListedPrice, ...]) -> list[Price]:
    return [
        Price(
            UUID(int=number),
            one.token_type,
            one.valid_from,
            one.per_million,
            "USD",
            one.service_tier,
            one.above_input_tokens,
            one.hours,
        )
        for number, one in enumerate(listed)
    ]


PRICED_BY_TOKEN = {
    "input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "requests_kcount",
    "output_reasoning_mtok",
}  # fmt: skip
CASES = [
    (provider.id, model.id)
    for provider in get_snapshot().providers
    for model in provider.models
    if provider.find_model(model.id, all_providers=get_snapshot().providers) is model
]


def test_costs_are_those_of_the_lists_own_calculator() -> None:
    chance = random.Random(1)
    compared = 0
    for provider, model in CASES:
        entry = listed_model(provider, model)
        assert entry is not None
        cached, written = chance.randint(0, 90_000), chance.randint(0, 9_000)
        taken = cached + written + chance.randint(1, 300_000)
        usage = Usage(taken, chance.randint(1, 50_000), cached, written)
        hour = MOMENT.replace(hour=chance.randint(0, 23))
        theirs = their_cost(provider, model, usage, hour)
        if theirs is None:
            continue
        ours = cost_of(usage, model=model, prices=our_prices(entry.prices), at=hour)
        assert ours.amount is not None, (provider, model)
        assert abs(ours.amount - theirs) < Decimal("1e-12"), (provider, model)
        compared += 1
    assert compared > 1000


def their_cost(provider: str, model: str, usage: Usage, at: datetime) -> Decimal | None:
    """Return the calculator's answer; None where a model is not priced by plain tokens."""
    said = TheirUsage(
        input_tokens=usage.input,
        output_tokens=usage.output,
        cache_read_tokens=usage.cached,
        cache_write_tokens=usage.cache_write,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = calc_price(said, model_ref=model, provider_id=provider, genai_request_timestamp=at)
    priced = {name for name, value in vars(found.model_price).items() if value is not None}
    if not priced <= PRICED_BY_TOKEN or not {"input_mtok", "output_mtok"} <= priced:
        return None
    return found.total_price


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "gpt-4o-2024-08-06", ("openai", "gpt-4o")),
        ("OpenAI", "GPT-4o", ("openai", "gpt-4o")),
        ("azure.ai.openai", "gpt-4o", ("azure", "gpt-4o")),
        ("az.ai.openai", "gpt-4o", ("azure", "gpt-4o")),
        ("gcp.vertex_ai", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("", "gpt-4o-mini", ("openai", "gpt-4o-mini")),
    ],
)
def test_listed_model_knows_what_clients_call_it(
    provider: str, model: str, expected: tuple[str, str]
) -> None:
    found = listed_model(provider, model)

    assert found is not None
    assert (found.provider, found.model) == expected


@pytest.mark.parametrize(
    ("provider", "model"),
    [("ollama", "gpt-4o"), ("openai", "our-own-model"), ("openai", ""), ("", "")],
)
def test_listed_model_of_somebody_elses_server_is_unknown(provider: str, model: str) -> None:
    assert listed_model(provider, model) is None


def test_prices_of_a_model_are_dated_and_know_their_tiers() -> None:
    found = listed_model("openai", "gpt-4o")

    assert found is not None
    plain = {
        (price.token_type, price.per_million)
        for price in found.prices
        if price.valid_from == ALWAYS and not price.service_tier
    }
    assert plain == {
        ("input", Decimal("2.5")),
        ("output", Decimal("10")),
        ("cached_input", Decimal("1.25")),
    }
    assert {price.service_tier for price in found.prices} >= {"", "priority", "batch"}


def test_listed_models_of_an_unknown_provider_are_none() -> None:
    assert listed_models("nobody") == []
    assert len(listed_models("anthropic")) > 10


def test_names_of_providers_and_tiers() -> None:
    assert listed_provider("X_AI") == "x-ai"
    assert [service_tier(said) for said in ("default", "AUTO", "", "Flex")] == ["", "", "", "flex"]
