r"""Matching a short answer against a pattern with `*` wildcards, as Moodle's short answer does.

`qtype_shortanswer_question::compare_string_with_wildcard`: both sides in Unicode NFC, the answer
trimmed, an unescaped run of asterisks stands for any text, `\*` for an asterisk, letters compared
by simple case folding. Done without regular expressions, so that no pattern is slow.
"""

from __future__ import annotations

import re
import unicodedata

_UNESCAPED_ASTERISKS = re.compile(r"(?<!\\)\*+")
_SPACES = re.compile(r"\s+")


def matches(pattern: str, answer: str, *, case_sensitive: bool, collapse_spaces: bool) -> bool:
    """Return whether the whole `answer` fits `pattern`."""
    text = _prepared(answer.strip(), case_sensitive, collapse_spaces)
    pieces = [
        _prepared(piece.replace(r"\*", "*"), case_sensitive, collapse_spaces)
        for piece in _UNESCAPED_ASTERISKS.split(unicodedata.normalize("NFC", pattern))
    ]
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if len(text) < len(first) + len(last):
        return False
    if not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _prepared(text: str, case_sensitive: bool, collapse_spaces: bool) -> str:
    text = unicodedata.normalize("NFC", text)
    if collapse_spaces:
        text = _SPACES.sub(" ", text)
    return text if case_sensitive else "".join(map(_folded, text))


def _folded(character: str) -> str:
    """Fold one character to one character: "ß" does not become "ss" (Unicode simple folding)."""
    for form in (character.casefold(), character.lower()):
        if len(form) == 1:
            return form
    return character
