"""Charts are drawn to scale, tell what they show, and let nothing through that runs."""

from __future__ import annotations

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.reporting.charts import WIDTH, Chart, Part, Table, bars, funnel, histogram, line, percent
from apps.reporting.drawing import day_bins, weekly

NOTHING = Table(("a",), ())
PARTS = (Part("good", "Present"), Part("poor", "Absent"))
SVG = "{http://www.w3.org/2000/svg}"


def drawn(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(chart.svg)  # noqa: S314 - our own


def widths(chart: Chart, *tones: str) -> list[float]:
    found = drawn(chart).iter("rect")
    return [float(one.get("width", "")) for one in found if one.get("class") in tones]


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    chart = bars("k", "T", "D", NOTHING, parts=PARTS, lines=[("one", (3, 1)), ("two", (0, 2))])

    assert widths(chart, "good", "poor") == [0.75 * WIDTH, 0.25 * WIDTH, 0.5 * WIDTH]
    assert chart.parts == PARTS


def test_funnel_writes_the_share_of_the_first_step() -> None:
    chart = funnel("k", "T", "D", NOTHING, steps=[("all", 8), ("some", 3), ("none", 0)])

    values = [one.text for one in drawn(chart).iter("text") if one.get("class") == "value"]
    assert values == ["8 · 100 %", "3 · 38 %", "0 · 0 %"]
    assert widths(chart, "main") == [WIDTH, 0.375 * WIDTH]


@pytest.mark.parametrize(
    "chart",
    [
        bars("k", "T", "D", NOTHING, parts=PARTS, lines=[]),
        bars("k", "T", "D", NOTHING, parts=PARTS, lines=[("none", (0, 0))]),
        funnel("k", "T", "D", NOTHING, steps=[]),
        histogram("k", "T", "D", NOTHING, bins=[]),
        histogram("k", "T", "D", NOTHING, bins=[("0", 0)]),
        line("k", "T", "D", NOTHING, points=[]),
        line("k", "T", "D", NOTHING, points=[("now", 0)]),
    ],
)
def test_of_nothing_an_empty_chart_is_drawn(chart: Chart) -> None:
    assert drawn(chart).get("role") == "img"


def test_a_chart_is_named_and_described_and_runs_nothing() -> None:
    evil = '<script>alert(1)</script>"'
    charts = [
        bars("k", evil, evil, NOTHING, parts=PARTS, lines=[(evil, (1, 2))]),
        funnel("k", evil, evil, NOTHING, steps=[(evil, 1)]),
        histogram("k", evil, evil, NOTHING, bins=[(evil, 1)]),
        line("k", evil, evil, NOTHING, points=[(evil, 1), (evil, 2)]),
    ]

    for chart in charts:
        root = drawn(chart)
        assert root.get("aria-labelledby") == "k-title k-desc"
        assert [(one.tag, one.get("id"), one.text) for one in list(root)[:2]] == [
            ("title", "k-title", evil),
            ("desc", "k-desc", evil),
        ]
        assert {one.tag for one in root.iter()} <= {
            "svg",
            "title",
            "desc",
            "text",
            "rect",
            "line",
            "polyline",
            "circle",
        }
        assert not [one for one in root.iter() if "style" in one.attrib]


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_percent_is_rounded_half_up(part: int, whole: int) -> None:
    expected = "–" if not whole else f"{int(part * 100 / whole + 0.5 + 1e-9)} %"

    assert percent(part, whole) == expected


@given(st.lists(st.integers(0, 4_000), max_size=40))
def test_day_bins_hold_every_day_in_twelve_ranges_at_most(days: list[int]) -> None:
    bins = day_bins(tuple(days))

    assert sum(count for _label, _short, count in bins) == len(days)
    assert len(bins) <= 13


def test_day_bins_have_usual_widths() -> None:
    assert day_bins((0, 3, 13)) == [
        ("0–1", "0", 1),
        ("2–3", "2", 1),
        ("4–5", "4", 0),
        ("6–7", "6", 0),
        ("8–9", "8", 0),
        ("10–11", "10", 0),
        ("12–13", "12", 1),
    ]


def test_weekly_counts_up_to_each_sunday() -> None:
    monday = date(2026, 3, 2)

    assert weekly((monday, monday + timedelta(days=6), monday + timedelta(days=14))) == [
        (date(2026, 3, 8), 2),
        (date(2026, 3, 15), 2),
        (date(2026, 3, 22), 3),
    ]
