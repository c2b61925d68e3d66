"""What can never change again, kept by this process: an answer costs no statement.

Kept by organisation, since ids are unique only within one. The oldest go first when it is full.
What a transaction reads is kept when it commits: it may have published what it reads, and then
have been undone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar
from uuid import UUID

from django.db import transaction

from apps.core.tenancy import connection

V = TypeVar("V")
Loaded = tuple[Mapping[UUID, V], Collection[UUID]]


class Kept(Generic[V]):
    """Frozen values by id."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._values: dict[tuple[str | None, UUID], V] = {}
        self._writing = Lock()

    def fetch(
        self, ids: Collection[UUID], load: Callable[[Collection[UUID]], Loaded[V]]
    ) -> dict[UUID, V]:
        """Return id -> value; what is not kept yet is loaded, and its frozen part is kept.

        `load` answers with the values by id and says which of them are frozen.
        """
        schema = connection.schema_name
        found: dict[UUID, V] = {}
        missing: list[UUID] = []
        for wanted in ids:
            value = self._values.get((schema, wanted))
            if value is None:
                missing.append(wanted)
            else:
                found[wanted] = value
        if missing:
            loaded, frozen = load(missing)
            values = {(schema, key): loaded[key] for key in frozen}
            transaction.on_commit(partial(self._keep, values))
            found |= loaded
        return found

    def _keep(self, values: Mapping[tuple[str | None, UUID], V]) -> None:
        with self._writing:
            self._values.update(values)
            excess = len(self._values) - self._most
            for key in list(islice(self._values, max(excess, 0))):
                del self._values[key]

    def forget(self) -> None:
        """Forget everything."""
        with self._writing:
            self._values.clear()
