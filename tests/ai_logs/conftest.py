"""Objects of each test lie in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "objects"
    with override_settings(MEDIA_ROOT=folder):
        yield folder


@pytest.fixture
def count_statements() -> Callable[[Callable[[], Any]], int]:
    """Return what counts the statements of some work."""

    def count(work: Callable[[], Any]) -> int:
        with CaptureQueriesContext(connection) as caught:
            work()
        return len(caught)

    return count
