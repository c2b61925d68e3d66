"""Reading a JSON document that anybody may have written.

Everything that looks at a credential (JSON-LD, canonicalization, the checks)
costs far more than parsing, so size, depth and number of values are bounded
here, before anything else walks the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from apps.credentials.reasons import Reason

MAX_BYTES = 1_048_576
MAX_DEPTH = 32
# PyLD compares every value of a property with every other: a thousand cost half a second.
MAX_VALUES = 1_200
MAX_OBJECTS = 300
MAX_TYPES = 8
# Beyond 2**53 other readers of the same JSON see another number (RFC 8259, section 6).
MAX_INTEGER = 2**53 - 1
# Tab, line feed and carriage return are text; other control characters and
# lone surrogates have no agreed form in N-Quads, XML or PDF.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class DocumentRefused(ValueError):
    """The document cannot be read safely; `reason` is stable, the text explains."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_document(source: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON object in `source` as a new plain dict.

    Raises DocumentRefused.
    """
    document = _parse(source) if isinstance(source, bytes | str) else source
    if not isinstance(document, Mapping):
        raise DocumentRefused(Reason.NOT_AN_OBJECT, "the document is not a JSON object")
    return _bounded_copy(document)


def _parse(source: bytes | str) -> Any:
    if len(source) > MAX_BYTES:
        raise DocumentRefused(Reason.TOO_LARGE, f"the document is larger than {MAX_BYTES} bytes")
    try:
        text = source.decode("utf-8") if isinstance(source, bytes) else source
        return json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_refuse_constant)
    except RecursionError:
        raise DocumentRefused(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels") from None
    except DocumentRefused:
        raise
    except ValueError as error:  # bad UTF-8, bad JSON, a number of thousands of digits
        raise DocumentRefused(Reason.NOT_JSON, f"the document is not JSON: {error}") from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers disagree about which of two equal names counts, so neither does."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DocumentRefused(Reason.NOT_JSON, "an object has the same name twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise DocumentRefused(Reason.BAD_NUMBER, f"{name} is not a JSON number")


def _bounded_copy(document: Mapping[str, Any]) -> dict[str, Any]:
    """Copy without recursion, so that no nesting can exhaust the stack."""
    copied: dict[str, Any] = {}
    pending: list[tuple[Any, dict[str, Any] | list[Any], int]] = [(document, copied, 1)]
    tally = _Tally()
    while pending:
        source, target, depth = pending.pop()
        tally.count(source, depth)
        members = source.items() if isinstance(source, Mapping) else enumerate(source)
        for key, value in members:
            plain: Any
            if isinstance(value, Mapping | list | tuple):
                plain = {} if isinstance(value, Mapping) else []
                pending.append((value, plain, depth + 1))
            else:
                plain = tally.scalar(value)
            if isinstance(target, dict):
                target[_text(key)] = plain
            else:
                target.append(plain)
    return copied


@dataclass
class _Tally:
    """What has been read of one document so far."""

    values: int = 0
    objects: int = 0
    characters: int = 0

    def count(self, source: Mapping[str, Any] | list[Any] | tuple[Any, ...], depth: int) -> None:
        if depth > MAX_DEPTH:
            raise DocumentRefused(Reason.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels")
        self.values += len(source)
        if isinstance(source, Mapping):
            self.objects += 1
            _require_few_types(source)
        if self.values > MAX_VALUES or self.objects > MAX_OBJECTS:
            raise DocumentRefused(Reason.TOO_COMPLEX, "the document has too many values")

    def scalar(self, value: Any) -> Any:
        if isinstance(value, str):
            self.characters += len(value)
            if self.characters > MAX_BYTES:
                raise DocumentRefused(
                    Reason.TOO_LARGE, f"the document is larger than {MAX_BYTES} bytes"
                )
        return _scalar(value)


def _require_few_types(source: Mapping[str, Any]) -> None:
    """Each type may bring a context of its own, which is the dearest thing in JSON-LD."""
    types = source.get("type")
    if isinstance(types, list) and len(types) > MAX_TYPES:
        raise DocumentRefused(Reason.TOO_COMPLEX, f"an object has more than {MAX_TYPES} types")


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise DocumentRefused(
                Reason.BAD_NUMBER, "an integer is too large to be read alike by all"
            )
        return value
    if isinstance(value, float):
        return _number(value)
    raise DocumentRefused(Reason.NOT_JSON, f"{type(value).__name__} is not a JSON value")


def _number(value: float) -> float:
    """Refuse what RDF's sixteen digits would not give back (or 1e999, read as infinity)."""
    if float(f"{value:.15E}") != value or value in (float("inf"), float("-inf")):
        raise DocumentRefused(Reason.BAD_NUMBER, "a number has more digits than can be signed")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DocumentRefused(Reason.NOT_JSON, "a member's name is not text")
    if _NOT_TEXT.search(value):
        raise DocumentRefused(Reason.NOT_TEXT, "a text has control characters or broken Unicode")
    return value
