from __future__ import annotations

from decimal import Decimal
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.questions.items import ChoiceKey, JsonValue
from apps.assessment.rules.responses import ResponseRefused, check_response
from apps.assessment.rules.scoring import ItemScore, needs_person, score_response
from apps.assessment.vocabulary import Kind, Rule
from tests.assessment.specs import KEYS, item_spec

PRIME_KEYS = ("two", "three", "four", "six")
ticks = st.sampled_from(
    [
        list(subset)
        for subset in chain.from_iterable(combinations(PRIME_KEYS, size) for size in range(5))
    ]
)


@pytest.mark.parametrize(
    ("kind", "value", "score", "matched"),
    [
        (Kind.MULTIPLE_CHOICE, "paris", "3", ("paris",)),
        (Kind.MULTIPLE_CHOICE, "lyon", "0.75", ("lyon",)),
        (Kind.MULTIPLE_CHOICE, "rome", "0", ("rome",)),
        (Kind.TRUE_FALSE, True, "3", ("true",)),
        (Kind.TRUE_FALSE, False, "0", ("false",)),
        (Kind.NUMERIC, "3,145", "3", ("exact",)),
        (Kind.NUMERIC, "3.1451", "1.5", ("near",)),
        (Kind.NUMERIC, "2.999", "0", ()),
        (Kind.NUMERIC, "314e-2", "3", ("exact",)),
        (Kind.SHORT_TEXT, "Colour", "3", ("either",)),
        (Kind.SHORT_TEXT, "hue", "1.5", ("hue",)),
        (Kind.SHORT_TEXT, "tint", "0", ()),
    ],
)
def test_score_response_earns(
    kind: str, value: JsonValue, score: str, matched: tuple[str, ...]
) -> None:
    assert score_response(item_spec(kind, points="3"), value) == ItemScore(Decimal(score), matched)


@pytest.mark.parametrize(
    ("ticked", "all_or_nothing", "per_option", "fractions"),
    [
        (["two", "three"], "1", "1", "1"),
        (["two"], "0", "0.5", "0.5"),
        (["two", "three", "four"], "0", "0.5", "0.5"),
        (["two", "four"], "0", "0", "0"),
        (["four", "six"], "0", "0", "0"),
        (["two", "three", "four", "six"], "0", "0", "0"),
        ([], "0", "0", "0"),
    ],
)
def test_score_response_of_several_options_follows_the_named_rule(
    ticked: list[JsonValue], all_or_nothing: str, per_option: str, fractions: str
) -> None:
    rules = (Rule.ALL_OR_NOTHING, Rule.PER_OPTION, Rule.FRACTIONS)

    scores = [
        score_response(item_spec(Kind.MULTIPLE_RESPONSE, rule=rule), ticked).score for rule in rules
    ]

    assert scores == [Decimal(all_or_nothing), Decimal(per_option), Decimal(fractions)]


def test_score_response_keeps_thirds_to_six_places() -> None:
    data: dict[str, JsonValue] = {
        "options": [
            {"key": key, "text": key, "fraction": fraction}
            for key, fraction in (("a", "1"), ("b", "1"), ("c", "1"), ("d", "0"))
        ]
    }

    item = item_spec(Kind.MULTIPLE_RESPONSE, data=data, points="2")

    assert score_response(item, ["a"]).score == Decimal("0.666667")


@pytest.mark.parametrize("kind", KEYS)
def test_score_response_gives_nothing_for_a_blank(kind: str) -> None:
    assert score_response(item_spec(kind), None) == ItemScore(Decimal(0))


def test_needs_person_for_an_essay_that_says_something() -> None:
    essay = item_spec(Kind.ESSAY)

    assert needs_person(essay, "Because.")
    assert not needs_person(essay, None)
    assert not needs_person(item_spec(Kind.NUMERIC), "3")
    with pytest.raises(ValueError, match="graded by a person"):
        score_response(essay, "Because.")


@given(ticked=ticks, points=st.decimals("0.01", "100", places=2))
@pytest.mark.parametrize("rule", [Rule.ALL_OR_NOTHING, Rule.PER_OPTION, Rule.FRACTIONS])
def test_score_response_stays_within_the_points_and_ignores_the_order(
    rule: str, ticked: list[JsonValue], points: Decimal
) -> None:
    item = item_spec(Kind.MULTIPLE_RESPONSE, rule=rule, points=str(points))
    key = item.answer_key
    assert isinstance(key, ChoiceKey)

    score = score_response(item, ticked).score

    assert 0 <= score <= points
    assert score == score_response(item, ticked[::-1]).score
    assert (score == points) == (set(ticked) == key.correct)


@given(kind=st.sampled_from([kind for kind in KEYS if kind != Kind.ESSAY]), value=st.text())
def test_score_response_scores_whatever_was_accepted(kind: str, value: str) -> None:
    item = item_spec(kind)
    try:
        kept = check_response(item, value)
    except ResponseRefused:
        return
    if kept.fault is None:
        assert 0 <= score_response(item, kept.value).score <= item.points
