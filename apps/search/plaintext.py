"""Markdown as the words that a reader sees: for indexes, never for pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from apps.programs.markdown import render_markdown

MOST_CHARACTERS = 150_000
"""A tsvector holds 1 MiB of words at most; longer texts are found by how they begin."""

_UNPRINTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACES = re.compile(r"\s+")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE = frozenset(
    {"em", "strong", "b", "i", "u", "s", "del", "ins", "sub", "sup", "small", "mark", "q", "cite"}
    | {"code", "kbd", "samp", "var", "abbr", "a", "span"}
)


@dataclass(frozen=True)
class Words:
    """A text without its marks; `headings` are in `body` as well."""

    headings: str
    body: str


class _Reader(HTMLParser):
    """Collects text; what is not inline parts words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.body: list[str] = []
        self.headings: list[str] = []
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._part(tag)
        if tag in _HEADINGS:
            self._in_heading = True
        if tag == "img":
            self._say(f" {dict(attrs).get('alt') or ''} ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._in_heading = False
            self.headings.append(" ")
        self._part(tag)

    def handle_data(self, data: str) -> None:
        self._say(data)

    def _say(self, text: str) -> None:
        self.body.append(text)
        if self._in_heading:
            self.headings.append(text)

    def _part(self, tag: str) -> None:
        if tag not in _INLINE:
            self.body.append(" ")


def words_of(markdown: str) -> Words:
    """Return what a reader of the rendered Markdown sees, in one line, cut to MOST_CHARACTERS."""
    reader = _Reader()
    reader.feed(render_markdown(markdown))
    reader.close()
    return Words(headings=in_one_line(reader.headings), body=in_one_line(reader.body))


def in_one_line(parts: list[str]) -> str:
    """Return the parts joined, without control characters, at most MOST_CHARACTERS long."""
    text = _UNPRINTED.sub(" ", "".join(parts))
    return _SPACES.sub(" ", text).strip()[:MOST_CHARACTERS]
