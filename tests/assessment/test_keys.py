from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.questions.items import (
    RULES_OF_KIND,
    ChoiceKey,
    EssayKey,
    JsonValue,
    NumericAnswer,
    NumericKey,
    Option,
    ShortTextKey,
    TextAnswer,
    TrueFalseKey,
)
from apps.assessment.questions.keys import KeyRefused, key_as_json, read_key
from apps.assessment.vocabulary import Kind, Rule
from tests.assessment.specs import CAPITAL, COLOUR, ESSAY, KEYS, PI, ROUND_EARTH

HALF = Decimal("0.5")
ONE = Decimal(1)


def faults(kind: str, data: JsonValue, rule: str = "") -> list[tuple[str, str]]:
    with pytest.raises(KeyRefused) as refused:
        read_key(kind, rule or RULES_OF_KIND[kind][0], data)
    return [(fault.path, fault.code) for fault in refused.value.faults]


def test_read_key_reads_options() -> None:
    assert read_key(Kind.MULTIPLE_CHOICE, Rule.FRACTIONS, CAPITAL) == ChoiceKey(
        options=(
            Option("paris", "Paris", ONE, "Yes."),
            Option("lyon", "Lyon", Decimal("0.25")),
            Option("rome", "Rome", Decimal(0), "That is Italy."),
        )
    )


def test_read_key_reads_true_false_and_essay() -> None:
    assert read_key(Kind.TRUE_FALSE, Rule.ALL_OR_NOTHING, ROUND_EARTH) == TrueFalseKey(
        correct=True, feedback_false="Sail on."
    )
    assert read_key(Kind.ESSAY, Rule.PERSON, ESSAY) == EssayKey(
        maximum_characters=50, guidance="Name two causes."
    )


def test_read_key_turns_a_tolerance_into_an_interval() -> None:
    assert read_key(Kind.NUMERIC, Rule.FIRST_MATCH, PI) == NumericKey(
        (
            NumericAnswer("exact", Decimal("3.135"), Decimal("3.145"), ONE),
            NumericAnswer("near", Decimal(3), Decimal("3.5"), HALF),
        )
    )


def test_read_key_adds_wide_numbers_without_losing_a_digit() -> None:
    data: JsonValue = {
        "answers": [{"key": "a", "value": "1e50", "tolerance": "1e-50", "fraction": 1}]
    }

    key = read_key(Kind.NUMERIC, Rule.FIRST_MATCH, data)

    assert isinstance(key, NumericKey)
    assert str(key.answers[0].maximum) == "1" + "0" * 50 + "." + "0" * 49 + "1"
    assert read_key(Kind.NUMERIC, Rule.FIRST_MATCH, key_as_json(key)) == key


def test_read_key_reads_patterns() -> None:
    assert read_key(Kind.SHORT_TEXT, Rule.FIRST_MATCH, COLOUR) == ShortTextKey(
        (TextAnswer("either", "colo*r", ONE), TextAnswer("hue", "hue", HALF))
    )


@pytest.mark.parametrize("kind", KEYS)
def test_key_as_json_reads_back_as_the_same_key(kind: str) -> None:
    key = read_key(kind, RULES_OF_KIND[kind][0], KEYS[kind])

    assert read_key(kind, RULES_OF_KIND[kind][0], key_as_json(key)) == key


@pytest.mark.parametrize("data", [None, [], "key", 3, True])
@pytest.mark.parametrize("kind", KEYS)
def test_read_key_refuses_what_is_no_object(kind: str, data: JsonValue) -> None:
    assert ("key_data", "not-an-object") in faults(kind, data)


def test_read_key_names_every_fault_at_once() -> None:
    data: JsonValue = {
        "options": [
            {"key": "Not OK", "text": " ", "fraction": "2"},
            {"key": "b", "text": "b", "fraction": "x", "colour": "red"},
            {"key": "b", "text": 4, "fraction": "0.123456789"},
        ],
        "shuffle": "yes",
        "extra": 1,
    }

    assert faults(Kind.MULTIPLE_CHOICE, data) == [
        ("options[0].key", "bad-key"),
        ("options[0].text", "blank"),
        ("options[0].fraction", "fraction-range"),
        ("options[1].fraction", "not-a-number"),
        ("options[1].colour", "unknown-member"),
        ("options[2].key", "key-repeated"),
        ("options[2].text", "not-text"),
        ("options[2].fraction", "fraction-places"),
        ("shuffle", "not-a-boolean"),
        ("options", "no-full-marks"),
        ("extra", "unknown-member"),
    ]


def options(*fractions: str) -> JsonValue:
    return {
        "options": [
            {"key": f"o{n}", "text": f"{n}", "fraction": fraction}
            for n, fraction in enumerate(fractions)
        ]
    }


def test_read_key_refuses_a_single_choice_that_could_cost_points() -> None:
    assert faults(Kind.MULTIPLE_CHOICE, options("1", "-0.5")) == [
        ("options[1].fraction", "fraction-range")
    ]


def test_read_key_refuses_choices_without_a_way_to_full_marks() -> None:
    assert faults(Kind.MULTIPLE_CHOICE, options("0.5", "0")) == [("options", "no-full-marks")]
    assert faults(Kind.MULTIPLE_RESPONSE, options("0", "-1")) == [("options", "no-correct-option")]
    assert faults(Kind.MULTIPLE_RESPONSE, options("0.5", "0.2"), Rule.FRACTIONS) == [
        ("options", "shares-not-whole")
    ]


def test_read_key_takes_thirds_written_with_few_digits() -> None:
    thirds = options("0.33333", "0.33333", "0.33333", "-1")

    key = read_key(Kind.MULTIPLE_RESPONSE, Rule.FRACTIONS, thirds)

    assert isinstance(key, ChoiceKey)
    assert key.correct == {"o0", "o1", "o2"}


def test_read_key_refuses_fewer_than_two_and_more_than_a_hundred_options() -> None:
    assert faults(Kind.MULTIPLE_CHOICE, options("1")) == [("options", "list-length")]
    assert faults(Kind.MULTIPLE_CHOICE, options("1", *["0"] * 100)) == [("options", "list-length")]


def test_read_key_refuses_impossible_intervals() -> None:
    data: JsonValue = {
        "answers": [
            {"key": "a", "minimum": "2", "maximum": "1", "fraction": "1"},
            {"key": "b", "value": "2", "tolerance": "-1", "fraction": "1"},
            {"key": "c", "minimum": "NaN", "maximum": "1e999999999", "fraction": "1"},
        ]
    }

    assert faults(Kind.NUMERIC, data) == [
        ("answers[0].maximum", "empty-range"),
        ("answers[1].tolerance", "negative-tolerance"),
        ("answers[2].minimum", "not-a-number"),
        ("answers[2].maximum", "not-a-number"),
    ]


def test_read_key_takes_an_open_interval() -> None:
    data: JsonValue = {
        "answers": [
            {"key": "a", "value": "1", "fraction": "1"},
            {"key": "rest", "minimum": None, "maximum": None, "fraction": "0"},
        ]
    }

    key = read_key(Kind.NUMERIC, Rule.FIRST_MATCH, data)

    assert isinstance(key, NumericKey)
    assert key.answers[1] == NumericAnswer("rest", None, None, Decimal(0))
    assert read_key(Kind.NUMERIC, Rule.FIRST_MATCH, key_as_json(key)) == key


def test_read_key_refuses_nuls_and_endless_texts() -> None:
    data: JsonValue = {"answers": [{"key": "a", "pattern": "a\x00" + "b" * 1000, "fraction": 1}]}

    assert faults(Kind.SHORT_TEXT, data) == [
        ("answers[0].pattern", "too-long"),
        ("answers[0].pattern", "nul"),
    ]


def test_read_key_refuses_an_unknown_kind_and_a_rule_of_another_kind() -> None:
    with pytest.raises(KeyRefused) as refused:
        read_key("riddle", "", {})
    assert [fault.code for fault in refused.value.faults] == ["unknown-kind"]
    assert faults(Kind.TRUE_FALSE, {"correct": True}, Rule.FRACTIONS) == [
        ("scoring_rule", "unknown-rule")
    ]


wide = st.decimals(allow_nan=False, allow_infinity=False).map(str).filter(lambda t: len(t) <= 60)


@given(value=wide, tolerance=wide)
def test_read_key_reads_every_interval_back(value: str, tolerance: str) -> None:
    data: JsonValue = {
        "answers": [{"key": "a", "value": value, "tolerance": tolerance, "fraction": 1}]
    }
    try:
        key = read_key(Kind.NUMERIC, Rule.FIRST_MATCH, data)
    except KeyRefused:
        return
    assert read_key(Kind.NUMERIC, Rule.FIRST_MATCH, key_as_json(key)) == key


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["options", "answers", "key", "text", "fraction", "value", "pattern", "correct"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(kind=st.sampled_from(list(KEYS)), data=json_values)
def test_read_key_answers_or_refuses_whatever_it_is_given(kind: str, data: JsonValue) -> None:
    rule = RULES_OF_KIND[kind][0]
    try:
        key = read_key(kind, rule, data)
    except KeyRefused:
        return
    assert read_key(kind, rule, key_as_json(key)) == key
