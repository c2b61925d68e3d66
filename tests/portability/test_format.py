"""The bytes of packages: the same for the same content, and nothing hostile gets in."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import time
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args, get_type_hints

import pytest
from django.apps import apps
from hypothesis import given, settings

from apps.core.models import VersionChild
from apps.portability import format as package_format
from apps.portability.canonical import in_order
from apps.portability.codec import as_json, canonical_bytes, from_json, required_fields
from apps.portability.content import (
    KINDS,
    Course,
    Module,
    PackageContent,
    Placement,
)
from apps.portability.faults import PackageRefused
from apps.portability.format import MANIFEST, pack, unpack
from apps.portability.row_checks import MODELS, plain_fields
from apps.portability.schema import FOLDER, schema
from apps.portability.vocabulary import PackageKind, PartKind
from tests.portability.contents import (
    BANK,
    CERTIFYING,
    EXAM,
    FIRST_AID,
    ONE_COURSE,
    PROGRESSION,
    QUIZ,
    WHOLE,
    packages,
    with_course,
    with_item,
)


def files_in(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def listing(files: dict[str, bytes], **manifest: Any) -> dict[str, bytes]:
    """Return the files with a manifest that is right about them, but for what is given."""
    others = {name: data for name, data in files.items() if name != MANIFEST}
    told = {
        "format": "assay-package",
        "version": 1,
        "kind": "course",
        "root": "courses/first-aid.json",
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in others.items()
        },
        **manifest,
    }
    return {MANIFEST: canonical_bytes(told), **others}


def changed(change: Callable[[dict[str, bytes]], Any]) -> bytes:
    """Return the sample course's package after a change of its files, listed as they are."""
    files = files_in(pack(ONE_COURSE))
    change(files)
    return zipped(listing(files))


def with_json(path: str, change: Callable[[Any], Any]) -> bytes:
    """Return the sample course's package after a change of one of its JSON files."""

    def rewrite(files: dict[str, bytes]) -> None:
        value = json.loads(files[path])
        change(value)
        files[path] = canonical_bytes(value)

    return changed(rewrite)


def problems_of(data: bytes) -> list[tuple[str, str]]:
    """Return (place, code) of everything a package is refused for, which takes no second."""
    began = time.process_time()
    with pytest.raises(PackageRefused) as caught:
        unpack(data)
    assert time.process_time() - began < 1
    return [(error["field"], error["code"]) for error in caught.value.errors]


@pytest.mark.parametrize("content", [WHOLE, ONE_COURSE], ids=["program", "course"])
def test_unpack_gives_what_was_packed(content: PackageContent) -> None:
    data = pack(content)

    assert unpack(data).content == in_order(content)
    assert pack(unpack(data).content) == data


@settings(max_examples=30, deadline=None)
@given(content=packages())
def test_unpack_gives_any_content_that_was_packed(content: PackageContent) -> None:
    assert unpack(pack(content)).content == in_order(content)


def test_pack_gives_the_same_bytes_everywhere() -> None:
    assert hashlib.sha256(pack(WHOLE)).hexdigest() == (
        "caa369224f2fb74da0ea8b6685634f00e094b84e86e1ed6913470c38370a87d1"
    ), "the format changed: readers of version 1 must still understand what is written"


def test_pack_does_not_depend_on_the_order_in_which_content_was_found() -> None:
    turned = replace(
        WHOLE,
        courses=WHOLE.courses[::-1],
        assessments=WHOLE.assessments[::-1],
        requirement_sets=WHOLE.requirement_sets[::-1],
    )
    modules = tuple(
        replace(module, items=module.items[::-1]) for module in FIRST_AID.content.modules[::-1]
    )
    turned = with_course(
        turned, replace(FIRST_AID, content=replace(FIRST_AID.content, modules=modules))
    )

    assert pack(turned) == pack(WHOLE)


def test_a_package_that_was_packed_again_is_the_same_package() -> None:
    data = pack(ONE_COURSE)
    files = dict(reversed(files_in(data).items()))
    pretty = json.dumps(json.loads(files[MANIFEST]), indent=8).encode()

    again = unpack(zipped(files | {MANIFEST: pretty}, zipfile.ZIP_DEFLATED))

    assert again == unpack(data)


def test_a_text_of_an_item_is_a_file_with_the_same_bytes() -> None:
    files = files_in(pack(ONE_COURSE))

    text = FIRST_AID.content.modules[0].items[0].body_markdown
    assert files["courses/first-aid/welcome.md"] == text.encode()


# --- Hostile and broken archives -----------------------------------------------------------------


def renamed(path: str) -> bytes:
    placeholder = "x" * len(path)
    return zipped({placeholder: b"a"}).replace(placeholder.encode(), path.encode())


def with_entry(**values: int) -> bytes:
    """Return an archive whose first member's record claims what is given."""
    offsets = {"flags": (8, "<H"), "method": (10, "<H"), "size": (24, "<L"), "attr": (38, "<L")}
    data = bytearray(zipped({"courses/first-aid.json": b"a" * 5_000}, zipfile.ZIP_DEFLATED))
    start = data.rindex(b"PK\x01\x02")
    for name, value in values.items():
        offset, form = offsets[name]
        struct.pack_into(form, data, start + offset, value)
    return bytes(data)


def twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("courses/a.json", "{}")
        archive.writestr("courses/b.json", "[]")
    return buffer.getvalue().replace(b"courses/b.json", b"courses/a.json")


@pytest.mark.parametrize(
    ("data", "place", "code"),
    [
        (lambda: b"", "", "damaged-package"),
        (lambda: b"%PDF-1.7 no archive at all", "", "damaged-package"),
        (lambda: pack(ONE_COURSE)[:-40], "", "damaged-package"),
        (lambda: b"x" * (package_format.MAX_BYTES + 1), "", "package-too-large"),
        (lambda: renamed("../../etc/cron.d/x"), "../../etc/cron.d/x", "unsafe-path"),
        (lambda: renamed("/etc/passwd"), "/etc/passwd", "unsafe-path"),
        (lambda: renamed("..\\x.json"), "../x.json", "unsafe-path"),
        (lambda: with_entry(attr=0o120777 << 16), "courses/first-aid.json", "linked-member"),
        (lambda: with_entry(flags=1), "courses/first-aid.json", "encrypted-member"),
        (lambda: with_entry(method=14), "courses/first-aid.json", "unknown-compression"),
        (lambda: with_entry(size=5_001), "courses/first-aid.json", "damaged-package"),
        (lambda: with_entry(size=2**31), "courses/first-aid.json", "member-too-large"),
        (
            lambda: zipped({"courses/a.json": b"[" * 8_000_000}, zipfile.ZIP_DEFLATED),
            "courses/a.json",
            "suspicious-compression",
        ),
        (
            lambda: zipped({f"courses/{n}.json": bytes(7_000_000) for n in range(2)}) + b"",
            "manifest.json",
            "no-manifest",
        ),
        (lambda: zipped({f"courses/c{n}.json": b"" for n in range(5_001)}), "", "too-many-members"),
        (twice, "courses/a.json", "duplicate-member"),
        (lambda: zipped({"courses/first-aid.json": b"{}"}), "manifest.json", "no-manifest"),
    ],
)
def test_unpack_refuses_a_hostile_archive(data: Callable[[], bytes], place: str, code: str) -> None:
    assert problems_of(data()) == [(place, code)]


def test_unpack_refuses_a_bomb_that_stays_below_every_single_limit() -> None:
    noise = hashlib.shake_128(b"noise").digest(7_900_000)
    small = {f"courses/c{n}.json": noise for n in range(5)}
    archive = zipped(small)

    assert len(archive) > package_format.MAX_BYTES
    assert problems_of(archive) == [("", "package-too-large")]
    # Each copy refers to the same packed bytes: small to send, large to unpack.
    packed = zipped({"courses/a.json": noise[:500_000] + bytes(7_000_000)}, zipfile.ZIP_DEFLATED)
    assert problems_of(overlapping(packed, 12)) == [("", "package-too-large")]


def overlapping(data: bytes, times: int) -> bytes:
    """Return an archive of one member whose directory lists it many times, by other names."""
    end = data.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<L", data, end + 16)[0]
    entry = data[start:end]
    entries = b"".join(
        entry.replace(b"courses/a.json", f"courses/{chr(97 + n)}.json".encode())
        for n in range(times)
    )
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, times, times, len(entries), start, 0)
    return data[:start] + entries + record


# --- Broken packages -----------------------------------------------------------------------------

COURSE_FILE = "courses/first-aid.json"
QUIZ_FILE = "assessments/quiz.json"
BANK_FILE = "banks/europe.json"
TEXT_FILE = "courses/first-aid/welcome.md"
ITEMS = "/content/modules/0/items"


def manifest(**values: Any) -> bytes:
    return zipped(listing(files_in(pack(ONE_COURSE)), **values))


def first_item(change: Callable[[dict[str, Any]], Any]) -> bytes:
    return with_json(COURSE_FILE, lambda c: change(c["content"]["modules"][0]["items"][0]))


def tampered() -> bytes:
    files = files_in(pack(ONE_COURSE))
    files[TEXT_FILE] = b"#" + files[TEXT_FILE][1:].replace(b"Hello", b"Jello")
    return zipped(files)


def swollen() -> bytes:
    files = files_in(pack(ONE_COURSE))
    files[TEXT_FILE] += b"!"
    return zipped(files)


@pytest.mark.parametrize(
    ("data", "place", "code"),
    [
        (lambda: manifest(format="zip"), "manifest.json#/format", "unknown-format"),
        (lambda: manifest(version=2), "manifest.json#/version", "unknown-version"),
        (lambda: manifest(version=True), "manifest.json#/version", "unknown-version"),
        (lambda: manifest(version="1"), "manifest.json#/version", "unknown-version"),
        (lambda: manifest(kind="bank"), "manifest.json#/kind", "schema"),
        (lambda: manifest(author="me"), "manifest.json", "schema"),
        (lambda: manifest(root="courses/other.json"), "manifest.json#/root", "no-root"),
        (lambda: manifest(kind="program"), "manifest.json#/root", "no-root"),
        (lambda: zipped({MANIFEST: b"{"}), "manifest.json", "not-json"),
        (lambda: zipped({MANIFEST: b"[]"}), "manifest.json#/format", "unknown-format"),
        (tampered, TEXT_FILE, "wrong-digest"),
        (swollen, TEXT_FILE, "wrong-size"),
        (
            lambda: zipped(files_in(pack(ONE_COURSE)) | {"notes.txt": b"hidden"}),
            "notes.txt",
            "undeclared-file",
        ),
        (
            lambda: zipped({n: d for n, d in files_in(pack(ONE_COURSE)).items() if n != TEXT_FILE}),
            TEXT_FILE,
            "missing-file",
        ),
        (
            lambda: changed(lambda files: files.update({"courses/first-aid/more.md": b"More"})),
            "courses/first-aid/more.md",
            "unreferenced",
        ),
        (
            lambda: changed(lambda files: files.update({"lessons/x.json": b"{}"})),
            "lessons/x.json",
            "unknown-file",
        ),
        (lambda: changed(lambda files: files.update({QUIZ_FILE: b"{"})), QUIZ_FILE, "not-json"),
        (
            lambda: changed(lambda files: files.update({QUIZ_FILE: b'{"slug": 1, "slug": 2}'})),
            QUIZ_FILE,
            "not-json",
        ),
        (
            lambda: changed(lambda files: files.update({QUIZ_FILE: b"[" * 100_000})),
            QUIZ_FILE,
            "not-json",
        ),
        (
            lambda: changed(lambda files: files.update({QUIZ_FILE: b"[" + b"0," * 600_000})),
            "",
            "too-many-values",
        ),
        (
            lambda: changed(lambda files: files.update({QUIZ_FILE: b'"\\ud800"'})),
            QUIZ_FILE,
            "not-json",
        ),
        (
            lambda: changed(lambda files: files.update({TEXT_FILE: b"\xff\xfe"})),
            TEXT_FILE,
            "not-utf-8",
        ),
        (lambda: changed(lambda files: files.update({TEXT_FILE: b"a\0b"})), TEXT_FILE, "nul"),
        (
            lambda: with_json(COURSE_FILE, lambda c: c.update(slug="other")),
            f"{COURSE_FILE}#/slug",
            "wrong-name",
        ),
        (
            lambda: with_json(COURSE_FILE, lambda c: c.update(id=str(1))),
            COURSE_FILE,
            "schema",
        ),
        (
            lambda: with_json(COURSE_FILE, lambda c: c.update(title="x" * 201)),
            f"{COURSE_FILE}#/title",
            "schema",
        ),
        (
            lambda: first_item(lambda item: item.update(body="courses/first-aid/rules.md")),
            f"{COURSE_FILE}#{ITEMS}/0/body",
            "wrong-path",
        ),
        (
            lambda: first_item(lambda item: item.update(type="film")),
            f"{COURSE_FILE}#{ITEMS}/0/type",
            "schema",
        ),
        (
            lambda: first_item(lambda item: item.update(url="javascript:alert(1)")),
            f"{COURSE_FILE}#{ITEMS}/0/url",
            "not-a-web-address",
        ),
        (
            lambda: with_json(QUIZ_FILE, lambda a: a.update(scoring_model="luck")),
            f"{QUIZ_FILE}#/scoring_model",
            "invalid-choice",
        ),
        (
            lambda: with_json(
                QUIZ_FILE, lambda a: a["editions"][0]["content"].update(pass_percent="101")
            ),
            f"{QUIZ_FILE}#/editions/0/content/pass_percent",
            "max-value",
        ),
        (
            lambda: with_json(
                QUIZ_FILE,
                lambda a: a["editions"][0]["content"]["items"][0]["key_data"].update(shuffle="no"),
            ),
            f"{QUIZ_FILE}#/editions/0/content/items/0/key_data",
            "not-a-boolean",
        ),
    ],
)
def test_unpack_names_file_place_and_reason(
    data: Callable[[], bytes], place: str, code: str
) -> None:
    assert problems_of(data())[0] == (place, code)


def test_unpack_names_everything_that_breaks_the_schema() -> None:
    def spoil(course: dict[str, Any]) -> None:
        course["title"] = 7
        course["content"]["modules"][0]["position"] = -1

    assert sorted(problems_of(with_json(COURSE_FILE, spoil))) == [
        (f"{COURSE_FILE}#/content/modules/0/position", "schema"),
        (f"{COURSE_FILE}#/title", "schema"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            with_item(ONE_COURSE, "first-aid", "check", assessment=Placement("other")),
            [
                (f"{COURSE_FILE}#/content/modules/1/items/1/assessment", "dangling"),
                (QUIZ_FILE, "unreferenced"),
            ],
        ),
        (
            with_item(ONE_COURSE, "first-aid", "check", assessment=Placement("quiz", 2)),
            [(f"{COURSE_FILE}#/content/modules/1/items/1/assessment", "dangling")],
        ),
        (
            with_item(ONE_COURSE, "first-aid", "welcome", assessment=Placement("quiz")),
            [(f"{COURSE_FILE}#{ITEMS}/0/assessment", "not-an-assessment-item")],
        ),
        (
            with_item(ONE_COURSE, "first-aid", "rules", key="welcome"),
            [(f"{COURSE_FILE}#{ITEMS}/1/key", "repeated-key")],
        ),
        (
            replace(ONE_COURSE, banks=()),
            [(f"{QUIZ_FILE}#/editions/0/content/items/0/bank_item", "dangling")],
        ),
        (
            replace(ONE_COURSE, assessments=(QUIZ, EXAM)),
            [("assessments/exam.json", "unreferenced")],
        ),
        (
            replace(ONE_COURSE, requirement_sets=(PROGRESSION,)),
            [
                ("requirement-sets/ladder.json#/program", "dangling"),
                ("requirement-sets/ladder.json#/content/nodes/2/course", "dangling"),
                ("requirement-sets/ladder.json#/content/nodes/3/course", "dangling"),
                ("requirement-sets/ladder.json", "out-of-place"),
            ],
        ),
        (
            replace(WHOLE, requirement_sets=(PROGRESSION,)),
            [("certifications/responder.json#/content/requirement_set", "dangling")],
        ),
        (
            replace(
                WHOLE,
                requirement_sets=(
                    replace(
                        CERTIFYING,
                        content=replace(
                            CERTIFYING.content,
                            edges=(
                                *CERTIFYING.content.edges,
                                CERTIFYING.content.edges[0],
                                replace(CERTIFYING.content.edges[1], target="nowhere"),
                            ),
                        ),
                    ),
                    PROGRESSION,
                ),
            ),
            [
                ("requirement-sets/certifying.json#/content/edges/3", "repeated-key"),
                ("requirement-sets/certifying.json#/content/edges/4/target", "dangling"),
            ],
        ),
    ],
)
def test_unpack_names_every_reference_that_leads_nowhere(
    content: PackageContent, expected: list[tuple[str, str]]
) -> None:
    assert sorted(problems_of(packed_unordered(content))) == sorted(expected)


def packed_unordered(content: PackageContent) -> bytes:
    """Return the package of content that an export would refuse."""
    return zipped(package_format.files_of(content))


def test_two_banks_with_the_same_question_are_told_apart() -> None:
    doubled = replace(BANK, questions=BANK.questions * 2)

    assert problems_of(packed_unordered(replace(ONE_COURSE, banks=(doubled,)))) == [
        (f"{BANK_FILE}#/questions/1", "repeated-key")
    ]


# --- The format and the models say the same -----------------------------------------------------


def resolved(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """Return a schema node behind its reference, or behind “or null”."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        return {**root["$defs"][name], **{k: v for k, v in node.items() if k != "$ref"}}
    if "anyOf" in node:
        return resolved(node["anyOf"][0], root)
    return node


def pairs(kind: Any, node: dict[str, Any], root: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return every dataclass below `kind` with the schema of its object."""
    found = [(kind, node)]
    for name, hint in get_type_hints(kind).items():
        told = node["properties"].get("body" if name == "body_markdown" else name)
        inner = resolved(told, root) if told else {}
        candidates = [hint, *get_args(hint)]
        for candidate in candidates:
            if is_dataclass(candidate):
                below = resolved(inner["items"], root) if "items" in inner else inner
                found += pairs(candidate, below, root)
    return found


@pytest.mark.parametrize("kind", list(KINDS), ids=lambda kind: kind.__name__)
def test_the_schemas_tell_the_fields_of_the_content(kind: Any) -> None:
    root = schema(KINDS[kind].value)
    for value, node in pairs(kind, root, root):
        names = {"body" if f.name == "body_markdown" else f.name for f in fields(value)}
        assert set(node["properties"]) == names, value
        assert set(node["required"]) == required_fields(value), value
        assert node["additionalProperties"] is False, value


def test_there_is_a_schema_for_each_kind_of_part() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {"manifest", *PartKind.values}


# Columns that are no content: identities, states, and who did what when.
BOOKKEEPING = {
    "id",
    "status",
    "number",
    "created_at",
    "created_by",
    "published_at",
    "published_by",
    "retired_at",
    "archived_at",
    "definition",
    "version",
}
# What a package tells by where something stands, or by the name of something else.
TOLD_OTHERWISE = {
    "Course": {"catalog_course_id", "catalog_version_id"},
    "CourseVersion": {"catalog_version_id"},
    "ModuleItem": {"module"},
    "RubricCriterion": {"rubric"},
    "RubricLevel": {"criterion"},
    "BankItem": {"bank"},
    "ProgramCourse": {"key", "course_version"},
    "RequirementEdge": {"key"},
}


@pytest.mark.parametrize("kind", list(MODELS), ids=lambda kind: kind.__name__)
def test_a_package_forgets_no_column(kind: Any) -> None:
    """A new column of content belongs into the format: its dataclass, its schema, the docs."""
    model = MODELS[kind]
    columns = {column.name for column in model._meta.concrete_fields}
    told = {f.name for f in fields(kind)}

    assert columns - told - BOOKKEEPING - TOLD_OTHERWISE.get(model.__name__, set()) == set()


def test_a_package_forgets_no_part_of_a_version() -> None:
    told = {model for model in MODELS.values() if issubclass(model, VersionChild)}
    known = {model for model in apps.get_models() if issubclass(model, VersionChild)}

    assert {model.__name__ for model in known - told} == {"AssessmentPlacement"}


def test_lengths_are_those_of_the_columns() -> None:
    for kind in KINDS:
        root = schema(KINDS[kind].value)
        for value, node in pairs(kind, root, root):
            if value not in MODELS:
                continue
            for name in plain_fields(value):
                told = resolved(
                    node["properties"]["body" if name == "body_markdown" else name], root
                )
                limit = MODELS[value]._meta.get_field(name).max_length
                if "maxLength" in told and limit is not None:
                    assert told["maxLength"] == limit, (value, name)


def test_from_json_reads_what_as_json_tells() -> None:
    value = Module("one", "One", 1)

    assert from_json(Module, as_json(value)) == value
    assert from_json(Module, {"key": "one", "title": "One", "position": 1}) == value
    assert KINDS[Course] == PartKind(PackageKind.COURSE.value)
