"""Texts of other systems as the Markdown that our pages show: same words, same emphasis."""

from __future__ import annotations

import re
from html import unescape

from apps.assessment.interchange.items import RichText, TextFormat

_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.DOTALL)
_BLOCK_TAG = re.compile(
    r"</?(?:p|div|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|th|td|pre|blockquote|h[1-6]|hr"
    r"|details|summary|figure|figcaption|section|article|center)\b",
    re.IGNORECASE,
)
_PUNCTUATION = re.compile(r"([\\`*_\[\]<>|~])")
_AMPERSAND = re.compile(r"&(?=#?\w{1,40};)")
_LINE_START = re.compile(r"^([#+=-]|\d{1,9}(?=[.)]))", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n)+")


def as_markdown(text: RichText) -> str:
    """Return Markdown that renders as the text reads in its own format.

    Plain text is escaped. HTML with blocks is kept as one HTML block; otherwise its tags are kept
    and the words between them escaped. `moodle` is HTML whose line breaks count. What the pages'
    sanitiser does not allow (scripts, styles) is lost when shown, as everywhere.
    """
    if text.format == TextFormat.MARKDOWN:
        return text.text
    if text.format == TextFormat.PLAIN:
        return _with_breaks(_escaped(_trimmed(text.text)))
    html = text.text
    if _BLOCK_TAG.search(html):
        if text.format == TextFormat.MOODLE:
            html = html.replace("\n", "<br>\n")
        unbroken = _EMPTY_LINES.sub(_kept_apart, html.strip())
        return f"<div>\n{unbroken}\n</div>"
    return _inline_html(html, breaks=text.format == TextFormat.MOODLE)


def as_plain_words(text: RichText, *, limit: int) -> str:
    """Return the words alone on one line, at most `limit` characters: for a title."""
    words = text.text
    if text.format in (TextFormat.HTML, TextFormat.MOODLE):
        words = unescape(_TAG.sub(" ", words))
    line = " ".join(words.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def _kept_apart(lines: re.Match[str]) -> str:
    """Spell further line breaks as characters: an empty line would end the HTML block."""
    return "\n" + "&#10;" * (lines[0].count("\n") - 1)


def _inline_html(html: str, *, breaks: bool) -> str:
    pieces: list[str] = []
    position = 0
    source = _trimmed(html) if breaks else " ".join(html.split())
    for tag in _TAG.finditer(source):
        pieces += [_words(source[position : tag.start()], pieces), tag[0]]
        position = tag.end()
    pieces.append(_words(source[position:], pieces))
    joined = "".join(pieces)
    return _with_breaks(joined) if breaks else joined


def _words(text: str, before: list[str]) -> str:
    """Escape the words of HTML; only the first piece stands at the start of a line for sure."""
    escaped = _PUNCTUATION.sub(r"\\\1", text)
    at_start = not "".join(before).strip() or "\n" in text
    return _LINE_START.sub(_escaped_start, escaped) if at_start else escaped


def _escaped(text: str) -> str:
    escaped = _AMPERSAND.sub(r"\\&", _PUNCTUATION.sub(r"\\\1", text))
    return _LINE_START.sub(_escaped_start, escaped)


def _escaped_start(match: re.Match[str]) -> str:
    """Escape what would begin a heading, list or rule; of a number, what follows it."""
    return f"{match[1]}\\" if match[1].isdigit() else f"\\{match[1]}"


def _trimmed(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _with_breaks(text: str) -> str:
    """Let single line breaks count; empty lines part paragraphs anyway."""
    return re.sub(r"(?<!\n)\n(?!\n)", "\\\\\n", re.sub(r"\n{2,}", "\n\n", text))
