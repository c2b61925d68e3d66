"""The object store, where an organisation's files are counted against its plan.

Whoever stores through Django's storages (`default_storage`) is metered without doing anything:
the ledger and the sum are written in the transaction in force, and taken back with it. What the
platform stores for itself, outside an organisation, is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.db import transaction

from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.filestore import DurableFileStorage
from apps.core.ids import uuid7
from apps.core.models import ONLY_ROW
from apps.core.objects import side_by_side
from apps.core.tenancy import connection
from apps.organizations.limits import demand_room
from apps.organizations.models import LimitName

# One statement, so that the sum's row is locked from here to the commit only: two who store at
# the same moment can't both take the last place, and nobody waits for another's upload.
TAKE_IN = """
WITH kept AS (
    INSERT INTO stored_objects (id, name, bytes)
    SELECT * FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(bytes)s::bigint[])
)
INSERT INTO storage_usage AS total (id, bytes) VALUES (%(only_row)s, %(sum)s)
ON CONFLICT (id) DO UPDATE SET bytes = total.bytes + excluded.bytes
RETURNING total.bytes
"""
GIVE_BACK = """
WITH gone AS (
    UPDATE stored_objects SET removed_at = clock_timestamp()
    WHERE name = ANY(%(names)s) AND removed_at IS NULL
    RETURNING bytes
)
UPDATE storage_usage AS total SET bytes = total.bytes - (SELECT coalesce(sum(bytes), 0) FROM gone)
WHERE total.id = %(only_row)s
"""


class Metered:
    """Mixed into a storage: keeps the ledger of an organisation's objects and its plan's limit."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Return the name under which the content is kept. Raises PlanLimitReached.

        An organisation's names carry its schema: files of two never share a folder.
        """
        _check([str(name)])
        kept = str(super().save(name, content, max_length))  # type: ignore[misc]
        self._charge({kept: int(self.size(kept))})  # type: ignore[attr-defined]
        return kept

    def save_many(self, new: Mapping[str, bytes]) -> None:
        """Keep objects under names that nothing has, several at once; all of them or none.

        They are charged for in one statement. Raises PlanLimitReached.
        """
        _check(new)
        put = super().save  # type: ignore[misc]
        try:
            side_by_side(partial(put, name, ContentFile(data)) for name, data in new.items())
        except BaseException:
            self._forget(new)
            raise
        self._charge({name: len(data) for name, data in new.items()})

    def delete(self, name: str) -> None:
        """Remove the object; what is not there is no error."""
        self.delete_many([name])

    def delete_many(self, names: Iterable[str]) -> None:
        """Remove objects, several at once; those that are not there are no error."""
        removed = list(names)
        self._forget(removed)
        if removed and connection.schema_name not in (None, PUBLIC_SCHEMA):
            with connection.cursor() as cursor:
                cursor.execute(GIVE_BACK, {"names": removed, "only_row": ONLY_ROW})

    def _forget(self, names: Iterable[str]) -> None:
        remove = super().delete  # type: ignore[misc]
        side_by_side(partial(remove, name) for name in names)

    def _charge(self, sizes: Mapping[str, int]) -> None:
        """Count these objects, or remove them and raise PlanLimitReached."""
        if not sizes or connection.schema_name in (None, PUBLIC_SCHEMA):
            return
        try:
            with transaction.atomic():
                _take_in(sizes)
        except BaseException:
            self._forget(sizes)
            raise


def _check(names: Iterable[str]) -> None:
    schema = connection.schema_name
    if schema in (None, PUBLIC_SCHEMA):
        return
    for name in names:
        if schema not in name.split("/"):
            raise SuspiciousFileOperation(f"{name!r} is not in a folder of {schema}.")


def _take_in(sizes: Mapping[str, int]) -> None:
    added = sum(sizes.values())
    values = {
        "ids": [uuid7() for _ in sizes],
        "names": [*sizes],
        "bytes": [*sizes.values()],
        "only_row": ONLY_ROW,
        "sum": added,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE_IN, values)
        used = int(cursor.fetchone()[0])
    demand_room(
        organization_id=connection.tenant.id,
        name=LimitName.STORAGE,
        used=used - added,
        adding=added,
    )


class MeteredFiles(Metered, DurableFileStorage):
    """Files below MEDIA_ROOT, flushed to the disk."""

    failures = (OSError,)
