"""Re-pricing shows what it changes, then adds revisions; what was fixed stays."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.ai_logs.models import AiInteractionCost, AiModelPrice
from apps.ai_logs.pricelist import listed_model
from apps.ai_logs.services.prices import (
    PriceTerms,
    apply_changes,
    enter_price,
    listed_changes,
)
from tests.ai_logs.factories import answered, record, session
from tests.factories import contact

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 22)


def enter(token_type: str, price: str, **fields: str) -> AiModelPrice:
    terms = PriceTerms(
        provider=fields.get("provider", "ours"),
        model="own",
        token_type=token_type,
        valid_from=date(2026, 1, 1),
        per_million=Decimal(price),
        currency="EUR",
    )
    return enter_price(terms=terms, actor=contact())


def reprice(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("reprice", "--organization", "a", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_reprice_shows_the_difference_first_and_then_adds_revisions() -> None:
    [call] = record(session().id, answered("!", provider="Ours", responded_model="own"))
    known = record(session().id, answered("?"))
    enter("input", "1")
    enter("output", "10")

    shown = reprice()
    untouched = AiInteractionCost.objects.count()
    applied = reprice("--apply")
    again = reprice()

    line = "  Ours own: 1 calls, 0 → 0.003 EUR (1 newly known, 0 newly unknown)"
    assert shown == ["a:", line, "  nothing written; --apply writes revisions"]
    assert untouched == 2
    assert applied == ["a:", line, "  1 revisions written"]
    assert again == ["a:", "  no cost changes"]
    costs = AiInteractionCost.objects.filter(interaction=call).order_by("revision")
    assert [(cost.amount, cost.unpriced_because) for cost in costs] == [
        (None, "no_price"),
        (Decimal("0.003"), ""),
    ]
    assert AiInteractionCost.objects.filter(interaction=known[0]).count() == 1


def test_reprice_keeps_to_a_model_and_a_time() -> None:
    record(session().id, answered("!", provider="ours", responded_model="own"))
    enter("input", "1")
    enter("output", "10")

    assert reprice("--model", "other") == ["a:", "  no cost changes"]
    assert reprice("--until", "2026-01-01") == ["a:", "  no cost changes"]
    assert len(reprice("--since", "2026-01-01", "--model", "OWN")) == 3


def test_reprice_of_an_unknown_organisation_is_refused() -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("reprice", "--organization", "nobody")


def test_enter_price_corrects_the_same_day_by_a_revision() -> None:
    first, second = enter("input", "1"), enter("input", "2")

    assert (first.revision, second.revision) == (1, 2)
    assert AiModelPrice.objects.current().get().price_per_million == Decimal(2)


def test_listed_changes_begin_a_new_day_and_correct_dated_prices() -> None:
    record(session().id, answered("!"))
    assert listed_changes(today=TODAY) == []
    entry = listed_model("openai", "gpt-4o-mini")
    assert entry is not None
    plain = AiModelPrice.objects.get(token_type="input", service_tier="", revision=1)
    wrong = AiModelPrice(
        **{
            field.attname: getattr(plain, field.attname)
            for field in AiModelPrice._meta.concrete_fields
            if field.attname not in ("id", "recorded_at", "revision", "price_per_million")
        },
        revision=2,
        price_per_million=Decimal(99),
    )
    wrong.save(force_insert=True)

    [change] = listed_changes(today=TODAY)
    apply_changes([change])

    assert (change.listed.valid_from, change.revision) == (TODAY, 1)
    assert change.listed.per_million == Decimal("0.15")
    assert listed_changes(today=TODAY) == []
