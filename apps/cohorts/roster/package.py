"""The archive that a roster comes in: checked, and read by file name whatever the folder."""

from dataclasses import dataclass

from apps.core.archives import Archive, ArchiveLimits, UnsafeArchive, open_archive

MAX_MEMBERS = 100
MAX_MEMBER_BYTES = 50 * 1024 * 1024
MAX_TOTAL_BYTES = 100 * 1024 * 1024
# Rosters shrink twenty-fold; deflate's limit, which bombs aim for, is a thousand.
MAX_RATIO = 200

_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar", ".xlsx")


class UnsafePackageError(Exception):
    """The archive is broken, or nothing that a roster would come in."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Package:
    """The paths of the checked members by their lower-case file names, unpacked on demand."""

    archive: Archive
    members: dict[str, str]

    def names(self) -> list[str]:
        """Return the members' file names as they are written."""
        return sorted(_base(path) for path in self.members.values())

    def read(self, name: str) -> bytes:
        """Return the bytes of a member. Raises KeyError, UnsafePackageError."""
        path = self.members[name.lower()]
        try:
            data = self.archive.read(path)
        except UnsafeArchive as unsafe:
            raise UnsafePackageError(unsafe.code, unsafe.message) from unsafe
        if data.startswith(b"PK\x03\x04"):
            raise UnsafePackageError("nested-archive", f"{_base(path)} is an archive itself.")
        return data


def open_package(data: bytes) -> Package:
    """Return the archive in `data` after checking every member's record.

    Raises UnsafePackageError for what `open_archive` refuses, for nested archives and for two
    tables of one name.
    """
    limits = ArchiveLimits(
        members=MAX_MEMBERS,
        member_bytes=MAX_MEMBER_BYTES,
        total_bytes=MAX_TOTAL_BYTES,
        ratio=MAX_RATIO,
    )
    try:
        archive = open_archive(data, limits)
    except UnsafeArchive as unsafe:
        raise UnsafePackageError(unsafe.code, unsafe.message) from unsafe
    members: dict[str, str] = {}
    for path in archive.members:
        name = _base(path)
        if name.lower().endswith(_ARCHIVES):
            raise UnsafePackageError("nested-archive", f"{name} is an archive itself.")
        if members.setdefault(name.lower(), path) != path and name.lower().endswith(".csv"):
            raise UnsafePackageError("duplicate-member", f"The archive has more than one {name}.")
    return Package(archive, members)


def _base(path: str) -> str:
    return path.rsplit("/", 1)[-1]
