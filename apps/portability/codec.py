"""Between plain values and canonical JSON, by the types that the values declare. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from apps.assessment.questions.numbers import plain

T = TypeVar("T")


def canonical_bytes(value: Any) -> bytes:
    """Return the one way in which a package writes JSON: UTF-8, names in order, two spaces."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, indent=2, allow_nan=False)
    return f"{text}\n".encode()


def as_json(value: Any) -> Any:
    """Return a dataclass as JSON values; every field is there, numbers are told as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [as_json(one) for one in value]
    return value


def from_json(kind: Callable[..., T], data: Any) -> T:
    """Return JSON values as the dataclass. The schema has been checked: nothing here can fail.

    What is left out gets the field's default.
    """
    read: T = _reader(kind)(data)
    return read


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        [inner] = [one for one in get_args(kind) if one is not NoneType]
        some = _reader(inner)
        return lambda data: None if data is None else some(data)
    if origin is tuple:
        each = _reader(get_args(kind)[0])
        return lambda data: tuple(each(one) for one in data)
    if kind is date:
        return date.fromisoformat
    if kind in (Decimal, int):
        made: Callable[[Any], Any] = kind
        return made
    return lambda data: data


def _dataclass_reader(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    readers = {f.name: _reader(hints[f.name]) for f in fields(kind)}

    def read(data: Any) -> Any:
        return kind(**{name: readers[name](value) for name, value in data.items()})

    return read


def required_fields(kind: Any) -> set[str]:
    """Return the names of the fields that have no default."""
    return {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}


@cache
def field_types(kind: Any) -> dict[str, Any]:
    """Return field -> its type, for a tuple of anything just `tuple`."""
    return {
        name: get_origin(hint) if get_origin(hint) is tuple else hint
        for name, hint in get_type_hints(kind).items()
    }
