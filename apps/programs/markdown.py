"""Lessons and descriptions: Markdown in, HTML out that is safe under a strict content policy."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {
    *("h2", "h3", "h4", "h5", "h6", "p", "blockquote", "pre", "hr", "br", "div", "span"),
    *("ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "caption"),
    *("em", "strong", "b", "i", "u", "s", "del", "ins", "sub", "sup", "small", "mark", "q", "cite"),
    *("code", "kbd", "samp", "var", "abbr", "a", "img", "figure", "figcaption"),
    *("details", "summary"),
}
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start", "reversed"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "details": {"open"},
    "*": {"lang", "dir"},
}
ALIGNMENTS = {"align-left", "align-center", "align-right"}
CLASSES = {"td": ALIGNMENTS, "th": ALIGNMENTS, "div": {"scroll"}}
SCHEMES = {"http", "https", "mailto"}
DEEPEST_HEADING = 6

_parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@lru_cache(maxsize=512)
def render_markdown(text: str) -> SafeString:
    """Return `text` as HTML without scripts, styles, frames or addresses but http(s) and mailto.

    CommonMark with tables and strikethrough. Headings move down one level: the page's own title
    is its only h1.
    """
    tokens = _parser.parse(text)
    _fit_into_page(tokens)
    _fit_tables(tokens)
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes=CLASSES,
        tag_attribute_values={"div": {"tabindex": {"0"}}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
    )
    return SafeString(clean)


def _fit_into_page(tokens: Sequence[Token]) -> None:
    """Lower the headings, and say alignment by class, since inline styles are not allowed."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, DEEPEST_HEADING)}"
        style = token.attrs.pop("style", None)
        if isinstance(style, str) and style.startswith("text-align:"):
            token.attrs["class"] = f"align-{style.removeprefix('text-align:').strip()}"


def _fit_tables(tokens: list[Token]) -> None:
    """Let a table that is wider than a phone scroll by itself, by keyboard too.

    An empty header, as over the column that names the rows, becomes an ordinary cell.
    """
    for place in reversed(range(len(tokens))):
        token = tokens[place]
        if token.type == "th_open" and not tokens[place + 1].content.strip():
            token.tag = tokens[place + 2].tag = "td"
        elif token.type == "table_open":
            attributes: dict[str, str | int | float] = {"class": "scroll", "tabindex": "0"}
            tokens.insert(place, Token("scroll_open", "div", 1, attributes, block=True))
        elif token.type == "table_close":
            tokens.insert(place + 1, Token("scroll_close", "div", -1, block=True))
