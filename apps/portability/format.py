"""A package as bytes: a zip of canonical JSON and Markdown files, the same for the same content."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

from rest_framework.exceptions import ParseError

from apps.core.archives import ArchiveLimits, UnsafeArchive, open_archive, shown
from apps.core.parsers import strict_json
from apps.portability.canonical import in_order
from apps.portability.codec import as_json, canonical_bytes, from_json
from apps.portability.content import KINDS, Course, PackageContent, Part, path_of
from apps.portability.faults import MOST_TOLD, Fault, refused
from apps.portability.references import reference_faults
from apps.portability.row_checks import row_faults
from apps.portability.schema import pointer, schema_faults
from apps.portability.vocabulary import FOLDERS, PackageKind, PartKind

FORMAT: Final = "assay-package"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
MEDIA_TYPE: Final = "application/zip"

MAX_BYTES: Final = 20 * 1024 * 1024
LIMITS: Final = ArchiveLimits(
    members=5_000,
    member_bytes=8 * 1024 * 1024,
    total_bytes=32 * 1024 * 1024,
    ratio=100,
    directory_bytes=1024 * 1024,
)
# JSON values in all files together, counted by the signs between them before anything is parsed.
MAX_VALUES: Final = 500_000

# Nothing of a file's past on some disk gets into the archive, and nothing of the packer: members
# are stored, because deflate may pack the same bytes differently on another machine.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE: Final = 0o100644 << 16
_UNIX: Final = 3
_TYPES: Final[Mapping[str, type[Part]]] = {FOLDERS[kind]: type_ for type_, kind in KINDS.items()}


@dataclass(frozen=True)
class Package:
    """What was read from, or is written to, a file. The digest is that of the content."""

    content: PackageContent
    digest: str


def pack(content: PackageContent) -> bytes:
    """Return the package's bytes: equal content gives equal bytes, on every machine."""
    files = files_of(in_order(content))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in files.items():
            member = zipfile.ZipInfo(path, date_time=_EPOCH)
            member.create_system, member.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(member, data)
    return buffer.getvalue()


def files_of(content: PackageContent) -> dict[str, bytes]:
    """Return path -> bytes of everything in the package: the manifest, then the files in order."""
    files: dict[str, bytes] = {}
    for part in content.parts():
        files |= _part_files(part)
    listed = {
        path: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in files.items()
    }
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "kind": content.kind.value,
        "root": path_of(content.root_part),
        "files": listed,
    }
    return {MANIFEST: canonical_bytes(manifest), **{path: files[path] for path in sorted(files)}}


def _part_files(part: Part) -> dict[str, bytes]:
    """Return the part's JSON file, and the texts of a course's items."""
    told = as_json(part)
    texts: dict[str, bytes] = {}
    if isinstance(part, Course):
        for module in told["content"]["modules"]:
            for item in module["items"]:
                text = item.pop("body_markdown")
                item["body"] = _text_path(part.slug, item["key"]) if text else None
                if text:
                    texts[item["body"]] = text.encode()
    return {path_of(part): canonical_bytes(told), **texts}


def _text_path(course: str, key: str) -> str:
    return f"{FOLDERS[PartKind.COURSE]}/{course}/{key}.md"


def digest_of(manifest: bytes) -> str:
    """Return what identifies a package's content: the manifest names every file's digest."""
    return hashlib.sha256(manifest).hexdigest()


def unpack(data: bytes) -> Package:
    """Return what a package says, in canonical order, after checking everything about it.

    Raises PackageRefused with every fault of the first stage that found one: the archive, the
    manifest, the files' digests, their schemas, their references and values.
    """
    if len(data) > MAX_BYTES:
        message = f"A package may have {MAX_BYTES // 1024**2} MB."
        raise refused([Fault("", "", "package-too-large", message)])
    try:
        archive = open_archive(data, LIMITS)
        files = {path: archive.read(path) for path in archive.members}
    except UnsafeArchive as unsafe:
        fault = Fault(shown(unsafe.member), "", unsafe.code, unsafe.message)
        raise refused([fault]) from unsafe
    manifest = _manifest(files)
    listed = manifest["files"]
    _demand(_listing_faults(files, listed))
    parts = _parts({path: files[path] for path in listed})
    kind, root = PackageKind(manifest["kind"]), manifest["root"]
    content = _content(kind, root, parts)
    _demand(reference_faults(content))
    _demand(islice(row_faults(content), MOST_TOLD))
    return Package(in_order(content), digest_of(canonical_bytes(manifest)))


def _demand(faults: Iterator[Fault] | list[Fault]) -> None:
    found = list(faults)
    if found:
        raise refused(found)


def _manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    if MANIFEST not in files:
        message = f"The archive holds no {MANIFEST}: it is no package of this platform."
        raise refused([Fault(MANIFEST, "", "no-manifest", message)])
    _demand(_size_faults(files))
    manifest = _parsed(MANIFEST, files[MANIFEST])
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        message = f"This is no package of this platform: its format is not “{FORMAT}”."
        raise refused([Fault(MANIFEST, "/format", "unknown-format", message)])
    version = manifest.get("version")
    if version != VERSION or isinstance(version, bool):
        message = f"Version {shown(str(version))} of the format is not known here, only {VERSION}."
        raise refused([Fault(MANIFEST, "/version", "unknown-version", message)])
    _demand(schema_faults("manifest", manifest, file=MANIFEST))
    return manifest


def _size_faults(files: Mapping[str, bytes]) -> Iterator[Fault]:
    """Refuse what would be slow to parse, before parsing it."""
    values = sum(
        data.count(b",") + data.count(b"[") + data.count(b"{")
        for path, data in files.items()
        if path.endswith(".json")
    )
    if values > MAX_VALUES:
        message = f"The files hold more than {MAX_VALUES} values."
        yield Fault("", "", "too-many-values", message)


def _listing_faults(files: Mapping[str, bytes], listed: Mapping[str, Any]) -> Iterator[Fault]:
    """Compare what is in the archive with what the manifest says is in it."""
    for path in sorted(set(files) - set(listed) - {MANIFEST}):
        yield Fault(shown(path), "", "undeclared-file", "The manifest does not list this file.")
    for path, told in listed.items():
        if path not in files:
            yield Fault(path, "", "missing-file", "The manifest lists it, but it is not there.")
        elif len(files[path]) != told["bytes"]:
            message = f"It has {len(files[path])} bytes, the manifest says {told['bytes']}."
            yield Fault(path, "", "wrong-size", message)
        elif hashlib.sha256(files[path]).hexdigest() != told["sha256"]:
            yield Fault(path, "", "wrong-digest", "It is not what the manifest's digest is of.")


def _parsed(path: str, data: bytes) -> Any:
    try:
        return strict_json(data)
    except ParseError as error:
        raise refused([Fault(path, "", "not-json", str(error.detail))]) from error


def _parts(files: Mapping[str, bytes]) -> list[Part]:
    """Return the parts that the files spell; every text belongs to exactly one item."""
    told: dict[str, Any] = {}
    faults: list[Fault] = []
    for path, data in files.items():
        folder, _, name = path.partition("/")
        if not path.endswith(".json"):
            continue
        if folder not in _TYPES or "/" in name:
            message = "No part of a package stands in such a file."
            faults.append(Fault(path, "", "unknown-file", message))
            continue
        told[path] = _parsed(path, data)
        kind = KINDS[_TYPES[folder]]
        faults += schema_faults(kind.value, told[path], file=path)
    _demand(faults)
    for path, value in told.items():
        if path.partition("/")[2] != f"{value['slug']}.json":
            message = f"The file is not named after what it tells: “{value['slug']}”."
            faults.append(Fault(path, "/slug", "wrong-name", message))
    texts = {path: data for path, data in files.items() if path.endswith(".md")}
    for path, value in told.items():
        if path.startswith(f"{FOLDERS[PartKind.COURSE]}/"):
            faults += _put_in_texts(path, value, texts)
    for path in texts:
        faults.append(Fault(path, "", "unreferenced", "No item of a course has this text."))
    _demand(faults)
    return [
        cast(Part, from_json(_TYPES[path.partition("/")[0]], value)) for path, value in told.items()
    ]


def _put_in_texts(file: str, course: dict[str, Any], texts: dict[str, bytes]) -> Iterator[Fault]:
    """Take the texts of the course's items out of `texts` into the items."""
    for number, module in enumerate(course.get("content", {}).get("modules", [])):
        for place, item in enumerate(module.get("items", [])):
            path = item.pop("body", None)
            if path is None:
                continue
            where = pointer("content", "modules", number, "items", place, "body")
            expected = _text_path(course["slug"], item["key"])
            if path != expected:
                message = f"The text of this item stands in {expected}."
                yield Fault(file, where, "wrong-path", message)
            elif path not in texts:
                yield Fault(file, where, "missing-file", "This text is not in the package.")
            else:
                text = texts.pop(path)
                try:
                    item["body_markdown"] = text.decode()
                except UnicodeDecodeError as error:
                    message = f"Not UTF-8 at byte {error.start}."
                    yield Fault(path, "", "not-utf-8", message)
                if b"\0" in text:
                    yield Fault(path, "", "nul", "NUL characters are not allowed.")


def _content(kind: PackageKind, root: str, parts: list[Part]) -> PackageContent:
    """Return the parts as one package. Raises PackageRefused when its subject is missing."""
    of: dict[PartKind, list[Any]] = {one: [] for one in PartKind}
    for part in parts:
        of[KINDS[type(part)]].append(part)
    content = PackageContent(
        kind=kind,
        root=root.rpartition("/")[2].removesuffix(".json"),
        courses=tuple(of[PartKind.COURSE]),
        assessments=tuple(of[PartKind.ASSESSMENT]),
        banks=tuple(of[PartKind.BANK]),
        programs=tuple(of[PartKind.PROGRAM]),
        requirement_sets=tuple(of[PartKind.REQUIREMENT_SET]),
        certifications=tuple(of[PartKind.CERTIFICATION]),
    )
    if not root.startswith(f"{FOLDERS[PartKind(kind.value)]}/") or root not in {
        path_of(part) for part in parts
    }:
        message = f"The package is about a {kind.value}, but {root} is not one of its files."
        raise refused([Fault(MANIFEST, "/root", "no-root", message)])
    return content
