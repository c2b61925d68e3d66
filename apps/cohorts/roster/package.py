"""A zip archive that is looked at before anything in it is unpacked."""

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass

MAX_MEMBERS = 100
MAX_MEMBER_BYTES = 50 * 1024 * 1024
MAX_TOTAL_BYTES = 100 * 1024 * 1024
# Rosters shrink twenty-fold; deflate's limit, which bombs aim for, is a thousand.
MAX_RATIO = 200

_MAX_DIRECTORY_BYTES = 256 * 1024
_END_RECORD = struct.Struct("<4s4H2LH")
_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst", ".jar", ".xlsx")
_DRIVE = re.compile(r"[A-Za-z]:")
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class UnsafePackageError(Exception):
    """The archive is broken, or nothing that a roster would come in."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Package:
    """The checked members of an archive by their lower-case file names, unpacked on demand."""

    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    def names(self) -> list[str]:
        """Return the members' file names as they are written."""
        return sorted(_base(info) for info in self.members.values())

    def read(self, name: str) -> bytes:
        """Return the bytes of a member. Raises KeyError, UnsafePackageError."""
        info = self.members[name.lower()]
        try:
            with self.archive.open(info) as member:
                data = member.read()
        except _READ_ERRORS as error:
            message = f"{_base(info)} cannot be unpacked."
            raise UnsafePackageError("damaged-package", message) from error
        if len(data) != info.file_size:
            message = f"{_base(info)} is shorter than the archive says."
            raise UnsafePackageError("damaged-package", message)
        if data.startswith(b"PK\x03\x04"):
            raise UnsafePackageError("nested-archive", f"{_base(info)} is an archive itself.")
        return data


def open_package(data: bytes) -> Package:
    """Return the archive in `data` after checking every member's record.

    Raises UnsafePackageError for encrypted, nested, linked, oversized or too many members,
    paths that leave the archive, names given twice, and broken archives.
    """
    _check_directory_size(data)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _READ_ERRORS as error:
        raise UnsafePackageError("damaged-package", "The archive cannot be read.") from error
    # ZipInfo.is_dir() fails on a member without a name.
    infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(archive.infolist()) > MAX_MEMBERS:
        message = f"The archive has more than {MAX_MEMBERS} members."
        raise UnsafePackageError("too-many-members", message)
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        _check_path(info)
    for info in infos:
        _check_member(info)
        name = _base(info).lower()
        if members.setdefault(name, info) is not info and name.endswith(".csv"):
            message = f"The archive has more than one {_base(info)}."
            raise UnsafePackageError("duplicate-member", message)
    if sum(info.file_size for info in infos) > MAX_TOTAL_BYTES:
        message = f"The archive unpacks to more than {MAX_TOTAL_BYTES // 1024 // 1024} MB."
        raise UnsafePackageError("package-too-large", message)
    return Package(archive, members)


def _check_directory_size(data: bytes) -> None:
    """Refuse directories of a size that would already be costly to read."""
    # The end record lies at the very end, or before a comment of at most 64 kB.
    start = len(data) - _END_RECORD.size
    if start < 0 or data[start : start + 4] != b"PK\x05\x06" or data[-2:] != b"\0\0":
        start = data.rfind(b"PK\x05\x06", max(0, start - 0xFFFF))
    if start < 0 or start + _END_RECORD.size > len(data):
        raise UnsafePackageError("damaged-package", "The archive cannot be read.")
    _, _, _, _, _, size, _, _ = _END_RECORD.unpack_from(data, start)
    if data[max(0, start - 20) :].startswith(b"PK\x06\x07") or size > _MAX_DIRECTORY_BYTES:
        raise UnsafePackageError("too-many-members", "The archive's directory is too large.")


def _base(info: zipfile.ZipInfo) -> str:
    return info.filename.rsplit("/", 1)[-1]


def _check_path(info: zipfile.ZipInfo) -> None:
    name = info.orig_filename.replace("\\", "/")
    if (
        not name
        or name.startswith("/")
        or _DRIVE.match(name)
        or ".." in name.split("/")
        or "\0" in name
    ):
        message = f"The path {name[:60]!r} leads out of the archive or nowhere."
        raise UnsafePackageError("unsafe-path", message)


def _check_member(info: zipfile.ZipInfo) -> None:
    name = _base(info)
    if info.flag_bits & 0x1:
        raise UnsafePackageError("encrypted-member", f"{name} is encrypted.")
    if info.external_attr >> 16 & 0o170000 == 0o120000:
        raise UnsafePackageError("linked-member", f"{name} is a link.")
    if name.lower().endswith(_ARCHIVES):
        raise UnsafePackageError("nested-archive", f"{name} is an archive itself.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsafePackageError("unknown-compression", f"{name} is packed in an unusual way.")
    if info.file_size > MAX_MEMBER_BYTES:
        message = f"{name} unpacks to more than {MAX_MEMBER_BYTES // 1024 // 1024} MB."
        raise UnsafePackageError("member-too-large", message)
    if info.file_size > MAX_RATIO * max(info.compress_size, 1024):
        message = f"{name} unpacks to more than {MAX_RATIO} times its size."
        raise UnsafePackageError("suspicious-compression", message)
