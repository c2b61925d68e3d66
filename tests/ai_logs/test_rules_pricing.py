"""What calls cost: exact, each token once, and unknown where it is unknown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_logs.rules.pricing import (
    Cost,
    Price,
    Usage,
    cost_of,
    is_within,
    price_for,
    whole_usage,
)
from apps.ai_logs.vocabulary import TokenType, Unpriced
from tests.ai_logs.factories import NOON

OLD, NEW = date(2025, 1, 1), date(2026, 3, 1)


def price(number: int, token_type: str, per_million: str, **fields: Any) -> Price:
    fields.setdefault("valid_from", OLD)
    fields.setdefault("currency", "USD")
    return Price(UUID(int=number), token_type, per_million=Decimal(per_million), **fields)


INPUT = price(1, TokenType.INPUT, "2.5")
OUTPUT = price(2, TokenType.OUTPUT, "10")
CACHED = price(3, TokenType.CACHED_INPUT, "1.25")


def amount(usage: Usage, *prices: Price, **fields: Any) -> Decimal | None:
    return cost_of(usage, model="m", prices=prices, at=fields.pop("at", NOON), **fields).amount


def test_cost_of_prices_every_token_once() -> None:
    usage = Usage(input=1000, output=100, cached=400, reasoning=30)

    cost = cost_of(usage, model="m", prices=[INPUT, OUTPUT, CACHED], at=NOON)

    assert cost == Cost(
        Decimal("0.003"),  # 600 × 2.5 + 400 × 1.25 + 100 × 10 in millionths
        "USD",
        prices={
            "input": INPUT.id,
            "cached_input": CACHED.id,
            "output": OUTPUT.id,
            "reasoning": OUTPUT.id,
        },
    )


def test_cost_of_cached_tokens_without_a_price_of_theirs_is_that_of_input() -> None:
    usage = Usage(input=1000, output=0, cached=400, cache_write=100)

    assert amount(usage, INPUT, OUTPUT) == Decimal("0.0025")


@pytest.mark.parametrize(
    ("usage", "model", "prices", "because"),
    [
        (Usage(), "m", [INPUT, OUTPUT], Unpriced.NO_USAGE),
        (Usage(input=1), "", [INPUT, OUTPUT], Unpriced.NO_MODEL),
        (Usage(input=1, output=1), "m", [], Unpriced.NO_PRICE),
        (Usage(input=0, output=0), "m", [], Unpriced.NO_PRICE),
        (Usage(input=1, output=1), "m", [INPUT], Unpriced.NO_PRICE),
        (
            Usage(input=1, output=1),
            "m",
            [INPUT, price(9, TokenType.OUTPUT, "8", currency="EUR")],
            Unpriced.MIXED_CURRENCIES,
        ),
        (
            Usage(input=1),
            "m",
            [price(9, TokenType.INPUT, "1", valid_from=date(2030, 1, 1))],
            Unpriced.NO_PRICE,
        ),
    ],
)
def test_cost_of_what_is_unknown_says_why(
    usage: Usage, model: str, prices: list[Price], because: str
) -> None:
    assert cost_of(usage, model=model, prices=prices, at=NOON) == Cost(None, because=because)


def test_cost_of_no_tokens_is_nothing_in_the_models_currency() -> None:
    cost = cost_of(Usage(input=0, output=0), model="m", prices=[INPUT, OUTPUT], at=NOON)

    assert cost == Cost(Decimal(0), "USD")


def test_cost_of_a_request_is_added_where_it_has_a_price() -> None:
    request = price(4, TokenType.REQUEST, "5000")

    assert amount(Usage(input=1_000_000), INPUT, request) == Decimal("2.505")


def test_price_for_is_the_latest_that_held_on_the_day_in_utc() -> None:
    newer = price(5, TokenType.INPUT, "2", valid_from=NEW)
    before = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    after = datetime.fromisoformat("2026-03-01T02:00:00+02:00")

    assert price_for(TokenType.INPUT, [newer, INPUT], at=before) == INPUT
    assert price_for(TokenType.INPUT, [newer, INPUT], at=after) == newer


def test_price_for_a_tier_falls_back_to_the_standard_one() -> None:
    fast = price(5, TokenType.INPUT, "5", service_tier="priority")

    assert price_for(TokenType.INPUT, [INPUT, fast], at=NOON, service_tier="priority") == fast
    assert price_for(TokenType.INPUT, [INPUT, fast], at=NOON, service_tier="flex") == INPUT
    assert price_for(TokenType.OUTPUT, [OUTPUT, fast], at=NOON, service_tier="priority") == OUTPUT


def test_a_long_input_costs_its_step_from_the_first_token() -> None:
    step = price(5, TokenType.INPUT, "5", above_input_tokens=200_000)

    assert amount(Usage(input=200_000), INPUT, step) == Decimal("0.5")
    assert amount(Usage(input=200_001), INPUT, step) == Decimal("1.000005")


def test_price_for_hours_holds_within_them() -> None:
    night = price(5, TokenType.INPUT, "1", hours="16:30-00:30")

    for hour, expected in ((12, INPUT), (17, night), (0, night), (1, INPUT)):
        at = NOON.replace(hour=hour)
        assert price_for(TokenType.INPUT, [INPUT, night], at=at) == expected


@pytest.mark.parametrize(
    ("hours", "clock", "expected"),
    [
        ("08:00-10:00", "08:00", True),
        ("08:00-10:00", "10:00", False),
        ("22:00-06:00", "23:59", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
    ],
)
def test_is_within_may_span_midnight(hours: str, clock: str, expected: bool) -> None:
    assert is_within(hours, datetime.fromisoformat(f"2026-01-01T{clock}").time()) is expected


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        (Usage(100, 10, 40, 0, 5), Usage(100, 10, 40, 0, 5)),
        (Usage(10, 5, 90, 20), Usage(120, 5, 90, 20)),  # a client that counts them apart
        (Usage(None, 5, 90), Usage(90, 5, 90)),
        (Usage(10, 5, None, None, 50), Usage(10, 55, None, None, 50)),
        (Usage(), Usage()),
    ],
)
def test_whole_usage_has_parts_that_are_parts(said: Usage, whole: Usage) -> None:
    assert whole_usage(said) == whole


counts = st.none() | st.integers(0, 10**7)


@given(st.tuples(counts, counts, counts, counts, counts))
def test_every_token_is_of_exactly_one_type(said: tuple[int | None, ...]) -> None:
    usage = whole_usage(Usage(*said))

    by_type = usage.by_type()
    assert by_type.pop(TokenType.REQUEST) == 1
    assert min(by_type.values()) >= 0
    assert sum(by_type.values()) == (usage.input or 0) + (usage.output or 0)
