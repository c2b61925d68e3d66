"""Archives from outside are looked at before anything in them is unpacked."""

from __future__ import annotations

import io
import zipfile

import pytest

from apps.core.archives import ArchiveLimits, UnsafeArchive, open_archive

LIMITS = ArchiveLimits(members=3, member_bytes=5_000_000, total_bytes=6_000_000, ratio=100)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return buffer.getvalue()


def refusal(data: bytes, limits: ArchiveLimits = LIMITS) -> tuple[str, str]:
    with pytest.raises(UnsafeArchive) as caught:
        open_archive(data, limits)
    return caught.value.code, caught.value.member


def test_open_archive_gives_members_by_their_paths() -> None:
    opened = open_archive(zipped({"a/": b"", "a/b.txt": b"1", "b.txt": b"2"}), LIMITS)

    assert list(opened.members) == ["a/b.txt", "b.txt"]
    assert opened.read("a/b.txt") == b"1"


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        ({f"{n}": b"" for n in range(4)}, ("too-many-members", "")),
        ({"a": b"x" * 5_000_001}, ("member-too-large", "a")),
        ({"a": bytes(1_000_000)}, ("suspicious-compression", "a")),
        ({"../a": b""}, ("unsafe-path", "../a")),
    ],
)
def test_open_archive_names_the_member_at_fault(
    files: dict[str, bytes], refused: tuple[str, str]
) -> None:
    assert refusal(zipped(files)) == refused


def test_open_archive_refuses_a_sum_that_is_too_large() -> None:
    limits = ArchiveLimits(members=3, member_bytes=10, total_bytes=15, ratio=100)

    assert refusal(zipped({"a": b"x" * 10, "b": b"y" * 10}), limits) == ("package-too-large", "")


def test_open_archive_refuses_a_path_that_stands_there_twice() -> None:
    data = zipped({"a.json": b"{}", "b.json": b"[]"}).replace(b"b.json", b"a.json")

    assert refusal(data) == ("duplicate-member", "a.json")


def test_open_archive_refuses_a_directory_that_would_be_costly_to_read() -> None:
    limits = ArchiveLimits(
        members=10_000, member_bytes=10, total_bytes=10, ratio=1, directory_bytes=1_000
    )

    assert refusal(zipped({f"{n:050}": b"" for n in range(50)}), limits) == ("too-many-members", "")
