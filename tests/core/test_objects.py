"""Objects in files and in a real S3 server: the same promises."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from apps.core import objects
from apps.core.objects import (
    SAFE_AGE,
    StoreUnavailable,
    delete_many,
    get_many,
    new_name,
    put_many,
    sweep,
)
from apps.core.tenancy import connection, tenant_context
from apps.organizations.models import Organization
from tests.database import ORG_A
from tests.object_store import BUCKET, S3Server, running_s3

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(params=["files", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    if request.param == "files":
        with override_settings(MEDIA_ROOT=tmp_path):
            yield
        return
    with override_settings(STORAGES=request.getfixturevalue("s3").storages()):
        yield


def everything(*names: str) -> Any:
    def named(asked: Collection[str]) -> set[str]:
        return set(names) & set(asked)

    return named


def made(at: datetime, number: int = 0) -> str:
    """Return the name of an object that was made at that moment."""
    milliseconds = int(at.timestamp() * 1000)
    key = UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | number)
    return f"area/{connection.schema_name}/{at:%Y-%m-%d}/{key}"


def test_new_name_carries_area_organisation_and_day() -> None:
    area, schema, day, key = new_name("ai").split("/")

    assert (area, schema) == ("ai", f"org_{ORG_A.hex}")
    made_at = datetime.fromtimestamp((UUID(key).int >> 80) / 1000, tz=UTC)
    assert day == f"{made_at:%Y-%m-%d}"
    assert abs(datetime.now(UTC) - made_at) < timedelta(minutes=1)


@pytest.mark.usefixtures("store")
def test_get_many_returns_what_was_put_and_none_for_what_is_not_there() -> None:
    names = [new_name("area") for _ in range(12)]

    put_many({name: name.encode() for name in names})

    missing = new_name("area")
    assert get_many([*names, missing]) == {**{n: n.encode() for n in names}, missing: None}


@pytest.mark.usefixtures("store")
def test_delete_many_removes_and_a_second_time_changes_nothing() -> None:
    kept, removed = (new_name("area") for _ in range(2))
    put_many({kept: b"kept", removed: b"removed"})

    delete_many([removed])
    delete_many([removed])

    assert get_many([kept, removed]) == {kept: b"kept", removed: None}


@pytest.mark.usefixtures("store")
def test_sweep_removes_old_objects_without_a_row_and_nothing_else(org_b: Organization) -> None:
    at = datetime.now(UTC)
    old = at - SAFE_AGE - timedelta(minutes=1)
    orphan, named, young = made(old, 1), made(old, 2), made(at - timedelta(hours=23), 3)
    with tenant_context(org_b):
        foreign = made(old, 4)
        put_many({foreign: b"x"})
    strange = f"area/{connection.schema_name}/{old:%Y-%m-%d}/notes.txt"
    put_many(dict.fromkeys((orphan, named, young, strange), b"x"))

    removed = sweep("area", named=everything(named), at=at)

    assert removed == [orphan]
    left = {
        name for name, data in get_many([orphan, named, young, foreign, strange]).items() if data
    }
    assert left == {named, young, foreign, strange}


@pytest.mark.usefixtures("store")
def test_sweep_of_an_empty_store_finds_nothing() -> None:
    assert sweep("nothing", named=everything(), at=datetime.now(UTC)) == []


def test_a_wrong_secret_is_refused_by_the_server(s3: S3Server) -> None:
    name = new_name("area")
    with override_settings(STORAGES=s3.storages()):
        put_many({name: b"mine"})
    with override_settings(STORAGES=s3.storages(secret="another")):
        with pytest.raises(StoreUnavailable) as refused:
            put_many({new_name("area"): b"forged"})
        with pytest.raises(StoreUnavailable):
            get_many([name])

    assert "SignatureDoesNotMatch" in str(refused.value.__cause__)
    assert s3.client().get_object(Bucket=BUCKET, Key=name)["Body"].read() == b"mine"


def test_a_server_that_is_gone_is_no_missing_object(s3: S3Server) -> None:
    gone = S3Server("http://127.0.0.1:9")
    with override_settings(STORAGES=gone.storages()), pytest.raises(StoreUnavailable):
        get_many([new_name("area")])


def test_a_disk_that_refuses_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "area").write_text("not a folder")
    with override_settings(MEDIA_ROOT=tmp_path), pytest.raises(StoreUnavailable):
        put_many({new_name("area"): b"x"})


def test_files_are_flushed_with_their_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    real = objects.os.fsync

    def watched(descriptor: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    monkeypatch.setattr("os.fsync", watched)
    with override_settings(MEDIA_ROOT=tmp_path):
        name = default_storage.save(f"{connection.schema_name}/file", ContentFile(b"x"))

    assert flushed == [str(tmp_path / name), str((tmp_path / name).parent)]
