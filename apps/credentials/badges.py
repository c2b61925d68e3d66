"""The picture of an achievement: letters on a seal, as an SVG without scripts or fonts."""

from __future__ import annotations

from base64 import b64encode
from html import escape

_SEAL = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" role="img" aria-label="{label}">'
    '<circle cx="100" cy="100" r="96" fill="{background}"/>'
    '<circle cx="100" cy="100" r="84" fill="none" stroke="{foreground}" stroke-width="4"/>'
    '<text x="100" y="100" fill="{foreground}" font-family="sans-serif" font-weight="700"'
    ' font-size="{size}" text-anchor="middle" dominant-baseline="central">{letters}</text>'
    "</svg>"
)
_SIZES = {1: 104, 2: 80, 3: 60, 4: 46}


def badge_svg(*, letters: str, background: str, foreground: str, label: str) -> str:
    """Return the seal with up to four letters; colours as #rrggbb. `label` is its text for all."""
    return _SEAL.format(
        label=escape(label),
        letters=escape(letters),
        background=escape(background),
        foreground=escape(foreground),
        size=_SIZES[min(max(len(letters), 1), 4)],
    )


def data_uri(svg: str) -> str:
    """Return the picture as an address that holds it, so that a signature covers it too."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
