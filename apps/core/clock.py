"""The one place that asks what time it is. Edges call it and pass `at` down; rules never do."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(tz=UTC)
