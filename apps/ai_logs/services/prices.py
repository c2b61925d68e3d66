"""The organisation's price list: filled from the published one as models come into use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db import transaction

from apps.ai_logs import pricelist
from apps.ai_logs.models import AiModelPrice
from apps.ai_logs.pricelist import ListedModel, ListedPrice
from apps.ai_logs.rules.pricing import Price
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Invalid
from apps.core.revisions import append_revision

Model = tuple[str, str]
"""Provider and model, as a client calls them or as the price list does."""

PLACES = Decimal("0.000000000001")
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that the published list has and the organisation's does not, or has otherwise.

    `before` is what it was, if anything; `revision` 1 begins a new day's price.
    """

    model: ListedModel
    listed: ListedPrice
    before: AiModelPrice | None
    revision: int


class NoSuchProvider(Invalid):
    code = "unknown-ai-provider"
    title = "The published price list does not know this provider."


def listed_as(model: Model) -> Model:
    """Return a model as prices name it when the published list does not know it."""
    return pricelist.listed_provider(model[0]), model[1].lower()


def prices_of(models: Collection[Model]) -> dict[Model, list[Price]]:
    """Return model -> its prices, those of the organisation's own making first.

    A model that comes into use is copied from the published list. At most four statements.
    """
    listed = {model: pricelist.listed_model(*model) for model in models}
    entries = {
        (entry.provider, entry.model): entry for entry in listed.values() if entry is not None
    }
    wanted = {listed_as(model) for model in models} | set(entries)
    rows = _current(wanted)
    missing = [entry for key, entry in entries.items() if key not in rows]
    if missing:
        copy_listed(missing)
        rows |= _current((entry.provider, entry.model) for entry in missing)
    found = {}
    for model in models:
        entry = listed[model]
        published = rows.get((entry.provider, entry.model), []) if entry else []
        found[model] = rows.get(listed_as(model)) or published
    return found


def _current(models: Iterable[Model]) -> dict[Model, list[Price]]:
    wanted = set(models)
    rows: dict[Model, list[Price]] = {}
    current = AiModelPrice.objects.current().filter(model__in={model for _, model in wanted})
    for row in current:
        if (row.provider, row.model) in wanted:
            rows.setdefault((row.provider, row.model), []).append(as_price(row))
    return rows


def as_price(row: AiModelPrice) -> Price:
    """Return a row as the rules know it."""
    return Price(
        id=row.id,
        token_type=row.token_type,
        valid_from=row.valid_from,
        per_million=row.price_per_million,
        currency=row.currency,
        service_tier=row.service_tier,
        above_input_tokens=row.above_input_tokens,
        hours=row.hours,
    )


def copy_listed(models: Sequence[ListedModel]) -> int:
    """Copy what the published list has of these models; return how many prices that were.

    What the organisation has already stays. Two that copy at once copy once.
    """
    rows = [_row(entry, price, revision=1) for entry in models for price in entry.prices]
    AiModelPrice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _row(model: ListedModel, price: ListedPrice, *, revision: int) -> AiModelPrice:
    return AiModelPrice(
        provider=model.provider,
        model=model.model,
        token_type=price.token_type,
        valid_from=price.valid_from,
        service_tier=price.service_tier,
        above_input_tokens=price.above_input_tokens,
        hours=price.hours,
        price_per_million=price.per_million.quantize(PLACES),
        currency=pricelist.CURRENCY,
        source=pricelist.SOURCE,
        revision=revision,
    )


def listed_changes(*, today: date, providers: Collection[str] = ()) -> list[PriceChange]:
    """Return what the published list has otherwise: of models in use, and of whole providers.

    A price without a date that has changed holds from today; one with a date is corrected. What
    the organisation entered itself is left alone. Raises NoSuchProvider.
    """
    entries: dict[Model, ListedModel] = {}
    for provider in providers:
        models = pricelist.listed_models(provider)
        if not models:
            raise NoSuchProvider(detail=f"There is no provider “{provider}”.")
        entries |= {(entry.provider, entry.model): entry for entry in models}
    for used in AiModelPrice.objects.values_list("provider", "model").distinct().order_by():
        entry = pricelist.listed_model(*used)
        if entry is not None and (entry.provider, entry.model) == used:
            entries[used] = entry
    names = {model for _provider, model in entries}
    rows = defaultdict(list)
    for row in AiModelPrice.objects.current().filter(model__in=names):
        rows[row.provider, row.model].append(row)
    return [
        change
        for key, entry in sorted(entries.items())
        for change in _changes(entry, rows[key], today)
    ]


def _changes(
    entry: ListedModel, rows: Sequence[AiModelPrice], today: date
) -> Iterator[PriceChange]:
    own, listed = defaultdict(list), defaultdict(list)
    for row in rows:
        own[_slot(row)].append(row)
    for price in entry.prices:
        listed[_slot(price)].append(price)
    for slot, prices in listed.items():
        there = {row.valid_from: row for row in own[slot]}
        newest = max(there, default=None)
        if newest is not None and there[newest].source == MANUAL:
            continue
        for price in prices:
            undated = price.valid_from == pricelist.ALWAYS and len(prices) == 1
            before = there.get(newest if undated and newest else price.valid_from)
            if before is None:
                yield PriceChange(entry, price, None, 1)
            elif before.price_per_million != price.per_million.quantize(PLACES):
                day = today if undated else price.valid_from
                same_day = there.get(day)
                revision = same_day.revision + 1 if same_day else 1
                yield PriceChange(entry, replace(price, valid_from=day), before, revision)


def _slot(price: AiModelPrice | ListedPrice) -> tuple[str, str, int, str]:
    """Return what prices replace each other by date within."""
    return price.token_type, price.service_tier, price.above_input_tokens, price.hours


@transaction.atomic
def apply_changes(changes: Sequence[PriceChange]) -> None:
    """Record the changes; costs that were computed before keep the rows they have."""
    AiModelPrice.objects.bulk_create(
        [_row(change.model, change.listed, revision=change.revision) for change in changes]
    )


@dataclass(frozen=True, slots=True)
class PriceTerms:
    """A price that somebody enters."""

    provider: str
    model: str
    token_type: str
    valid_from: date
    per_million: Decimal
    currency: str
    service_tier: str = ""
    above_input_tokens: int = 0


@transaction.atomic
def enter_price(*, terms: PriceTerms, actor: Contact) -> AiModelPrice:
    """Return the price that somebody enters by hand; one of the same day is corrected.

    Raises RevisionConflict when two correct it at once.
    """
    provider, model = listed_as((terms.provider.strip(), terms.model.strip()))
    subject = {
        "provider": provider,
        "model": model,
        "token_type": terms.token_type,
        "valid_from": terms.valid_from,
        "service_tier": pricelist.service_tier(terms.service_tier),
        "above_input_tokens": terms.above_input_tokens,
        "hours": "",
    }
    before = AiModelPrice.objects.current().filter(**subject).first()
    row = append_revision(
        AiModelPrice,
        expected=before.revision if before else 0,
        **subject,
        price_per_million=terms.per_million,
        currency=terms.currency,
        source=MANUAL,
        recorded_by=actor,
    )
    record_admin_action(
        actor=actor,
        action="aimodelprice.entered",
        entity=row,
        details={"before": str(before.price_per_million) if before else None},
    )
    return row
