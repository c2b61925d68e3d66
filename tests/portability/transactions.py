"""Trying things in a transaction of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


class _Undone(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside: a test that tries many packages starts afresh with each."""
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        pass
