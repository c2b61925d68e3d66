from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.rules.textmatch import matches


def fits(pattern: str, answer: str) -> bool:
    return matches(pattern, answer, case_sensitive=False, collapse_spaces=False)


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        ("colo*r", "colour"),
        ("colo*r", "color"),
        ("*frog*", "a green frog jumped"),
        ("a**b", "a-b"),
        ("*", ""),
        (r"2\*3", "2*3"),
        ("Paris", "  pARIS "),
        ("e\u0301t\u00e9", "\u00e9te\u0301"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ẞ", "ß"),
    ],
)
def test_matches_what_the_pattern_allows(pattern: str, answer: str) -> None:
    assert fits(pattern, answer)


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        ("colo*r", "colours"),
        (r"2\*3", "2x3"),
        ("ab*ba", "aba"),
        ("a*b*c", "acb"),
        ("STRASSE", "straße"),
        ("a.c", "abc"),
        ("two words", "two  words"),
    ],
)
def test_matches_nothing_else(pattern: str, answer: str) -> None:
    assert not fits(pattern, answer)


def test_matches_minds_case_and_spaces_where_told() -> None:
    assert not matches("Na", "NA", case_sensitive=True, collapse_spaces=False)
    assert matches("two words", "two \t words", case_sensitive=False, collapse_spaces=True)


def test_matches_is_quick_on_a_pattern_that_would_backtrack() -> None:
    assert not fits("*a" * 400 + "*b", "a" * 1000)


@given(pattern=st.text("ab*", max_size=8), answer=st.text("ab", max_size=10))
def test_matches_agrees_with_the_shell(pattern: str, answer: str) -> None:
    assert matches(pattern, answer, case_sensitive=True, collapse_spaces=False) == fnmatchcase(
        answer, pattern
    )
