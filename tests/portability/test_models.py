"""What the database refuses of the records of imports."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.portability.models import ImportedDefinition, PackageImport
from apps.portability.vocabulary import PackageKind, PartKind
from tests.factories import some_uuid
from tests.programs.factories import published_course, published_program

pytestmark = pytest.mark.django_db


def recorded(**fields: object) -> PackageImport:
    values = {"kind": PackageKind.COURSE, "slug": "knots", "title": "Knots", "digest": "0" * 64}
    return PackageImport.objects.create(**values, **fields)


def test_an_import_stays_on_record() -> None:
    row = recorded()

    with pytest.raises(DatabaseError), transaction.atomic():
        PackageImport.objects.filter(pk=row.pk).update(title="Other")
    with pytest.raises(DatabaseError), transaction.atomic():
        PackageImport.objects.filter(pk=row.pk).delete()


def test_an_import_from_the_catalog_names_its_version() -> None:
    with pytest.raises(IntegrityError, match="packageimport_names_its_catalog_version"):
        recorded(catalog_course_id=some_uuid())


def test_where_a_definition_came_from_is_not_rewritten() -> None:
    course = published_course().definition
    row = ImportedDefinition.objects.create(
        kind=PartKind.COURSE, origin="x@y", slug="knots", course=course
    )

    with pytest.raises(DatabaseError), transaction.atomic():
        ImportedDefinition.objects.filter(pk=row.pk).update(origin="z@y")


def test_an_imported_definition_is_one_of_its_kind() -> None:
    program = published_program().definition

    with pytest.raises(IntegrityError, match="importeddefinition_one_of_its_kind"):
        ImportedDefinition.objects.create(
            kind=PartKind.COURSE, origin="x@y", slug="knots", program=program
        )


def test_a_source_leads_to_one_definition() -> None:
    first = published_course("knots").definition
    second = published_course("sails").definition
    same = {"kind": PartKind.COURSE, "origin": "x@y", "slug": "knots"}
    ImportedDefinition.objects.create(**same, course=first)

    with pytest.raises(IntegrityError, match="importeddefinition_once_per_source"):
        ImportedDefinition.objects.create(**same, course=second)


def test_a_definition_came_from_one_source() -> None:
    course = published_course("knots").definition
    ImportedDefinition.objects.create(
        kind=PartKind.COURSE, origin="x@y", slug="knots", course=course
    )

    with pytest.raises(IntegrityError):
        ImportedDefinition.objects.create(
            kind=PartKind.COURSE, origin="z@y", slug="knots", course=course
        )
