"""Bringing an organisation into being: a state machine on its row, run by the owner's process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import transaction
from psycopg import sql

from apps.core import walls
from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.problems import Conflict
from apps.core.tenancy import connection
from apps.organizations.models import Organization, ProvisioningStep


class ProvisioningNeedsOwner(RuntimeError):
    """Provisioning was tried on the application's connection, which owns nothing."""


class BeingProvisioned(Conflict):
    code = "being-provisioned"
    title = "Another process is making this organisation's schema."


def provision(organization: Organization) -> Organization:
    """Return the organisation, ready. Every step may be repeated, so a failure is resumed.

    Raises BeingProvisioned while another process is at it, else what the failing step raised,
    after noting it on the row.
    """
    if not connection.is_owner:
        raise ProvisioningNeedsOwner("Run `manage.py provision`: it connects as the owner.")
    with _alone(organization):
        organization.refresh_from_db()
        return _take_steps(organization)


@contextmanager
def _alone(organization: Organization) -> Iterator[None]:
    """Hold a lock of the database's that ends with this process, however it ends."""
    key = f"provision {organization.schema_name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        if not cursor.fetchone()[0]:
            raise BeingProvisioned
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _take_steps(organization: Organization) -> Organization:
    steps = {
        ProvisioningStep.REQUESTED: (_create_schema, ProvisioningStep.SCHEMA_CREATED),
        ProvisioningStep.SCHEMA_CREATED: (_migrate, ProvisioningStep.MIGRATED),
        ProvisioningStep.MIGRATED: (_build_walls, ProvisioningStep.READY),
    }
    while organization.provisioning in steps:
        work, reached = steps[ProvisioningStep(organization.provisioning)]
        try:
            work(organization)
        except Exception as error:
            _note(organization, organization.provisioning, str(error))
            raise
        _note(organization, reached, "")
    return organization


def _note(organization: Organization, step: str, error: str) -> None:
    connection.set_schema(PUBLIC_SCHEMA)
    organization.provisioning = step
    organization.provisioning_error = error
    Organization.objects.filter(pk=organization.pk).update(
        provisioning=step, provisioning_error=error
    )


def _create_schema(organization: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(
                sql.Identifier(organization.schema_name)
            )
        )


def _migrate(organization: Organization) -> None:
    call_command(
        "migrate_schemas",
        tenant=True,
        schema_name=organization.schema_name,
        interactive=False,
        verbosity=0,
    )


def _build_walls(organization: Organization) -> None:
    connection.set_schema(PUBLIC_SCHEMA)
    with transaction.atomic():
        walls.sync_schema(organization.schema_name)
