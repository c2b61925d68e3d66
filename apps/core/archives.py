"""A zip archive from outside, looked at before anything in it is unpacked."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass

_END_RECORD = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT = 0xFFFF
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


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much of an archive is unpacked: counts, bytes, and bytes for each packed one."""

    members: int
    member_bytes: int
    total_bytes: int
    ratio: int
    directory_bytes: int = 256 * 1024


class UnsafeArchive(Exception):
    """The archive is broken, or nothing that an honest sender would send.

    `member` is the path at fault, or empty for the archive as a whole.
    """

    def __init__(self, code: str, message: str, *, member: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.member = member


@dataclass(frozen=True, slots=True)
class Archive:
    """The checked members of an archive by their paths, folders left out; unpacked on demand."""

    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    def read(self, path: str) -> bytes:
        """Return the bytes of a member. Raises KeyError, UnsafeArchive."""
        info = self.members[path]
        try:
            with self.archive.open(info) as member:
                data = member.read()
        except _READ_ERRORS as error:
            message = f"{shown(path)} cannot be unpacked."
            raise UnsafeArchive("damaged-package", message, member=path) from error
        if len(data) != info.file_size:
            message = f"{shown(path)} is shorter than the archive says."
            raise UnsafeArchive("damaged-package", message, member=path)
        return data


def open_archive(data: bytes, limits: ArchiveLimits) -> Archive:
    """Return the archive in `data` after checking every member's record.

    Raises UnsafeArchive for encrypted, linked, oversized or too many members, suspicious
    compression, paths that leave the archive or stand there twice, and broken archives.
    """
    _check_directory(data, limits)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _READ_ERRORS as error:
        raise UnsafeArchive("damaged-package", "The archive cannot be read.") from error
    infos = archive.infolist()
    if len(infos) > limits.members:
        message = f"The archive has more than {limits.members} members."
        raise UnsafeArchive("too-many-members", message)
    for info in infos:
        _check_path(info)
    members: dict[str, zipfile.ZipInfo] = {}
    # ZipInfo.is_dir() fails on a member without a name.
    for info in (info for info in infos if not info.filename.endswith("/")):
        _check_member(info, limits)
        if members.setdefault(info.filename, info) is not info:
            message = f"The archive has more than one {shown(info.filename)}."
            raise UnsafeArchive("duplicate-member", message, member=info.filename)
    if sum(info.file_size for info in members.values()) > limits.total_bytes:
        message = f"The archive unpacks to more than {_megabytes(limits.total_bytes)}."
        raise UnsafeArchive("package-too-large", message)
    return Archive(archive, members)


def shown(path: str) -> str:
    """Return a path from outside as a message can carry it: printable, and not too long."""
    text = path if path.isprintable() else repr(path)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _check_directory(data: bytes, limits: ArchiveLimits) -> None:
    """Refuse directories of a size that would already be costly to read."""
    # The end record lies at the very end, or before a comment.
    start = len(data) - _END_RECORD.size
    if start < 0 or data[start : start + 4] != b"PK\x05\x06" or data[-2:] != b"\0\0":
        start = data.rfind(b"PK\x05\x06", max(0, start - _LONGEST_COMMENT))
    if start < 0 or start + _END_RECORD.size > len(data):
        raise UnsafeArchive("damaged-package", "The archive cannot be read.")
    _, _, _, _, _, size, _, _ = _END_RECORD.unpack_from(data, start)
    if data[max(0, start - 20) :].startswith(b"PK\x06\x07") or size > limits.directory_bytes:
        raise UnsafeArchive("too-many-members", "The archive's directory is too large.")


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
        raise UnsafeArchive("unsafe-path", message, member=name)


def _check_member(info: zipfile.ZipInfo, limits: ArchiveLimits) -> None:
    path, name = info.filename, shown(info.filename)
    if info.flag_bits & 0x1:
        raise UnsafeArchive("encrypted-member", f"{name} is encrypted.", member=path)
    if info.external_attr >> 16 & 0o170000 == 0o120000:
        raise UnsafeArchive("linked-member", f"{name} is a link.", member=path)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        message = f"{name} is packed in an unusual way."
        raise UnsafeArchive("unknown-compression", message, member=path)
    if info.file_size > limits.member_bytes:
        message = f"{name} unpacks to more than {_megabytes(limits.member_bytes)}."
        raise UnsafeArchive("member-too-large", message, member=path)
    if info.file_size > limits.ratio * max(info.compress_size, 1024):
        message = f"{name} unpacks to more than {limits.ratio} times its size."
        raise UnsafeArchive("suspicious-compression", message, member=path)


def _megabytes(size: int) -> str:
    return f"{size // 1024 // 1024} MB"
