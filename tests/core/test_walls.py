"""The database refuses, table by table, whatever the code says."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.db.utils import DatabaseError
from psycopg import sql

from apps.core.models import HistoryModel, TenantModel, Version, VersionChild
from apps.core.walls import tenant_models
from apps.organizations.models import Organization
from tests.database import ORG_A, Server

pytestmark = pytest.mark.django_db

HISTORY = [model for model in tenant_models() if issubclass(model, HistoryModel)]
VERSIONED = [m for m in tenant_models() if issubclass(m, Version | VersionChild)]


def label(model: type[models.Model]) -> str:
    return model._meta.db_table


def refused(statement: str, table: str) -> str:
    """Return the database's reason for refusing the statement on this table, as the app's role."""
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(table=sql.Identifier(table)))
    return str(error.value).splitlines()[0]


@pytest.mark.parametrize("model", HISTORY, ids=label)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET recorded_at = now()",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
        "SELECT 1 FROM {table} FOR UPDATE",
    ],
)
def test_history_can_only_be_added_to(model: type[HistoryModel], statement: str) -> None:
    assert "permission denied" in refused(statement, model._meta.db_table)


@pytest.mark.parametrize("model", HISTORY, ids=label)
def test_triggers_of_history_cannot_be_disabled(model: type[HistoryModel]) -> None:
    reason = refused("ALTER TABLE {table} DISABLE TRIGGER ALL", model._meta.db_table)

    assert "must be owner" in reason


@pytest.mark.parametrize("model", HISTORY, ids=label)
def test_history_has_its_second_wall(model: type[HistoryModel], org_a: Organization) -> None:
    assert triggers(org_a.schema_name, model._meta.db_table) >= {
        ("history_row", "assay_refuse"),
        ("history_truncate", "assay_refuse"),
    }


@pytest.mark.parametrize("model", VERSIONED, ids=label)
def test_versions_and_their_parts_have_a_freezing_trigger(
    model: type[TenantModel], org_a: Organization
) -> None:
    expected = (
        ("version_frozen", "assay_freeze_version")
        if issubclass(model, Version)
        else ("child_frozen", "assay_freeze_child")
    )

    assert expected in triggers(org_a.schema_name, model._meta.db_table)


def triggers(schema: str, table: str) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname, p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND t.tgenabled = 'O'",
            [f'{schema}."{table}"'],
        )
        return set(cursor.fetchall())


def test_the_owner_itself_is_refused_by_the_trigger(server: Server) -> None:
    with psycopg.connect(server.url("assay_test", role="assay_owner")) as owner:
        schema = f"org_{ORG_A.hex}"
        owner.execute(
            f"INSERT INTO {schema}.admin_actions (id, action, entity_type, details)"  # noqa: S608
            " VALUES (gen_random_uuid(), 'login', '', '{}')"
        )
        for statement in ("UPDATE {} SET action = 'x'", "DELETE FROM {}", "TRUNCATE {}"):
            with pytest.raises(psycopg.errors.RestrictViolation), owner.transaction():
                owner.execute(sql.SQL(statement).format(sql.Identifier(schema, "admin_actions")))
        owner.rollback()


def test_no_foreign_key_crosses_schemas() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint c"
            " JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid"
            " WHERE c.contype = 'f' AND a.relnamespace <> b.relnamespace"
        )
        assert cursor.fetchall() == []


def test_no_constraint_is_deferred() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE condeferrable")
        assert cursor.fetchall() == []


def test_every_table_of_the_schema_belongs_to_a_model(org_a: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [org_a.schema_name])
        tables = {name for (name,) in cursor.fetchall()}

    assert tables - {"django_migrations"} == {m._meta.db_table for m in tenant_models()}


def test_no_model_of_ours_has_its_table_in_both_schemas() -> None:
    tenant_tables = {model._meta.db_table for model in tenant_models()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        public_tables = {name for (name,) in cursor.fetchall()}

    assert tenant_tables & public_tables == set()


def test_every_model_of_ours_is_either_public_or_a_tenant_model() -> None:
    public_apps = {"accounts", "catalog", "organizations", "sso"}
    strays = [
        model._meta.label
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        and not issubclass(model, TenantModel)
        and model._meta.app_label not in public_apps
    ]

    assert strays == []
