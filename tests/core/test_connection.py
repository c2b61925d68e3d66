"""The first wall: a connection names one organisation, or refuses to run."""

from __future__ import annotations

import threading

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.utils import DatabaseError
from django_tenants.utils import schema_context

from apps.contacts.models import Contact
from apps.core.db.base import NoOrganization
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization

pytestmark = pytest.mark.django_db


def test_query_runs_as_the_role_of_the_organisation(org_a: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user, current_schema()")
        row = cursor.fetchone()

    assert row == (org_a.schema_name, "assay_app", org_a.schema_name)


def test_query_without_an_organisation_is_refused() -> None:
    connection.forget_tenant()

    with pytest.raises(NoOrganization):
        Contact.objects.count()


def test_query_in_a_new_thread_is_refused() -> None:
    refused: list[BaseException] = []

    def query() -> None:
        try:
            Contact.objects.count()
        except NoOrganization as error:
            refused.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=query)
    thread.start()
    thread.join()

    assert [type(error) for error in refused] == [NoOrganization]


def test_missing_role_raises_and_never_reads_the_previous_organisation() -> None:
    Contact.objects.create(display_name="Ada")

    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        schema_context("org_" + "f" * 32),
    ):
        Contact.objects.count()


def test_schema_that_is_no_organisation_is_refused() -> None:
    with pytest.raises(NoOrganization), schema_context("elsewhere"):
        Contact.objects.count()


def test_rows_of_another_organisation_are_not_found(
    org_a: Organization, org_b: Organization
) -> None:
    ada = Contact.objects.create(display_name="Ada")
    with tenant_context(org_b):
        Contact.objects.create(id=ada.id, display_name="Boole")
        assert [c.display_name for c in Contact.objects.all()] == ["Boole"]

    assert [c.display_name for c in Contact.objects.all()] == ["Ada"]


def test_organisation_is_set_again_after_a_rolled_back_savepoint(
    org_a: Organization, org_b: Organization
) -> None:
    Contact.objects.create(display_name="Ada")

    with tenant_context(org_b):
        try:
            with transaction.atomic():
                Contact.objects.count()
                raise ProgrammingError("roll back the savepoint in which B was set")
        except ProgrammingError:
            pass
        in_b = Contact.objects.count()

    assert (in_b, Contact.objects.count()) == (0, 1)


def test_naming_another_organisations_schema_outright_is_refused(org_b: Organization) -> None:
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT * FROM {org_b.schema_name}.crm_contacts")  # noqa: S608
