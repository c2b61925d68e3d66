"""The connection as it is here: with an organisation's schema and role, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.db import connection as _connection

if TYPE_CHECKING:
    from apps.core.db.base import DatabaseWrapper

connection = cast("DatabaseWrapper", _connection)
"""Django's default connection, under its real type."""
