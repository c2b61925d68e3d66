"""The published prices of models, as the `genai-prices` package lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from apps.ai_logs.vocabulary import TokenType

SOURCE = f"genai-prices {version('genai-prices')}"
CURRENCY = "USD"
ALWAYS = date(1970, 1, 1)

# What clients call a provider and the list calls otherwise.
ALIASES = {
    "az.ai.openai": "azure",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.inference": "azure",
    "azure_openai": "azure",
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "bedrock": "aws",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "vertex_ai": "google",
    "vertexai": "google",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot_ai": "moonshotai",
    "together_ai": "together",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
MEMBERS = {
    "input_mtok": TokenType.INPUT,
    "output_mtok": TokenType.OUTPUT,
    "cache_read_mtok": TokenType.CACHED_INPUT,
    "cache_write_mtok": TokenType.CACHE_WRITE,
    "output_reasoning_mtok": TokenType.REASONING,
    "requests_kcount": TokenType.REQUEST,
}
STANDS_IN = {
    TokenType.CACHED_INPUT: TokenType.INPUT,
    TokenType.CACHE_WRITE: TokenType.INPUT,
    TokenType.REASONING: TokenType.OUTPUT,
}
# What a variant of a price may depend on; both are what we call the service tier.
TIERS = ("service_tier", "processing")
STANDARD_TIERS = ("", "auto", "default", "standard")


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """One price of the list, in US dollars a million."""

    token_type: str
    valid_from: date
    per_million: Decimal
    service_tier: str = ""
    above_input_tokens: int = 0
    hours: str = ""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model as the list names it, in small letters, with all its prices."""

    provider: str
    model: str
    prices: tuple[ListedPrice, ...]


def listed_provider(provider: str) -> str:
    """Return the list's name of a provider."""
    return ALIASES.get(provider.lower(), provider.lower())


def service_tier(said: str) -> str:
    """Return the tier that prices depend on; empty for the standard one."""
    return "" if said.lower() in STANDARD_TIERS else said.lower()


@lru_cache(maxsize=2000)
def listed_model(provider: str, model: str) -> ListedModel | None:
    """Return the entry for what a client calls provider and model, None for an unknown one.

    A known model of an unknown provider (one's own server) is unknown: it costs something else.
    """
    if not model:
        return None
    try:
        found_provider, found = get_snapshot().find_provider_model(
            model, None, listed_provider(provider) or None, None
        )
    except LookupError:
        return None
    return ListedModel(found_provider.id, found.id.lower(), tuple(_prices(found)))


def listed_models(provider: str) -> list[ListedModel]:
    """Return every model that the list has of a provider; empty for an unknown one."""
    return [
        ListedModel(entry.id, model.id.lower(), tuple(_prices(model)))
        for entry in get_snapshot().providers
        if entry.id == listed_provider(provider)
        for model in entry.models
    ]


def providers() -> list[str]:
    """Return the names of all providers of the list."""
    return sorted(entry.id for entry in get_snapshot().providers)


def _prices(model: ModelInfo) -> Iterator[ListedPrice]:
    known: set[TokenType] = set()
    day = ALWAYS
    conditional = model.prices if isinstance(model.prices, list) else None
    for entry in conditional or [ConditionalPrice(prices=_plain(model))]:
        hours = ""
        if isinstance(entry.constraint, StartDateConstraint):
            day = entry.constraint.start_date
        elif isinstance(entry.constraint, TimeOfDateConstraint):
            hours = _hours(entry.constraint)
        yield from _of_set(entry.prices, day, known, hours=hours)
    yield from _of_variants(model.price_variants or [])


def _plain(model: ModelInfo) -> ModelPrice:
    assert isinstance(model.prices, ModelPrice)  # noqa: S101 - a list was told apart before
    return model.prices


def _of_variants(variants: Sequence[PriceVariant]) -> Iterator[ListedPrice]:
    for variant in variants:
        [(condition, said)] = list(variant.when.items())[:1]
        tier = service_tier(said)
        if len(variant.when) > 1 or condition not in TIERS or not tier:
            continue
        dated = isinstance(variant.constraint, StartDateConstraint)
        day = variant.constraint.start_date if dated else ALWAYS  # type: ignore[union-attr]
        yield from _of_set(variant.prices, day, set(), tier=tier)


def _of_set(
    prices: ModelPrice, day: date, known: set[TokenType], *, hours: str = "", tier: str = ""
) -> Iterator[ListedPrice]:
    """Yield the prices of one set.

    A type that older sets price and this one does not costs what stands in for it now.
    """
    values = {
        token_type: value
        for member, token_type in MEMBERS.items()
        if (value := getattr(prices, member, None)) is not None
    }
    for token_type in known - set(values):
        stand_in = STANDS_IN.get(token_type)
        if stand_in in values:
            values[token_type] = values[stand_in]
    known |= set(values)
    for token_type, value in values.items():
        times = 1000 if token_type == TokenType.REQUEST else 1
        for above, price in _steps(value):
            yield ListedPrice(token_type, day, price * times, tier, above, hours)


def _steps(value: Decimal | TieredPrices) -> list[tuple[int, Decimal]]:
    if isinstance(value, TieredPrices):
        return [(0, value.base), *((tier.start, tier.price) for tier in value.tiers)]
    return [(0, value)]


def _hours(constraint: TimeOfDateConstraint) -> str:
    return f"{constraint.start_time:%H:%M}-{constraint.end_time:%H:%M}"
