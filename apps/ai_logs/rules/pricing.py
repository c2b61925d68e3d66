"""What a call costs, from its tokens and the prices that held when it was made. Exact decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

from apps.ai_logs.vocabulary import TokenType, Unpriced

MILLION = Decimal(1_000_000)

# Where a model has no price of its own for these, the provider charges the plain one.
FALLBACK = {
    TokenType.CACHED_INPUT: TokenType.INPUT,
    TokenType.CACHE_WRITE: TokenType.INPUT,
    TokenType.REASONING: TokenType.OUTPUT,
}


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of a call. Those of the cache are among the input's, reasoning is output's."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    @property
    def is_known(self) -> bool:
        return self.input is not None or self.output is not None

    def by_type(self) -> dict[TokenType, int]:
        """Return token type -> tokens, each token in one type only; and the one request."""
        cached, written = self.cached or 0, self.cache_write or 0
        thought = self.reasoning or 0
        return {
            TokenType.INPUT: (self.input or 0) - cached - written,
            TokenType.CACHED_INPUT: cached,
            TokenType.CACHE_WRITE: written,
            TokenType.OUTPUT: (self.output or 0) - thought,
            TokenType.REASONING: thought,
            TokenType.REQUEST: 1,
        }


def whole_usage(usage: Usage) -> Usage:
    """Return the usage with parts that are parts.

    Some clients count cached tokens apart from the input's, some count reasoning apart from the
    output's; it shows when the part is larger than the whole, which is then their sum.
    """
    cached, written = usage.cached or 0, usage.cache_write or 0
    taken = usage.input
    if cached + written and (taken is None or taken < cached + written):
        taken = (taken or 0) + cached + written
    given = usage.output
    if usage.reasoning and (given is None or given < usage.reasoning):
        given = (given or 0) + usage.reasoning
    return Usage(taken, given, usage.cached, usage.cache_write, usage.reasoning)


@dataclass(frozen=True, slots=True)
class Price:
    """One row of the price list; `hours` is "HH:MM-HH:MM" in UTC or empty for all day."""

    id: UUID
    token_type: str
    valid_from: date
    per_million: Decimal
    currency: str
    service_tier: str = ""
    above_input_tokens: int = 0
    hours: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount with the prices it was computed from, or why there is none."""

    amount: Decimal | None
    currency: str = ""
    because: str = ""
    prices: Mapping[str, UUID] = field(default_factory=dict)


def cost_of(
    usage: Usage, *, model: str, prices: Sequence[Price], at: datetime, service_tier: str = ""
) -> Cost:
    """Return what these tokens cost at that moment. Unknown is never nothing: it says why.

    Cached tokens are priced once, as such, and not again as input; likewise reasoning.
    """
    if not model:
        return Cost(None, because=Unpriced.NO_MODEL)
    if not usage.is_known:
        return Cost(None, because=Unpriced.NO_USAGE)
    chosen: dict[str, Price] = {}
    amount = Decimal(0)
    for token_type, tokens in usage.by_type().items():
        if not tokens:
            continue
        price = price_for(
            token_type, prices, at=at, service_tier=service_tier, input_tokens=usage.input or 0
        )
        if price is None and token_type == TokenType.REQUEST:
            continue
        if price is None:
            return Cost(None, because=Unpriced.NO_PRICE)
        chosen[token_type] = price
        amount += tokens * price.per_million / MILLION
    currencies = {price.currency for price in chosen.values() or prices}
    if not currencies:
        return Cost(None, because=Unpriced.NO_PRICE)
    if len(currencies) > 1:
        return Cost(None, because=Unpriced.MIXED_CURRENCIES)
    used = {token_type: price.id for token_type, price in chosen.items()}
    return Cost(amount, currency=currencies.pop(), prices=used)


def price_for(
    token_type: TokenType,
    prices: Iterable[Price],
    *,
    at: datetime,
    service_tier: str = "",
    input_tokens: int = 0,
) -> Price | None:
    """Return the price of a token type that held at that moment, None without one.

    That of the service tier before the standard one, the latest day, the hours that are narrower,
    and of the steps for long inputs the highest that was passed (the whole call costs it).
    """
    moment = at.astimezone(UTC)
    rows = [price for price in prices if price.valid_from <= moment.date()]
    for wanted in (token_type, FALLBACK.get(token_type)):
        own = [price for price in rows if price.token_type == wanted]
        for tier in dict.fromkeys((service_tier, "")):
            offered = [price for price in own if price.service_tier == tier]
            if offered:
                newest = max(price.valid_from for price in offered)
                return _narrowest(
                    [price for price in offered if price.valid_from == newest],
                    moment.time(),
                    input_tokens,
                )
    return None


def _narrowest(prices: Sequence[Price], clock: time, input_tokens: int) -> Price | None:
    timely = [price for price in prices if price.hours and is_within(price.hours, clock)]
    rows = timely or [price for price in prices if not price.hours]
    passed = [
        price
        for price in rows
        if not price.above_input_tokens or price.above_input_tokens < input_tokens
    ]
    return max(passed, key=lambda price: price.above_input_tokens, default=None)


def is_within(hours: str, clock: time) -> bool:
    """Whether a time of day is in "HH:MM-HH:MM", which may span midnight."""
    begins, ends = (time.fromisoformat(part) for part in hours.split("-"))
    if begins <= ends:
        return begins <= clock < ends
    return clock >= begins or clock < ends
