"""What may be asked, and how what was found is shown. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from apps.core.problems import FieldError, Invalid

SHORTEST: Final = 2
LONGEST: Final = 200
MARK_START: Final = "\x02"
MARK_END: Final = "\x03"
MARKUP: Final = "<>/"
"""What PostgreSQL's parser would take for tags and paths; to the index these are spaces."""
HIDDEN: Final = "\x04\x05\x06"
"""What stands for them while a text is marked. Texts have no control characters of their own."""

_SHOWN = str.maketrans(HIDDEN, MARKUP)
_SPACED = str.maketrans(MARKUP, " " * len(MARKUP))

_OPERATORS = re.compile(r'"|(?:^|\s)-\S|(?:^|\s)or(?:\s|$)', re.IGNORECASE)


class QueryTooShort(Invalid):
    code = "search-query-too-short"
    title = "Search for at least two characters."


class QueryTooLong(Invalid):
    code = "search-query-too-long"
    title = "Search for at most 200 characters."


@dataclass(frozen=True)
class Query:
    """What is looked for; with operators (quotes, -, or) it is meant to the letter."""

    text: str

    @property
    def words(self) -> str:
        """The text as the index knows it."""
        return self.text.translate(_SPACED)

    @property
    def may_be_misspelt(self) -> bool:
        return not _OPERATORS.search(self.text)


def read_query(asked: str) -> Query:
    """Return the query. Raises QueryTooShort and QueryTooLong."""
    text = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", asked).split())
    if len(text) < SHORTEST:
        raise QueryTooShort(errors=[_about_q("too-short", QueryTooShort.title)])
    if len(text) > LONGEST:
        raise QueryTooLong(errors=[_about_q("too-long", QueryTooLong.title)])
    return Query(text)


def _about_q(code: str, message: str) -> FieldError:
    return {"field": "q", "code": code, "message": message}


def marked(text: str) -> SafeString:
    """Return text as safe HTML: everything escaped, what stands between the marks in `<mark>`."""
    html = escape(text.translate(_SHOWN)).replace(MARK_START, "<mark>").replace(MARK_END, "</mark>")
    return mark_safe(html)  # noqa: S308 - escaped just before
