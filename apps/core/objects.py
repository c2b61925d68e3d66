"""The object store: bytes under names that carry the organisation, files or S3 by setting.

An object is written before the row that names it commits, so a row never names what was not
written. What a transaction left behind without a row is an orphan, and `sweep` removes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import Protocol, TypeVar, cast
from uuid import UUID

from django.core.files.storage import default_storage

from apps.core.ids import uuid7
from apps.core.problems import Problem
from apps.core.tenancy import connection

R = TypeVar("R")

AT_ONCE = 8
SAFE_AGE = timedelta(hours=24)
"""No transaction is open for so long: what has no row by then gets none."""

SWEPT_DAYS = 14
"""How far back a sweep looks; what was swept and kept before that is named by a row."""


class Store(Protocol):
    """What a storage of ours has besides what Django's have."""

    failures: tuple[type[Exception], ...]
    """Raised when the files or the service can't be reached."""

    def save_many(self, new: Mapping[str, bytes]) -> None: ...

    def delete_many(self, names: Iterable[str]) -> None: ...


class StoreUnavailable(Problem):
    """Files or S3 can't be reached: nothing was written, and the request may be repeated."""

    code = "object-store-unavailable"
    status = 503
    title = "The object store can't be reached at the moment. Try again."


def new_name(area: str) -> str:
    """Return a name that no other object has: area, organisation, day, id."""
    key = uuid7()
    return f"{_folder(area)}/{_made_at(str(key)):%Y-%m-%d}/{key}"


def put_many(new: Mapping[str, bytes]) -> None:
    """Write objects under new names, all of them or none. Raises StoreUnavailable."""
    if new:
        with _told_politely():
            _store().save_many(new)


def get_many(names: Iterable[str]) -> dict[str, bytes | None]:
    """Return name -> bytes, None for an object that is not there. Raises StoreUnavailable."""
    wanted = list(dict.fromkeys(names))
    with _told_politely():
        found = side_by_side(partial(_get, name) for name in wanted)
    return dict(zip(wanted, found, strict=True))


def delete_many(names: Iterable[str]) -> None:
    """Remove objects; one that is not there is removed already. Raises StoreUnavailable."""
    with _told_politely():
        _store().delete_many(list(dict.fromkeys(names)))


def sweep(
    area: str, *, named: Callable[[Collection[str]], Collection[str]], at: datetime
) -> list[str]:
    """Remove this organisation's objects of an area that no row names; return their names.

    `named` returns those of some names that rows have. Only objects older than SAFE_AGE are looked
    at, by the time in their own id, so that one whose row is yet to be committed stays. Raises
    StoreUnavailable.
    """
    oldest = (at - timedelta(days=SWEPT_DAYS)).date()
    removed: list[str] = []
    for day in _listed(_folder(area), 0):
        if not _is_day_since(day, oldest):
            continue
        folder = f"{_folder(area)}/{day}"
        files = _listed(folder, 1)
        old = [f"{folder}/{file}" for file in files if _made_at(file) <= at - SAFE_AGE]
        orphans = sorted(set(old) - set(named(old)))
        delete_many(orphans)
        removed += orphans
    return removed


def _folder(area: str) -> str:
    return f"{area}/{connection.schema_name}"


def _is_day_since(text: str, oldest: date) -> bool:
    try:
        return date.fromisoformat(text) >= oldest
    except ValueError:
        return False


def _made_at(file: str) -> datetime:
    """Return when a UUIDv7 was made; the end of time for any other name: it is not swept."""
    try:
        made = UUID(file)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
    if made.version != 7:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromtimestamp((made.int >> 80) / 1000, tz=UTC)


def _store() -> Store:
    return cast(Store, default_storage)


def _get(name: str) -> bytes | None:
    try:
        with default_storage.open(name) as file:
            data: bytes = file.read()
            return data
    except FileNotFoundError:
        return None


def _listed(folder: str, kind: int) -> list[str]:
    with _told_politely():
        try:
            return sorted(default_storage.listdir(folder)[kind])
        except FileNotFoundError:
            return []


@contextmanager
def _told_politely() -> Iterator[None]:
    try:
        yield
    except _store().failures as error:
        raise StoreUnavailable from error


def side_by_side(work: Iterable[Callable[[], R]]) -> list[R]:
    """Return what each piece of work returns; several at once, as a store answers slowly.

    They must not touch the database: connections belong to threads.
    """
    pieces = list(work)
    if len(pieces) < 2:
        return [piece() for piece in pieces]
    return list(_pool(os.getpid()).map(lambda piece: piece(), pieces))


@cache
def _pool(pid: int) -> ThreadPoolExecutor:
    """Return this process's threads; they are kept, as each holds a connection to S3."""
    return ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="objects")
