"""Packages over HTTP, out of one organisation and into another."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.contacts.models import AdminAction, Contact
from apps.core.ids import uuid7
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization, OrgRole
from apps.portability.format import MAX_BYTES, pack, unpack
from apps.portability.models import PackageImport
from apps.programs.models import CourseVersion, Program, ProgramVersion
from tests.clients import api, problem_of
from tests.factories import member
from tests.portability.contents import ONE_COURSE, WHOLE
from tests.portability.test_services_imports import exported, taken_in
from tests.programs.factories import draft_course
from tests.walls.world import picture

pytestmark = pytest.mark.django_db

IMPORTS = "/v1/package-imports"


@pytest.fixture
def author() -> Contact:
    return member(OrgRole.INSTRUCTOR)


def sent(client: APIClient, data: bytes, query: str = "", **headers: Any) -> Any:
    return client.post(f"{IMPORTS}{query}", data, content_type="application/zip", **headers)


def test_a_program_goes_out_and_in_and_out_again_as_the_same_bytes(
    author: Contact, org_b: Organization
) -> None:
    client = api(author)
    assert sent(client, pack(WHOLE)).status_code == 201
    version = ProgramVersion.objects.get()

    out = client.get(f"/v1/program-versions/{version.pk}/package")

    assert out.content == pack(WHOLE)
    assert (out["Content-Type"], out["Content-Disposition"], out["ETag"]) == (
        "application/zip",
        'attachment; filename="responder-v1.zip"',
        f'"{unpack(pack(WHOLE)).digest}"',
    )
    with tenant_context(org_b):
        other = api(member(OrgRole.INSTRUCTOR))
        taken = sent(other, out.content)
        assert (taken.status_code, taken.json()["counts"]) == (201, {"created": 9})
        there = ProgramVersion.objects.get()
        again = other.get(f"/v1/program-versions/{there.pk}/package")
        assert again.content == out.content


def test_a_course_goes_out_on_record(author: Contact) -> None:
    taken_in(ONE_COURSE)
    version = CourseVersion.objects.get()

    out = api(author).get(f"/v1/course-versions/{version.pk}/package")

    assert out.content == exported(ONE_COURSE)
    action = AdminAction.objects.get(action="package.exported")
    assert (action.actor, action.entity_id, action.details) == (
        author,
        version.pk,
        {"digest": unpack(pack(ONE_COURSE)).digest},
    )


def test_only_what_is_published_goes_out(author: Contact) -> None:
    draft = draft_course("knots")
    client = api(author)

    answer = client.get(f"/v1/course-versions/{draft.pk}/package")

    assert problem_of(answer) == (409, "urn:assay:problem:nothing-published")
    assert answer["Content-Type"] == "application/problem+json"
    assert client.get(f"/v1/course-versions/{uuid7()}/package").status_code == 404


def test_an_import_tells_each_part_and_is_repeatable(author: Contact) -> None:
    client = api(author)

    first = sent(client, pack(ONE_COURSE), "?filename=course.zip", HTTP_IDEMPOTENCY_KEY="one")
    replayed = sent(client, pack(ONE_COURSE), "?filename=course.zip", HTTP_IDEMPOTENCY_KEY="one")
    other = sent(client, pack(WHOLE), "?filename=course.zip", HTTP_IDEMPOTENCY_KEY="one")

    row = PackageImport.objects.get()
    told = first.json()
    assert (first.status_code, replayed.status_code, other.status_code) == (201, 201, 422)
    assert replayed.json() == told
    assert (told["id"], told["is_dry_run"], told["counts"]) == (str(row.pk), False, {"created": 3})
    assert told["parts"] == row.parts
    assert (row.filename, row.actor) == ("course.zip", author)
    assert client.get(f"{IMPORTS}/{row.pk}").json()["parts"] == row.parts
    listed = client.get(f"{IMPORTS}?slug=first-aid").json()["results"]
    assert [one["id"] for one in listed] == [str(row.pk)]


def test_a_dry_run_tells_what_would_happen_and_changes_nothing(author: Contact) -> None:
    client = api(author)
    client.get(IMPORTS)
    before = picture()

    told = sent(client, pack(WHOLE), "?dry_run=true")

    assert picture() == before
    assert (told.status_code, told.json()["id"], told.json()["is_refused"]) == (200, None, False)
    assert {part["outcome"] for part in told.json()["parts"]} == {"created"}
    first = sent(client, pack(WHOLE), "?dry_run=true", HTTP_IDEMPOTENCY_KEY="try")
    again = sent(client, pack(WHOLE), "?dry_run=true", HTTP_IDEMPOTENCY_KEY="try")
    assert again.json() == {**first.json(), "parts": None}


def test_a_form_may_carry_the_package(author: Contact) -> None:
    file = SimpleUploadedFile("first-aid.zip", pack(ONE_COURSE), "application/zip")

    answer = api(author).post(f"{IMPORTS}?leave_drafts=true", {"file": file}, format="multipart")

    assert answer.status_code == 201
    row = PackageImport.objects.get()
    assert (row.filename, row.left_drafts) == ("first-aid.zip", True)
    assert CourseVersion.objects.get().is_draft


def test_a_taken_name_is_told_by_a_trial_and_refused_by_an_import(author: Contact) -> None:
    draft_course("first-aid")
    client = api(author)

    tried, refused = sent(client, pack(ONE_COURSE), "?dry_run=1"), sent(client, pack(ONE_COURSE))
    renamed = sent(client, pack(ONE_COURSE), "?on_conflict=rename")

    assert (tried.status_code, tried.json()["is_refused"]) == (200, True)
    problems = [one for part in tried.json()["parts"] for one in part["problems"]]
    assert ("courses/first-aid.json", "/slug", "slug-taken") in [
        (one["file"], one["path"], one["code"]) for one in problems
    ]
    assert problem_of(refused) == (422, "urn:assay:problem:package-refused")
    assert refused.json()["errors"][0]["field"] == "courses/first-aid.json#/slug"
    assert renamed.status_code == 201


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "package-missing"),
        (b"PK\x03\x04 nothing", "package-refused"),
        (b"\0" * 1000, "package-refused"),
    ],
)
def test_a_hostile_file_is_told_precisely(author: Contact, data: bytes, code: str) -> None:
    client = api(author)
    client.get(IMPORTS)
    before = picture()

    answer = sent(client, data)

    assert problem_of(answer) == (422, f"urn:assay:problem:{code}")
    assert bool(answer.json().get("errors")) == (code == "package-refused")
    assert picture() == before


def test_too_much_is_refused_before_it_is_read(author: Contact) -> None:
    client = api(author)
    large = b"\0" * (MAX_BYTES + 1)
    file = SimpleUploadedFile("large.zip", large, "application/zip")

    for answer in (
        sent(client, large),
        client.post(IMPORTS, {"file": file}, format="multipart"),
    ):
        assert problem_of(answer) == (413, "urn:assay:problem:package-too-large")


def test_a_request_without_a_package_is_told(author: Contact) -> None:
    client = api(author)

    assert problem_of(client.post(IMPORTS, {}, format="multipart")) == (
        422,
        "urn:assay:problem:package-missing",
    )
    as_json = client.post(IMPORTS, {"file": "x"}, format="json")
    assert problem_of(as_json) == (415, "urn:assay:problem:unsupported-media-type")
    assert problem_of(sent(client, pack(ONE_COURSE), "?dryrun=1")) == (
        422,
        "urn:assay:problem:invalid",
    )


@pytest.mark.parametrize(
    ("role", "exporting", "importing", "reading"),
    [
        (OrgRole.ADMIN, 200, 201, 200),
        (OrgRole.AUDITOR, 403, 403, 200),
        (OrgRole.LEARNER, 403, 403, 403),
    ],
)
def test_packages_are_for_authors(
    role: OrgRole, exporting: int, importing: int, reading: int
) -> None:
    taken_in(WHOLE)
    client = api(member(role))
    version = Program.objects.get().versions.get()

    assert client.get(f"/v1/program-versions/{version.pk}/package").status_code == exporting
    assert sent(client, pack(WHOLE)).status_code == importing
    assert client.get(IMPORTS).status_code == reading


@pytest.mark.parametrize("imports", [2, 20])
def test_a_list_takes_a_constant_number_of_statements(
    imports: int, author: Contact, django_assert_num_queries: Any
) -> None:
    for number in range(imports):
        PackageImport.objects.create(
            kind="course", slug="knots", title=f"Knots {number}", digest="0" * 64
        )
    client = api(author)
    client.get(IMPORTS)

    with django_assert_num_queries(6):
        assert len(client.get(IMPORTS).json()["results"]) == imports
