from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal

from hypothesis import given

from apps.requirements.facts import (
    Facts,
    canonical,
    decimal_text,
    facts_document,
    facts_from,
    facts_hash,
)
from tests.requirements.graphs import FACTS, NOON, facts, result, uid


@given(facts())
def test_facts_from_their_document_make_the_same_document(known: Facts) -> None:
    document = facts_document(known)

    assert facts_document(facts_from(document)) == document


@given(facts())
def test_facts_hash_does_not_depend_on_the_order_of_insertion(known: Facts) -> None:
    reversed_facts = replace(
        known,
        results=dict(reversed(known.results.items())),
        held=dict(reversed(known.held.items())),
        sessions=tuple(reversed(known.sessions)),
    )

    assert facts_hash(facts_document(reversed_facts)) == facts_hash(facts_document(known))


def test_facts_hash_sees_the_moment_not_its_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))

    assert facts_document(replace(FACTS, enrolled_at=elsewhere)) == facts_document(
        replace(FACTS, enrolled_at=NOON)
    )


def test_facts_hash_differs_for_another_percent() -> None:
    def digest(percent: int) -> str:
        known = replace(FACTS, results={uid(0): (result(percent, passed=True),)})
        return facts_hash(facts_document(known))

    assert digest(80) != digest(81)


def test_canonical_is_sorted_utf8_without_spaces() -> None:
    assert canonical({"b": [1, "ü"], "a": None}) == '{"a":null,"b":[1,"ü"]}'.encode()


def test_decimal_text_is_the_same_for_equal_numbers() -> None:
    texts = [decimal_text(Decimal(n)) for n in ("50", "50.00", "5E+1", "0.10", "0", "0.00", "100")]

    assert texts == ["50", "50", "50", "0.1", "0", "0", "100"]
