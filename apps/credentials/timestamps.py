"""Times as credentials write them: XSD 1.1 dateTimeStamp, always with a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_STAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,12})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


class TimestampInvalid(ValueError):
    """The text is not a date and time with a zone."""


def format_timestamp(moment: datetime) -> str:
    """Return the moment in UTC to the second, e.g. 2025-03-01T09:00:00Z.

    Raises ValueError for a time without a zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a timestamp needs a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: object) -> datetime:
    """Return the moment of a dateTimeStamp. Raises TimestampInvalid."""
    if not isinstance(text, str) or not _STAMP.fullmatch(text):
        raise TimestampInvalid("not a date and time with a zone")
    try:
        return datetime.fromisoformat(_microseconds(text)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TimestampInvalid(f"not a date and time: {error}") from None


def _microseconds(text: str) -> str:
    """Cut fractions that Python cannot hold."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)
