"""Counting what a request asks of the database."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def statements(client: Any, address: str) -> int:
    """Return how many statements a read takes, once the caller's token was seen today."""
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
