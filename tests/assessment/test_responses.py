from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.questions.items import JsonValue
from apps.assessment.rules.responses import (
    CheckedResponse,
    ResponseFault,
    ResponseRefused,
    check_response,
    is_blank,
)
from apps.assessment.vocabulary import Kind
from tests.assessment.specs import KEYS, item_spec


def refusal(kind: str, value: JsonValue) -> str:
    with pytest.raises(ResponseRefused) as refused:
        check_response(item_spec(kind), value)
    return refused.value.fault.code


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (Kind.MULTIPLE_CHOICE, "lyon", "lyon"),
        (Kind.MULTIPLE_RESPONSE, ["six", "two"], ["two", "six"]),
        (Kind.MULTIPLE_RESPONSE, [], []),
        (Kind.TRUE_FALSE, False, False),
        (Kind.NUMERIC, " 3,14 ", "3,14"),
        (Kind.NUMERIC, 3, "3"),
        (Kind.NUMERIC, 0.5, "0.5"),
        (Kind.NUMERIC, " ", None),
        (Kind.SHORT_TEXT, " Colour ", " Colour "),
        (Kind.SHORT_TEXT, "", None),
        (Kind.ESSAY, "Two\nlines", "Two\nlines"),
        (Kind.ESSAY, " \n", None),
    ],
)
def test_check_response_keeps_the_answer(kind: str, value: JsonValue, kept: JsonValue) -> None:
    assert check_response(item_spec(kind), value) == CheckedResponse(kept)


@pytest.mark.parametrize("kind", KEYS)
def test_check_response_takes_an_answer_back(kind: str) -> None:
    assert check_response(item_spec(kind), None) == CheckedResponse(None)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (Kind.MULTIPLE_CHOICE, ["paris"], "not-an-option"),
        (Kind.MULTIPLE_CHOICE, "berlin", "unknown-option"),
        (Kind.MULTIPLE_RESPONSE, "two", "not-options"),
        (Kind.MULTIPLE_RESPONSE, ["two", 3], "unknown-option"),
        (Kind.MULTIPLE_RESPONSE, ["two", "eight"], "unknown-option"),
        (Kind.MULTIPLE_RESPONSE, ["two", "two"], "option-repeated"),
        (Kind.TRUE_FALSE, "true", "not-a-boolean"),
        (Kind.TRUE_FALSE, 1, "not-a-boolean"),
        (Kind.NUMERIC, True, "not-a-number"),
        (Kind.NUMERIC, {"a": 1}, "not-a-number"),
        (Kind.NUMERIC, "9" * 3000, "too-long"),
        (Kind.SHORT_TEXT, 5, "not-text"),
        (Kind.SHORT_TEXT, "a\x00", "nul"),
        (Kind.SHORT_TEXT, "\ud800", "not-unicode"),
        (Kind.SHORT_TEXT, "a" * 1001, "too-long"),
        (Kind.ESSAY, "a" * 100_001, "too-long"),
    ],
)
def test_check_response_refuses_what_no_page_sends(kind: str, value: JsonValue, code: str) -> None:
    assert refusal(kind, value) == code


@pytest.mark.parametrize("text", ["three", "1,234.5", "1.234,5", "NaN", "1_000", "-inf", "٣"])
def test_check_response_keeps_an_unreadable_number_with_its_fault(text: str) -> None:
    assert check_response(item_spec(Kind.NUMERIC), text) == CheckedResponse(
        text, ResponseFault("unreadable-number", f"“{text}” cannot be read as a number.")
    )


def test_check_response_keeps_a_too_long_essay_with_its_fault() -> None:
    assert check_response(item_spec(Kind.ESSAY), "x" * 51) == CheckedResponse(
        "x" * 51, ResponseFault("too-long", "At most 50 characters are possible; it has 51.")
    )


def test_check_response_keeps_several_lines_of_a_short_text_with_their_fault() -> None:
    assert check_response(item_spec(Kind.SHORT_TEXT), "a\nb") == CheckedResponse(
        "a\nb", ResponseFault("several-lines", "The answer must be a single line.")
    )


@pytest.mark.parametrize(
    ("value", "blank"), [(None, True), ([], True), (" ", True), (False, False), ("0", False)]
)
def test_is_blank_tells_an_answer_from_none(value: JsonValue, blank: bool) -> None:
    assert is_blank(value) is blank


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(kind=st.sampled_from(list(KEYS)), value=json_values)
def test_check_response_is_stable(kind: str, value: JsonValue) -> None:
    item = item_spec(kind)
    try:
        kept = check_response(item, value)
    except ResponseRefused:
        return
    assert check_response(item, kept.value) == kept
