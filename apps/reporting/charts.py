"""Charts as SVG, drawn here: no script, no inline style, each with its title, words and table.

Colours are classes (`static/admin/assay/charts.css`), so that themes and printers choose them. A
chart is drawn for the width of a telephone and grows with its box.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH: Final = 360
ROW: Final = 38
BAR: Final = 14
HEIGHT: Final = 150
FOOT: Final = 22
TOP: Final = 16


@dataclass(frozen=True)
class Table:
    """The numbers of a chart: what people read aloud, print and take with them."""

    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Part:
    """One kind of thing that bars are made of: the class that colours it, and its name."""

    tone: str
    name: str


@dataclass(frozen=True)
class Chart:
    """A drawn chart. `key` names its download, `told` says in a sentence what is to be seen."""

    key: str
    title: str
    told: str
    table: Table
    svg: SafeString
    parts: tuple[Part, ...] = ()


def bars(
    key: str,
    title: str,
    told: str,
    table: Table,
    *,
    parts: Sequence[Part],
    lines: Sequence[tuple[str, Sequence[int]]],
    say: Callable[[int], str] = str,
) -> Chart:
    """Return lying bars, one for each of `lines`: its label, and how much of each part it has.

    `say` tells an amount in words.
    """
    most = max((sum(amounts) for _label, amounts in lines), default=0) or 1
    drawn = [
        _lying(number, label, amounts, parts, most, say)
        for number, (label, amounts) in enumerate(lines)
    ]
    svg = _svg(key, title, told, ROW * max(len(lines), 1), drawn)
    return Chart(key, title, told, table, svg, tuple(parts) if len(parts) > 1 else ())


def _lying(
    number: int,
    label: str,
    amounts: Sequence[int],
    parts: Sequence[Part],
    most: int,
    say: Callable[[int], str],
) -> SafeString:
    top = number * ROW
    left = 0.0
    pieces = []
    for part, amount in zip(parts, amounts, strict=True):
        width = amount * WIDTH / most
        if amount:
            pieces.append((part.tone, _at(left), top + 19, _at(width), BAR, part.name, say(amount)))
        left += width
    return format_html(
        '<text x="0" y="{}" class="label">{}</text>'
        '<text x="{}" y="{}" class="value">{}</text>'
        '<rect class="track" x="0" y="{}" width="{}" height="{}"/>{}',
        top + 13,
        _short(label),
        WIDTH,
        top + 13,
        say(sum(amounts)),
        top + 19,
        WIDTH,
        BAR,
        _rectangles(pieces),
    )


def funnel(
    key: str, title: str, told: str, table: Table, *, steps: Sequence[tuple[str, int]]
) -> Chart:
    """Return a funnel: each step as long as its share of the first, which is written beside it."""
    whole = max([amount for _label, amount in steps[:1]] or [0])
    most = max([amount for _label, amount in steps] or [0]) or 1
    drawn = []
    for number, (label, amount) in enumerate(steps):
        top, width = number * ROW, amount * WIDTH / most
        piece = ("main", "0", top + 19, _at(width), BAR, label, amount)
        drawn.append(
            format_html(
                '<text x="0" y="{}" class="label">{}</text>'
                '<text x="{}" y="{}" class="value">{}</text>'
                '<rect class="track" x="0" y="{}" width="{}" height="{}"/>{}',
                top + 13,
                label,
                WIDTH,
                top + 13,
                f"{amount} · {percent(amount, whole)}",
                top + 19,
                WIDTH,
                BAR,
                _rectangles([piece] if amount else []),
            )
        )
    return Chart(key, title, told, table, _svg(key, title, told, ROW * max(len(steps), 1), drawn))


def histogram(
    key: str, title: str, told: str, table: Table, *, bins: Sequence[tuple[str, int]]
) -> Chart:
    """Return standing bars side by side, one for each bin; labels that would overlap are left."""
    most = max((amount for _label, amount in bins), default=0) or 1
    step = WIDTH / max(len(bins), 1)
    every = -(-len(bins) // 6) or 1
    drawn = [_axis()]
    for number, (label, amount) in enumerate(bins):
        height = amount * HEIGHT / most
        left, top = number * step + 1, TOP + HEIGHT - height
        if amount:
            piece = ("main", _at(left), _at(top), _at(step - 2), _at(height), label, amount)
            drawn.append(_rectangles([piece]))
            drawn.append(_text(left + step / 2 - 1, top - 3, "count", amount))
        if number % every == 0:
            drawn.append(_text(left + step / 2 - 1, TOP + HEIGHT + 15, "tick", label))
    return Chart(key, title, told, table, _svg(key, title, told, TOP + HEIGHT + FOOT, drawn))


def line(
    key: str, title: str, told: str, table: Table, *, points: Sequence[tuple[str, int]]
) -> Chart:
    """Return a line through the points, from left to right, with its last value written."""
    most = max((amount for _label, amount in points), default=0) or 1
    step = (WIDTH - 20) / max(len(points) - 1, 1)
    places = [
        (10 + number * step, TOP + HEIGHT - amount * HEIGHT / most)
        for number, (_label, amount) in enumerate(points)
    ]
    drawn = [_axis()]
    if places:
        path = " ".join(f"{_at(left)},{_at(top)}" for left, top in places)
        drawn.append(format_html('<polyline class="line" points="{}"/>', path))
        for (left, top), (label, amount) in zip(places, points, strict=True):
            drawn.append(
                format_html(
                    '<circle class="main" cx="{}" cy="{}" r="3"><title>{}: {}</title></circle>',
                    _at(left),
                    _at(top),
                    label,
                    amount,
                )
            )
        drawn.append(_edge("start", 0, points[0][0]))
        if len(points) > 1:
            drawn.append(_edge("end", WIDTH, points[-1][0]))
        drawn.append(
            _text(min(places[-1][0], WIDTH - 12), places[-1][1] - 5, "count", points[-1][1])
        )
    return Chart(key, title, told, table, _svg(key, title, told, TOP + HEIGHT + FOOT, drawn))


def percent(part: int, whole: int) -> str:
    """Return a share in whole percent, rounded half up; a dash of nothing."""
    return f"{(200 * part + whole) // (2 * whole)} %" if whole else "–"


def _svg(key: str, title: str, told: str, height: float, drawn: Iterable[SafeString]) -> SafeString:
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>',
        WIDTH,
        height,
        key,
        key,
        key,
        title,
        key,
        told,
        format_html_join("", "{}", ((one,) for one in drawn)),
    )


def _rectangles(pieces: Iterable[tuple[Any, ...]]) -> SafeString:
    return format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        pieces,
    )


def _axis() -> SafeString:
    bottom = TOP + HEIGHT
    return format_html('<line class="axis" x1="0" y1="{}" x2="{}" y2="{}"/>', bottom, WIDTH, bottom)


def _text(left: float, top: float, kind: str, said: Any) -> SafeString:
    return format_html('<text x="{}" y="{}" class="{}">{}</text>', _at(left), _at(top), kind, said)


def _edge(kind: str, left: int, said: str) -> SafeString:
    return format_html(
        '<text x="{}" y="{}" class="edge {}">{}</text>', left, TOP + HEIGHT + 15, kind, said
    )


def _at(number: float) -> str:
    """Return a coordinate with one decimal, whatever the language of the page."""
    return f"{number:.1f}"


def _short(label: str) -> str:
    return label if len(label) <= 44 else f"{label[:43]}…"
