"""How the pages write texts, numbers and times."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.pages.templatetags.pages import day, duration, inline_markdown, moment, number

LATE = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("Paris", "Paris"),
        ("*Paris* & `x < 1`", "<em>Paris</em> &amp; <code>x &lt; 1</code>"),
        ("- a\n- b", "- a\n- b"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("# include <a>", "# include &lt;a&gt;"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_inline_markdown_stays_inside_a_label(written: str, html: str) -> None:
    assert inline_markdown(written) == html


@given(st.text(alphabet=st.sampled_from("ab <>/p*#-`\n&script="), max_size=40))
def test_inline_markdown_never_holds_a_block(written: str) -> None:
    html = inline_markdown(written)

    assert not any(
        f"<{tag}" in html for tag in ("p>", "p ", "ul", "ol", "h1", "h2", "script", "hr")
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [("5.0000", "5"), ("62.50", "62.5"), ("100", "100"), ("0.000000", "0"), ("66.6667", "66.6667")],
)
def test_number_has_no_zeros_at_its_end(value: str, written: str) -> None:
    assert number(Decimal(value)) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (5400, "1 hour 30 minutes"),
        (7200, "2 hours"),
        (61, "1 minute 1 second"),
        (0, "no time"),
    ],
)
def test_duration_is_in_words(seconds: int, written: str) -> None:
    assert duration(seconds) == written


def test_a_moment_is_told_where_the_reader_is() -> None:
    with timezone.override("Europe/Berlin"):
        assert (moment(LATE), day(LATE)) == ("23 Nov 2026, 00:30 CET", "23 November 2026")
    assert day(date(2026, 3, 2)) == "2 March 2026"
