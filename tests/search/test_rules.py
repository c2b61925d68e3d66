from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from apps.search.plaintext import words_of
from apps.search.rules import MARK_END, MARK_START, read_query
from apps.search.rules import marked as marked_html

PRINTED = st.text(st.characters(exclude_categories=("Cc", "Cs")))


def test_read_query_takes_spaces_for_one() -> None:
    assert read_query("  heavy \t\n bleeding ").text == "heavy bleeding"


def test_operators_are_meant_to_the_letter() -> None:
    asked = ['"heavy bleeding"', "bleeding -heavy", "-heavy", "this OR that"]

    assert [read_query(one).may_be_misspelt for one in asked] == [False] * 4
    assert [read_query(one).may_be_misspelt for one in ["well-known", "order", "x" * 5]] == [
        True
    ] * 3


@given(PRINTED, PRINTED, PRINTED)
def test_marked_lets_nothing_through_but_its_marks(before: str, word: str, after: str) -> None:
    html = marked_html(f"{before}{MARK_START}{word}{MARK_END}{after}")

    assert re.findall(r"<[^>]*>", html) == ["<mark>", "</mark>"]


def test_words_of_are_what_a_reader_sees() -> None:
    words = words_of(
        "# Wounds\n\n- *Press* [here](https://example.org/x)\n- H~~2~~O\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\n![a hand](x.png)\n\n"
        "<script>alert(1)</script>\n\n```\nif a < b:\n```\n"
    )

    assert words.headings == "Wounds"
    assert words.body == "Wounds Press here H2O a b 1 2 a hand if a < b:"
