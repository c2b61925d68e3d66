"""Two organisations to keep apart: a full one, and what every table of it looks like."""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import models
from psycopg import sql

from apps.core.tenancy import connection
from apps.core.walls import tenant_models
from tests.database import ORG_A, ORG_B

MARK = "Belongs to B"


def picture() -> dict[str, tuple[int, str]]:
    """Return rows and digest of every table of the organisation in force."""
    found = {}
    with connection.cursor() as cursor:
        for model in tenant_models():
            cursor.execute(
                sql.SQL(
                    "SELECT count(*), coalesce(md5(string_agg(t::text, ',' ORDER BY t.id)), '')"
                    " FROM {} t"
                ).format(sql.Identifier(model._meta.db_table))
            )
            found[model._meta.db_table] = cursor.fetchone()
    return found


def some_row(model: type[models.Model]) -> Any:
    """Return a row of this model in the organisation in force."""
    return model._default_manager.order_by("pk").first()


def mark_b(superuser: psycopg.Connection) -> None:
    """Write a mark into titles and names of B, and copy all its rows into A beforehand.

    So the same ids stand in both, and whatever shows the mark was read from B. Triggers and
    foreign keys are off for this: only a superuser can do so.
    """
    schema_a, schema_b = f"org_{ORG_A.hex}", f"org_{ORG_B.hex}"
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        for model in tenant_models():
            table = model._meta.db_table
            superuser.execute(
                sql.SQL("INSERT INTO {} SELECT * FROM {} ON CONFLICT DO NOTHING").format(
                    sql.Identifier(schema_a, table), sql.Identifier(schema_b, table)
                )
            )
            for column in ("title", "display_name", "name"):
                if any(
                    field.column == column and not field.unique
                    for field in model._meta.concrete_fields
                ):
                    superuser.execute(
                        sql.SQL("UPDATE {} SET {} = %s").format(
                            sql.Identifier(schema_b, table), sql.Identifier(column)
                        ),
                        [MARK],
                    )
