"""The object store, where an organisation's files are counted against its plan.

Whoever stores through Django's storages (`default_storage`) is metered without doing anything:
the ledger and the sum are written in the transaction in force, and taken back with it. What the
platform stores for itself, outside an organisation, is not.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage
from django.db import transaction

from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.ids import uuid7
from apps.core.models import ONLY_ROW
from apps.core.tenancy import connection
from apps.organizations.limits import demand_room
from apps.organizations.models import LimitName

# One statement, so that the sum's row is locked from here to the commit only: two who store at
# the same moment can't both take the last place, and nobody waits for another's upload.
TAKE_IN = """
WITH kept AS (
    INSERT INTO stored_objects (id, name, bytes) VALUES (%(id)s, %(name)s, %(bytes)s)
)
INSERT INTO storage_usage AS total (id, bytes) VALUES (%(only_row)s, %(bytes)s)
ON CONFLICT (id) DO UPDATE SET bytes = total.bytes + excluded.bytes
RETURNING total.bytes
"""
GIVE_BACK = """
WITH gone AS (
    UPDATE stored_objects SET removed_at = clock_timestamp()
    WHERE name = %(name)s AND removed_at IS NULL
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
        schema = connection.schema_name
        if schema in (None, PUBLIC_SCHEMA):
            return str(super().save(name, content, max_length))  # type: ignore[misc]
        if schema not in str(name).split("/"):
            raise SuspiciousFileOperation(f"{name!r} is not in a folder of {schema}.")
        kept = str(super().save(name, content, max_length))  # type: ignore[misc]
        try:
            with transaction.atomic():
                self._take_in(kept, int(self.size(kept)))  # type: ignore[attr-defined]
        except BaseException:
            super().delete(kept)  # type: ignore[misc]
            raise
        return kept

    def _take_in(self, name: str, size: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                TAKE_IN, {"id": uuid7(), "name": name, "bytes": size, "only_row": ONLY_ROW}
            )
            used = int(cursor.fetchone()[0])
        demand_room(
            organization_id=connection.tenant.id,
            name=LimitName.STORAGE,
            used=used - size,
            adding=size,
        )

    def delete(self, name: str) -> None:
        """Remove the object; what is not there is no error."""
        super().delete(name)  # type: ignore[misc]
        if connection.schema_name not in (None, PUBLIC_SCHEMA):
            with connection.cursor() as cursor:
                cursor.execute(GIVE_BACK, {"name": name, "only_row": ONLY_ROW})


class MeteredFiles(Metered, FileSystemStorage):
    """Files below MEDIA_ROOT."""
