"""The object store counts what an organisation keeps, and refuses what its plan does not hold."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.test.utils import CaptureQueriesContext

from apps.core.models import StorageUsage, StoredObject
from apps.core.tenancy import connection, tenant_context
from apps.organizations.limits import PlanLimitReached
from apps.organizations.models import Organization
from tests.cohorts.threads import at_once
from tests.organizations.test_limits import allow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def store(name: str, size: int) -> str:
    path = f"things/{connection.schema_name}/{name}"
    return default_storage.save(path, ContentFile(b"x" * size))


def ledger() -> dict[str, tuple[int, bool]]:
    """Return the last part of each name -> bytes and whether it is still kept."""
    return {
        row.name.rpartition("/")[2]: (row.bytes, row.removed_at is None)
        for row in StoredObject.objects.order_by("id")
    }


def total() -> int:
    return sum(StorageUsage.objects.values_list("bytes", flat=True))


def test_save_and_delete_keep_the_ledger_and_its_sum() -> None:
    first, _second = store("one", 10), store("two", 20)
    taken = total()

    default_storage.delete(first)
    default_storage.delete(first)

    assert (taken, total()) == (30, 20)
    assert ledger() == {"one": (10, False), "two": (20, True)}
    assert not default_storage.exists(first)


def test_save_is_refused_beyond_the_plan_and_leaves_nothing() -> None:
    allow("storage", 25)
    store("one", 20)

    with pytest.raises(PlanLimitReached) as told:
        store("two", 6)

    assert told.value.extensions == {
        "limit": "storage",
        "allowed": 25,
        "used": 20,
        "plan": "free",
    }
    assert (total(), list(ledger())) == (20, ["one"])
    folder = f"things/{connection.schema_name}"
    assert default_storage.listdir(folder) == ([], ["one"])
    assert store("three", 5)


def test_save_taken_back_with_its_transaction_counts_nothing() -> None:
    with transaction.atomic():
        store("one", 20)
        transaction.set_rollback(True)

    assert (total(), ledger()) == (0, {})


@pytest.mark.parametrize("name", ["things/one", "things/org_0123/one", "one"])
def test_save_refuses_a_name_outside_the_organisations_folders(name: str) -> None:
    with pytest.raises(SuspiciousFileOperation):
        default_storage.save(name, ContentFile(b"x"))


def test_what_the_platform_stores_is_not_counted() -> None:
    with connection.platform():
        name = default_storage.save("packages/one", ContentFile(b"x"))
        default_storage.delete(name)

    assert (total(), ledger()) == (0, {})


def test_organisations_are_counted_apart(org_b: Organization) -> None:
    store("one", 10)
    with tenant_context(org_b):
        store("one", 99)
        in_b = total()

    assert (total(), in_b) == (10, 99)


def test_eight_uploads_at_once_never_exceed_the_plan(own_database: str) -> None:
    allow("storage", 35)

    found = at_once(*(partial(store, f"file{n}", 10) for n in range(8)))

    assert Counter(type(one) for one in found) == {str: 3, PlanLimitReached: 5}
    assert (total(), len(ledger())) == (30, 3)


def test_the_database_refuses_a_second_sum_and_a_negative_one() -> None:
    store("one", 10)

    for statement in (
        "INSERT INTO storage_usage (id, bytes) VALUES (gen_random_uuid(), 0)",
        "UPDATE storage_usage SET bytes = -1",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            connection.cursor().execute(statement)


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE stored_objects SET bytes = 0",
        "DELETE FROM stored_objects",
        "DELETE FROM storage_usage",
        "UPDATE storage_usage SET id = gen_random_uuid()",
    ],
)
def test_the_ledger_is_not_rewritten(forbidden: str) -> None:
    store("one", 10)

    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        connection.cursor().execute(forbidden)


def put(*names: str, size: int = 10) -> None:
    folder = f"things/{connection.schema_name}"
    default_storage.save_many({f"{folder}/{name}": b"x" * size for name in names})


def test_save_many_and_delete_many_are_charged_at_once() -> None:
    put("one", "two", "three")
    with CaptureQueriesContext(connection) as statements:
        put(*(f"more{n}" for n in range(20)))
    with CaptureQueriesContext(connection) as one_alone:
        put("alone")
    default_storage.delete_many([f"things/{connection.schema_name}/{n}" for n in ("one", "two")])

    assert (total(), len(statements)) == (220, len(one_alone))
    assert [name for name, (_bytes, is_kept) in ledger().items() if not is_kept] == ["one", "two"]


def test_save_many_beyond_the_plan_keeps_none_of_them() -> None:
    allow("storage", 35)
    put("one", "two")

    with pytest.raises(PlanLimitReached):
        put("three", "four")

    assert (total(), list(ledger())) == (20, ["one", "two"])
    assert default_storage.listdir(f"things/{connection.schema_name}") == ([], ["one", "two"])


def test_save_many_refuses_a_name_outside_the_organisations_folders() -> None:
    with pytest.raises(SuspiciousFileOperation):
        default_storage.save_many({"things/one": b"x"})
