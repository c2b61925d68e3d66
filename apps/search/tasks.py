"""What the outbox owes the index."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import UUID

from apps.search.selectors.sources import SOURCES, Source
from apps.search.services import index


def _index(source: Source, key: str, payloads: list[dict[str, Any]]) -> None:
    index(source, [UUID(key)])


HANDLERS: Final[dict[str, Callable[[str, list[dict[str, Any]]], None]]] = {
    source.topic: partial(_index, source) for source in SOURCES
}
"""Topic -> what brings the definition of that id up to date."""
