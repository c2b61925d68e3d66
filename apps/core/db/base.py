"""The database connection: one schema *and* one database role per organisation, or nothing.

django-tenants chooses the schema; this wrapper adds the second wall. Every cursor first makes
sure that `search_path` and `role` name the same organisation, in one statement. It starts
without any schema and refuses to run until somebody named one, and it never swallows an error
of that statement: a missing role or schema must not leave the previous organisation's in force.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql.operations import DatabaseOperations as PostgresOperations
from django.utils.functional import cached_property
from django_tenants.postgresql_backend import base as tenants

PLATFORM_ROLE = "assay_platform"
PUBLIC_SCHEMA = "public"
NAME_ORGANIZATION = "SELECT set_config('search_path', %s, false), set_config('role', %s, false)"
_ORGANIZATION_SCHEMA = re.compile(r"org_[0-9a-f]{32}\Z")


class NoOrganization(ImproperlyConfigured):
    """A query was made before anybody said for which organisation."""


class DatabaseOperations(PostgresOperations):
    def deferrable_sql(self) -> str:
        """Every foreign key is immediate: a decision without its evidence fails at once."""
        return ""


class DatabaseWrapper(tenants.DatabaseWrapper):  # type: ignore[misc]
    ops_class = DatabaseOperations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.search_path_set_schemas: tuple[str, str] | None = None
        self._setting_search_path = False
        super().__init__(*args, **kwargs)
        self.schema_name: str | None = None
        self.tenant: Any = None
        self.settings_dict.pop("SCHEMA", None)

    @cached_property
    def pg_version(self) -> int:
        """The server's version number, told by the connection itself: no cursor, no schema."""
        self.ensure_connection()
        version: int = self.connection.info.server_version
        return version

    @property
    def is_owner(self) -> bool:
        """Whether this process connects as the owner of the tables (migrations, provisioning)."""
        return bool(self.settings_dict.get("IS_OWNER"))

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        unchanged = (
            self.search_path_set_schemas is not None and self.schema_name == tenant.schema_name
        )
        kept = self.search_path_set_schemas
        super().set_tenant(tenant, include_public)
        if unchanged and kept == self._wanted():
            self.search_path_set_schemas = kept

    def is_usable(self) -> bool:
        """Return whether the connection still answers, asked by what a request needs anyway.

        Naming schema and role is a request's first statement: it is the health check as well.
        """
        if not self.schema_name:
            return bool(super().is_usable())
        wanted = self._wanted()
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(NAME_ORGANIZATION, wanted)
        except psycopg.Error:
            return False
        self.search_path_set_schemas = wanted
        return True

    def check_constraints(self, table_names: Any = None) -> None:
        """Nothing to check late: no constraint is deferred."""

    def forget_tenant(self) -> None:
        """Return to the state of a new connection: any query raises NoOrganization."""
        self.tenant = None
        self.schema_name = None
        self.search_path_set_schemas = None

    @contextmanager
    def platform(self) -> Iterator[None]:
        """Act across organisations on the public tables; callers record why."""
        previous = self.tenant
        self.set_schema_to_public()
        try:
            yield
        finally:
            if previous is None:
                self.forget_tenant()
            else:
                self.set_tenant(previous)

    def _role(self) -> str:
        if self.is_owner:
            return "none"
        if self.schema_name == PUBLIC_SCHEMA:
            return PLATFORM_ROLE
        if not _ORGANIZATION_SCHEMA.match(str(self.schema_name)):
            raise NoOrganization(f"{self.schema_name!r} is not the schema of an organisation.")
        return str(self.schema_name)

    def _wanted(self) -> tuple[str, str]:
        path = ", ".join(
            tenants.quote_schema_name(schema) for schema in self._get_cursor_search_paths()
        )
        return path, self._role()

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path:
            return
        if not self.schema_name:
            if self.is_owner:
                self.set_schema_to_public()
            else:
                raise NoOrganization(
                    "No organisation is set on this connection: enter tenant_context() or "
                    "connection.platform() first."
                )
        wanted = self._wanted()
        if self.search_path_set_schemas == wanted:
            return
        self._setting_search_path = True
        own = self.connection.cursor() if cursor is None else cursor
        try:
            self.search_path_set_schemas = None
            own.execute(NAME_ORGANIZATION, wanted)
            self.search_path_set_schemas = wanted
        finally:
            self._setting_search_path = False
            if cursor is None:
                own.close()
