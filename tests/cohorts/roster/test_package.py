import io
import itertools
import struct
import zipfile

import pytest

from apps.cohorts.roster import package as package_module
from apps.cohorts.roster.package import (
    MAX_MEMBERS,
    UnsafePackageError,
    open_package,
)
from tests.cohorts.roster.packages import package, zipped


def code_of(data: bytes) -> str:
    with pytest.raises(UnsafePackageError) as caught:
        open_package(data)
    return caught.value.code


def renamed(path: str) -> bytes:
    """An archive with one member at `path`, which zipfile itself would have tidied."""
    placeholder = "x" * len(path)
    return zipped({placeholder: "a"}).replace(placeholder.encode(), path.encode())


def with_entry(**fields: int) -> bytes:
    """An archive with one member whose record claims what `fields` say."""
    offsets = {
        "flags": (8, "<H"),
        "method": (10, "<H"),
        "size": (24, "<L"),
        "name": (28, "<H"),
        "comment": (32, "<H"),
        "attr": (38, "<L"),
    }
    data = bytearray(zipped({"users.csv": "a" * 5_000}))
    start = data.rindex(b"PK\x01\x02")
    for name, value in fields.items():
        offset, form = offsets[name]
        struct.pack_into(form, data, start + offset, value)
    return bytes(data)


def test_open_package_gives_members_by_lower_case_name() -> None:
    opened = open_package(zipped({"a/": "", "a/Users.CSV": "name", "readme.txt": "hello"}))

    assert opened.names() == ["Users.CSV", "readme.txt"]
    assert opened.read("users.csv") == b"name"


@pytest.mark.parametrize(
    "path",
    [
        "/etc/users.csv",
        "../users.csv",
        "a/../../users.csv",
        "C:\\users.csv",
        "..\\users.csv",
        "a\0b",
    ],
)
def test_open_package_refuses_paths_out_of_the_archive(path: str) -> None:
    assert code_of(renamed(path)) == "unsafe-path"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (with_entry(flags=0x1), "encrypted-member"),
        (with_entry(method=zipfile.ZIP_LZMA), "unknown-compression"),
        (with_entry(attr=0o120777 << 16), "linked-member"),
        (with_entry(size=51 * 1024 * 1024), "member-too-large"),
        (zipped({"users.csv": "a" * 10_000_000}), "suspicious-compression"),
        (zipped({"more.zip": "a"}), "nested-archive"),
        (zipped({f"{n}.csv": "" for n in range(MAX_MEMBERS + 1)}), "too-many-members"),
        (zipped({f"{n}": "" for n in range(9_000)}), "too-many-members"),
        (zipped({"a/users.csv": "", "USERS.csv": ""}), "duplicate-member"),
        (with_entry(name=0, comment=len("users.csv")), "unsafe-path"),
        (b"PK\x03\x04", "damaged-package"),
        (b"", "damaged-package"),
        (zipped({"users.csv": "a"})[:-30], "damaged-package"),
    ],
    ids=itertools.count(),  # archives tell the time: named by them, a test has two names
)
def test_open_package_refuses_before_unpacking(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_open_package_refuses_a_sum_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_module, "MAX_TOTAL_BYTES", 10)

    assert code_of(zipped({"a.csv": "123456", "b.csv": "123456"})) == "package-too-large"


def test_read_refuses_a_member_that_is_an_archive_by_its_bytes() -> None:
    opened = open_package(zipped({"users.csv": zipped({"users.csv": "a"})}))

    with pytest.raises(UnsafePackageError) as caught:
        opened.read("users.csv")

    assert caught.value.code == "nested-archive"


@pytest.mark.parametrize("size", [4_999, 5_001])
def test_read_refuses_a_member_of_another_size_than_it_claims(size: int) -> None:
    opened = open_package(with_entry(size=size))

    with pytest.raises(UnsafePackageError) as caught:
        opened.read("users.csv")

    assert caught.value.code == "damaged-package"


def test_open_package_reads_an_archive_with_a_comment() -> None:
    buffer = io.BytesIO(package())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"made by the school"

    assert "users.csv" in open_package(buffer.getvalue()).members
