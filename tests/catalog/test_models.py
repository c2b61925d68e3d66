"""What the database refuses of the catalog, to the platform and to organisations."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from psycopg import sql

from apps.catalog.models import (
    CatalogCourse,
    CatalogCourseVersion,
    CatalogPackage,
    CatalogWithdrawal,
)
from apps.catalog.services import withdraw_version
from apps.core.tenancy import connection
from apps.organizations.models import Organization
from tests.catalog.factories import SECOND, in_catalog

pytestmark = pytest.mark.django_db

CHANGES = ("UPDATE {} SET id = gen_random_uuid()", "DELETE FROM {}", "TRUNCATE {}")
TABLES = (CatalogCourse, CatalogPackage, CatalogCourseVersion, CatalogWithdrawal)


def seen() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in TABLES}


def stored(data: bytes = b"PK", **fields: Any) -> CatalogPackage:
    values = {"digest": "0" * 64, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return CatalogPackage.objects.create(**{**values, **fields}, data=data)


def another(version: CatalogCourseVersion, **fields: Any) -> CatalogCourseVersion:
    values = {
        "course": version.course,
        "package": version.package,
        "number": 2,
        "title": "First aid",
        "licence": "CC0-1.0",
        "language": "en",
        "publisher": "Ada",
    }
    return CatalogCourseVersion.objects.create(**{**values, **fields})


def test_organisations_see_what_is_offered_and_no_more(org_a: Organization) -> None:
    first, second = in_catalog(), in_catalog(SECOND)
    offered = seen()
    with connection.platform():
        withdraw_version(version=first, reason="A wrong dose.", actor_id=None)
    one_left = seen()
    with connection.platform():
        withdraw_version(version=second, reason="Still wrong.", actor_id=None)
        of_the_platform = seen()
    nothing_left = seen()

    assert offered == {
        "CatalogCourse": 1,
        "CatalogPackage": 2,
        "CatalogCourseVersion": 2,
        "CatalogWithdrawal": 0,
    }
    assert one_left == {
        "CatalogCourse": 1,
        "CatalogPackage": 1,
        "CatalogCourseVersion": 1,
        "CatalogWithdrawal": 1,
    }
    assert nothing_left == {
        "CatalogCourse": 0,
        "CatalogPackage": 0,
        "CatalogCourseVersion": 0,
        "CatalogWithdrawal": 2,
    }
    assert of_the_platform == {
        "CatalogCourse": 1,
        "CatalogPackage": 2,
        "CatalogCourseVersion": 2,
        "CatalogWithdrawal": 2,
    }


@pytest.mark.parametrize("model", TABLES)
def test_organisations_write_nothing_into_the_catalog(model: Any, org_a: Organization) -> None:
    in_catalog()
    table = sql.Identifier(model._meta.db_table)

    for statement in ("INSERT INTO {0} SELECT * FROM {0}", *CHANGES):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.SQL(statement).format(table))


@pytest.mark.parametrize("model", TABLES)
def test_the_platform_changes_nothing_in_the_catalog(model: Any) -> None:
    version = in_catalog()
    table = sql.Identifier(model._meta.db_table)
    with connection.platform():
        withdraw_version(version=version, reason="A wrong dose.", actor_id=None)

        for statement in CHANGES:
            with (
                pytest.raises(DatabaseError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(sql.SQL(statement).format(table))


@pytest.mark.parametrize("model", TABLES)
def test_triggers_refuse_where_grants_would_not(model: Any) -> None:
    with connection.platform(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [model._meta.db_table],
        )
        names = sorted(name for (name,) in cursor.fetchall())

    assert names == ["history_row", "history_truncate"]


def test_damaged_bytes_are_no_package() -> None:
    with connection.platform():
        assert stored().size == 2
        for fields in ({"sha256": "0" * 64}, {"size": 3}):
            with pytest.raises(IntegrityError, match="of_its_bytes"), transaction.atomic():
                stored(**{"digest": "1" * 64, **fields})
        with pytest.raises(IntegrityError, match="size_of_its_bytes"), transaction.atomic():
            stored(b"", digest="1" * 64)


def test_the_same_content_is_kept_once() -> None:
    with connection.platform():
        stored()
        with pytest.raises(IntegrityError), transaction.atomic():
            stored()


@pytest.mark.parametrize(
    "wrong",
    [{"number": 0}, {"title": ""}, {"licence": ""}, {"publisher": ""}, {"language": "English"}],
)
def test_a_version_says_what_it_is(wrong: dict[str, Any]) -> None:
    version = in_catalog()

    with connection.platform(), pytest.raises(IntegrityError), transaction.atomic():
        another(version, **wrong)


def test_a_number_is_given_once() -> None:
    version = in_catalog()

    with connection.platform():
        another(version)
        with (
            pytest.raises(IntegrityError, match="number_once_per_course"),
            transaction.atomic(),
        ):
            another(version)


def test_one_course_an_origin_and_one_withdrawal_a_version() -> None:
    version = in_catalog()

    with connection.platform():
        with pytest.raises(IntegrityError, match="once_per_origin"), transaction.atomic():
            CatalogCourse.objects.create(
                slug="x", origin=version.course.origin, source_slug=version.course.source_slug
            )
        with pytest.raises(IntegrityError, match="has_a_reason"), transaction.atomic():
            CatalogWithdrawal.objects.create(version=version, reason="")
        CatalogWithdrawal.objects.create(version=version, reason="Wrong.")
        with pytest.raises(IntegrityError), transaction.atomic():
            CatalogWithdrawal.objects.create(version=version, reason="Again.")
