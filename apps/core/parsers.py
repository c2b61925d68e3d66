"""Reading JSON as hostile input: bounded, and nothing in it that the database can't store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from apps.core.problems import TooLarge

MAX_DEPTH = 50
MAX_INTEGER = 2**63 - 1


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: no NaN, no NUL, no name said twice, no bottomless nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise TooLarge(detail=f"A request may have {limit} bytes.")
        return strict_json(raw)


def strict_json(raw: bytes) -> Any:
    """Return the value that JSON text spells; raises ParseError for anything else.

    An object that says a name twice is refused too: readers differ on which of the two counts.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_repeated_names,
        )
    except UnicodeDecodeError as error:
        raise ParseError(f"Not UTF-8 at byte {error.start}.") from error
    except RecursionError as error:
        raise ParseError(f"Nested deeper than {MAX_DEPTH}.") from error
    except ValueError as error:
        raise ParseError(f"Not JSON: {error}") from error
    check(value)
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        names = [name for name, _value in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{repeated[:50]!r} is said twice in one object")
    return read


def check(value: Any) -> None:
    """Raise ParseError for what no column could hold. Walks without recursion."""
    todo: list[tuple[Any, int]] = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise ParseError(f"Nested deeper than {MAX_DEPTH}.")
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, dict):
            todo.extend((key, depth) for key in item)
            todo.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list):
            todo.extend((child, depth + 1) for child in item)
        elif isinstance(item, int) and abs(item) > MAX_INTEGER:
            raise ParseError("A whole number is beyond 64 bits.")
        elif isinstance(item, float) and item in (float("inf"), float("-inf")):
            raise ParseError("A number is too large.")


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("NUL characters are not allowed.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ParseError("A string holds half of a surrogate pair.") from error
