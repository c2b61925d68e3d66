"""What the database itself refuses: grants and triggers, derived from the model classes.

`sync_schema` is idempotent and runs after every migration, restore or rename of an organisation's
schema. The default is nothing: a table of which no model speaks is granted to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import models
from psycopg import sql

from apps.core.models import HistoryModel, TenantModel, Version, VersionChild
from apps.core.tenancy import connection

APP_ROLE = "assay_app"
TENANT_GROUP = "assay_tenant"

# Functions live once, in public; they find their tables through TG_TABLE_SCHEMA and so survive
# the renaming of a schema. Single statements and separate triggers for TRUNCATE: Citus skips
# combined ones silently.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION public.assay_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history of % is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION public.assay_freeze_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'draft' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.status = 'published' AND NEW.status = 'retired'
        AND to_jsonb(NEW) - 'status' - 'retired_at' = to_jsonb(OLD) - 'status' - 'retired_at'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of % refused: version % is frozen', TG_OP, TG_TABLE_NAME, OLD.number
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION public.assay_freeze_child() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parent uuid;
    state text;
BEGIN
    FOREACH parent IN ARRAY (
        CASE TG_OP
            WHEN 'INSERT' THEN ARRAY[NEW.version_id]
            WHEN 'DELETE' THEN ARRAY[OLD.version_id]
            ELSE ARRAY[OLD.version_id, NEW.version_id]
        END
    ) LOOP
        EXECUTE format(
            'SELECT status FROM %I.%I WHERE id = $1 FOR SHARE', TG_TABLE_SCHEMA, TG_ARGV[0]
        ) INTO state USING parent;
        IF state IS DISTINCT FROM 'draft' AND NOT (state IS NULL AND TG_OP = 'DELETE') THEN
            RAISE EXCEPTION '% in % refused: its version is %',
                TG_OP, TG_TABLE_NAME, coalesce(state, 'gone')
                USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
"""


def tenant_models() -> Iterator[type[TenantModel]]:
    """Yield every concrete model whose table stands in each organisation's schema."""
    for model in apps.get_models(include_auto_created=True):
        if issubclass(model, TenantModel) and not model._meta.proxy:
            yield model


def sync_functions() -> None:
    """Create the trigger functions in public; any role may run them, as triggers only."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)


def ensure_role(name: str) -> None:
    """Create a database role that nobody can log in with; keep it if it is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


def let_app_act_as(role: str) -> None:
    """Let the application's login act as `role` by SET ROLE, without inheriting its rights."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                sql.Identifier(role), sql.Identifier(APP_ROLE)
            )
            if connection.pg_version >= 160000
            else sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(APP_ROLE))
        )


def sync_schema(schema: str) -> None:
    """Make the grants and triggers of one organisation's schema what the models say.

    The role has the schema's name. It inherits from the group what tenant code may do with the
    public tables.
    """
    ensure_role(schema)
    let_app_act_as(schema)
    role, where = sql.Identifier(schema), sql.Identifier(schema)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "GRANT {group} TO {role};"
                "REVOKE ALL ON SCHEMA {schema} FROM PUBLIC;"
                "GRANT USAGE ON SCHEMA {schema} TO {role};"
                "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}"
            ).format(group=sql.Identifier(TENANT_GROUP), role=role, schema=where)
        )
        statements = [
            statement
            for model in tenant_models()
            for statement in _table_statements(schema, model, role)
        ]
        cursor.execute(sql.SQL(";").join(statements))


def _table_statements(
    schema: str, model: type[TenantModel], role: sql.Identifier
) -> Iterator[sql.Composable]:
    table = sql.Identifier(schema, model._meta.db_table)
    yield sql.SQL("GRANT {} ON {} TO {}").format(
        sql.SQL(", ").join(sql.SQL(grant) for grant in model.grants),
        table,
        role,
    )
    if issubclass(model, HistoryModel):
        yield from history_triggers(table)
    if issubclass(model, Version):
        yield _trigger("version_frozen", "UPDATE OR DELETE", table, "ROW", "assay_freeze_version")
    if issubclass(model, VersionChild):
        yield _trigger(
            "child_frozen",
            "INSERT OR UPDATE OR DELETE",
            table,
            "ROW",
            "assay_freeze_child",
            version_table(model),
        )


def history_triggers(table: sql.Identifier) -> list[sql.Composable]:
    """Return the triggers that refuse to change or remove a row of this table."""
    return [
        _trigger("history_row", "UPDATE OR DELETE", table, "ROW", "assay_refuse"),
        _trigger("history_truncate", "TRUNCATE", table, "STATEMENT", "assay_refuse"),
    ]


def version_table(model: type[VersionChild]) -> str:
    """Return the table of the version that a child belongs to."""
    parent = model._meta.get_field("version").related_model
    assert isinstance(parent, type)  # noqa: S101
    assert issubclass(parent, models.Model)  # noqa: S101
    return parent._meta.db_table


def _trigger(
    name: str, events: str, table: sql.Identifier, each: str, function: str, *arguments: str
) -> sql.Composable:
    return sql.SQL(
        "CREATE OR REPLACE TRIGGER {} BEFORE {} ON {} FOR EACH {} EXECUTE FUNCTION public.{}({})"
    ).format(
        sql.Identifier(name),
        sql.SQL(events),
        table,
        sql.SQL(each),
        sql.Identifier(function),
        sql.SQL(", ").join(sql.Literal(argument) for argument in arguments),
    )
