"""The JSON Schemas of the package format, as checks that name every place at fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema_rs

from apps.portability.faults import MOST_TOLD, Fault

FOLDER = Path(__file__).resolve().parent / "schemas"
_LONGEST = 300


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a schema by name: `manifest`, or a kind of part."""
    read: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return read


@cache
def _validator(name: str) -> Any:
    return jsonschema_rs.validator_for(schema(name), validate_formats=True, offline=True)


def schema_faults(name: str, value: Any, *, file: str) -> Iterator[Fault]:
    """Yield where a value does not follow the schema, the first hundred places."""
    for error in islice(_validator(name).iter_errors(value), MOST_TOLD):
        yield Fault(file, pointer(*error.instance_path), "schema", _shortened(error.message))


def pointer(*steps: str | int) -> str:
    """Return a JSON Pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def _shortened(message: str) -> str:
    """Return the sentence without the middle of a long value that it quotes."""
    if len(message) <= _LONGEST:
        return message
    return f"{message[:80]} … {message[-(_LONGEST - 90) :]}"
