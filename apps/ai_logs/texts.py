"""Texts as they are sealed: plain, or the parts of a message in one canonical spelling."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

PLAIN = "text/plain"
PARTS = "application/json"


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes with their media type."""

    media_type: str
    data: bytes

    @property
    def shown(self) -> str:
        """The text as a person reads it."""
        if self.media_type != PARTS:
            return self.data.decode("utf-8", "replace")
        return readable(json.loads(self.data))


def plain(words: str) -> Text:
    return Text(PLAIN, words.encode("utf-8", "replace"))


def structured(value: Any) -> Text:
    """Return JSON in one spelling, so that the same message always has the same digest."""
    spelled = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Text(PARTS, spelled.encode("utf-8", "replace"))


def readable(value: Any) -> str:
    """Return the words of a message's parts, and its other parts as JSON."""
    parts = value if isinstance(value, list) else [value]
    return "\n".join(_part(part) for part in parts)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and isinstance(part.get("content"), str):
        words: str = part["content"]
        return words
    return json.dumps(part, indent=2, ensure_ascii=False)
