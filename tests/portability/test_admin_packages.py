"""Packages in the back office."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.contacts.models import AdminAction, Contact
from apps.core.tenancy import connection, tenant_context
from apps.core.versions import retire
from apps.organizations.models import Organization, OrgRole
from apps.portability.content import PackageContent
from apps.portability.format import MAX_BYTES, pack
from apps.portability.models import PackageImport
from apps.programs.models import Course, CourseVersion, ProgramVersion
from tests.clients import browser
from tests.factories import NOON, member
from tests.portability.contents import ONE_COURSE, WHOLE
from tests.portability.test_services_imports import exported, taken_in
from tests.programs.factories import draft_course
from tests.walls.world import picture

pytestmark = pytest.mark.django_db

LIST = "/admin/portability/packageimport/"
IMPORT = f"{LIST}import/"


@pytest.fixture
def author() -> Contact:
    return member(OrgRole.INSTRUCTOR)


def text(answer: Any) -> str:
    content: bytes = answer.content
    return content.decode()


def tried(client: Client, data: bytes | PackageContent, **fields: Any) -> Any:
    sent = data if isinstance(data, bytes) else pack(data)
    file = SimpleUploadedFile("package.zip", sent, "application/zip")
    return client.post(IMPORT, {"file": file, "on_conflict": "refuse", **fields})


def token_in(answer: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', text(answer))
    assert found is not None
    return found[1]


def kept_files() -> list[str]:
    folder = f"packages/{connection.schema_name}"
    try:
        days, _files = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    return [name for day in days for name in default_storage.listdir(f"{folder}/{day}")[1]]


def test_a_package_is_tried_then_imported_once(author: Contact) -> None:
    client = browser(author)
    assert "No package was imported yet." in text(client.get(LIST))
    assert "Try it" in text(client.get(IMPORT))

    trial = tried(client, WHOLE)

    assert not Course.objects.exists()
    assert ("created" in text(trial), "Nothing has changed yet." in text(trial)) == (True, True)
    token = token_in(trial)
    assert len(kept_files()) == 1
    done = client.post(IMPORT, {"token": token}, follow=True)
    row = PackageImport.objects.get()
    assert done.redirect_chain[-1][0] == f"{LIST}{row.pk}/change/"
    assert (row.filename, row.actor, row.counts) == ("package.zip", author, {"created": 9})
    assert f"/admin/programs/course/{Course.objects.all()[0].pk}/change/" in text(done)
    assert exported(WHOLE) == pack(WHOLE)
    assert kept_files() == []
    again = client.post(IMPORT, {"token": token})
    assert "no longer kept: choose the file again" in text(again)
    assert PackageImport.objects.count() == 1
    assert "9 created" in text(client.get(LIST))


def test_options_go_with_the_package(author: Contact) -> None:
    draft_course("first-aid")
    client = browser(author)

    refused = tried(client, ONE_COURSE)
    renamed = tried(client, ONE_COURSE, on_conflict="rename", leave_drafts="on")

    assert "some parts are refused" in text(refused)
    assert "is taken by something that did not come from" in text(refused)
    assert 'name="token"' not in text(refused)
    client.post(IMPORT, {"token": token_in(renamed)})
    course = Course.objects.get(slug="first-aid-2")
    assert course.versions.get().is_draft


def test_a_hostile_package_is_told_precisely(author: Contact) -> None:
    client = browser(author)
    client.get(LIST)
    before = picture()

    broken = tried(client, b"PK no archive")
    large = tried(client, b"\0" * (MAX_BYTES + 1))
    nothing = client.post(IMPORT, {"on_conflict": "refuse"})

    assert "The archive cannot be read" in text(broken)
    assert "A package may have 20 MB." in text(large)
    assert "This field is required." in text(nothing)
    assert picture() == before


def test_a_token_is_good_for_who_tried_and_where(author: Contact, org_b: Organization) -> None:
    token = token_in(tried(browser(author), ONE_COURSE))
    other = browser(member(OrgRole.ADMIN, email="boole@a.example"))

    assert "no longer kept" in text(other.post(IMPORT, {"token": token}))
    assert "no longer kept" in text(other.post(IMPORT, {"token": f"{token}x"}))
    with tenant_context(org_b):
        there = browser(member(OrgRole.OWNER, email="ada@b.example"))
        assert "no longer kept" in text(there.post(IMPORT, {"token": token}))
        assert not Course.objects.exists()
    assert not Course.objects.exists()


def test_published_versions_are_exported_from_their_pages(author: Contact) -> None:
    taken_in(WHOLE)
    client = browser(author)
    program, course = ProgramVersion.objects.get(), CourseVersion.objects.all()[0]

    for version, kind in ((program, "programs"), (course, "courses")):
        name = version._meta.model_name
        page = text(client.get(f"/admin/programs/{name}/{version.pk}/change/"))
        address = f"{LIST}{kind}/{version.pk}/export/"
        assert f'href="{address}"' in page
        answer = client.get(address)
        assert answer["Content-Type"] == "application/zip"
    assert client.get(f"{LIST}programs/{program.pk}/export/").content == pack(WHOLE)
    assert AdminAction.objects.filter(action="package.exported", actor=author).count() == 3
    retire(version=course, actor=author, at=NOON)
    told = client.get(f"{LIST}courses/{course.pk}/export/", follow=True)
    assert "is retired" in text(told)


def test_an_auditor_takes_nothing_in_or_out() -> None:
    taken_in(ONE_COURSE)
    version = CourseVersion.objects.get()
    row = PackageImport.objects.get()
    client = browser(member(OrgRole.AUDITOR))

    assert client.get(LIST).status_code == 200
    assert "created" in text(client.get(f"{LIST}{row.pk}/change/"))
    assert client.get(IMPORT).status_code == 404
    assert tried(client, ONE_COURSE).status_code == 404
    assert client.get(f"{LIST}courses/{version.pk}/export/").status_code == 404
    page = text(client.get(f"/admin/programs/courseversion/{version.pk}/change/"))
    assert "Export as a package" not in page
