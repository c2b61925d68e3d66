"""The connection as it is here: with an organisation's schema and role, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from django.db import connection as _connection

if TYPE_CHECKING:
    from apps.core.db.base import DatabaseWrapper

connection = cast("DatabaseWrapper", _connection)
"""Django's default connection, under its real type."""


@contextmanager
def tenant_context(organization: Any) -> Iterator[None]:
    """Work inside an organisation, then return to where one was: to another one, or to none.

    Unlike django-tenants' own, it never leaves the connection on the public schema.
    """
    previous = connection.tenant
    connection.set_tenant(organization)
    try:
        yield
    finally:
        if previous is None:
            connection.forget_tenant()
        else:
            connection.set_tenant(previous)


@contextmanager
def aside() -> Iterator[DatabaseWrapper]:
    """Yield a second connection inside the same organisation, which commits each statement.

    For what others shall see while a long transaction still runs, such as how far it is. Never
    for a row that the transaction has written: each would wait for the other.
    """
    other: DatabaseWrapper = connection.copy()
    other.set_tenant(connection.tenant)
    try:
        yield other
    finally:
        other.close()
