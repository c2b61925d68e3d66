"""/v1/catalog over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.services import withdraw_version
from apps.contacts.models import Contact
from apps.core.ids import uuid7
from apps.core.tenancy import connection
from apps.core.versions import publish
from apps.organizations.models import OrgRole
from apps.portability.services import adopt_course
from apps.programs.models import Course, CourseVersion
from tests.catalog.factories import SECOND, course_of_another_name, in_catalog
from tests.clients import api, problem_of
from tests.factories import NOON, member
from tests.portability.test_services_adoption import edited_here

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> Contact:
    return member(OrgRole.INSTRUCTOR)


def address(version: CatalogCourseVersion, *more: str) -> str:
    return "/".join(["/v1/catalog", str(version.course_id), *more])


def test_the_list_tells_what_is_offered_and_adopted(author: Contact) -> None:
    version = in_catalog()
    in_catalog(course_of_another_name("sailing", "Sailing"), slug="sailing")
    client = api(author)
    client.post(address(version, "adopt"))

    sailing, first_aid = client.get("/v1/catalog").json()["results"]

    course = Course.objects.get()
    assert (sailing["title"], sailing["adoption"]) == ("Sailing", None)
    assert first_aid == {
        "id": str(version.course_id),
        "slug": "first-aid",
        "version": str(version.pk),
        "number": 1,
        "title": "First Aid",
        "summary": "What to do until help comes.",
        "licence": "CC-BY-4.0",
        "language": "en",
        "publisher": "Ada's School",
        "published_at": first_aid["published_at"],
        "adoption": {
            "id": str(course.pk),
            "catalog_course": str(version.course_id),
            "slug": "first-aid",
            "title": "First Aid",
            "number": 1,
            "draft": None,
            "draft_number": None,
            "update_available": False,
            "withdrawn_reason": None,
        },
    }
    found = client.get("/v1/catalog?q=sail").json()["results"]
    assert [one["title"] for one in found] == ["Sailing"]


def test_a_course_tells_its_outline_and_versions(author: Contact) -> None:
    first, second = in_catalog(), in_catalog(SECOND, changelog="Other words.")

    told = api(author).get(address(first)).json()

    assert told["outline"] == second.outline
    assert [(one["number"], one["changelog"]) for one in told["versions"]] == [
        (2, "Other words."),
        (1, ""),
    ]
    with connection.platform():
        withdraw_version(version=second, reason="Wrong.", actor_id=None)
    told = api(author).get(address(first)).json()
    assert (told["number"], [one["number"] for one in told["versions"]]) == (1, [1])


def test_adopting_is_repeatable(author: Contact) -> None:
    version = in_catalog()
    client = api(author)

    first = client.post(address(version, "adopt"), HTTP_IDEMPOTENCY_KEY="one")
    replayed = client.post(address(version, "adopt"), HTTP_IDEMPOTENCY_KEY="one")
    again = client.post(address(version, "adopt"), {"version": str(version.pk)}, format="json")

    assert (first.status_code, replayed.status_code, again.status_code) == (201, 201, 200)
    assert first.json() == replayed.json() == again.json()
    assert Course.objects.get().versions.get().status == "published"


def test_a_version_may_be_named_and_left_as_a_draft(author: Contact) -> None:
    first, _second = in_catalog(), in_catalog(SECOND)
    client = api(author)

    answer = client.post(
        address(first, "adopt"), {"version": str(first.pk), "leave_draft": True}, format="json"
    )
    other = client.post(address(first, "adopt"), {"version": str(_second.pk)}, format="json")

    draft = CourseVersion.objects.get()
    told = answer.json()
    assert (answer.status_code, told["number"], told["draft"], told["draft_number"]) == (
        201,
        None,
        str(draft.pk),
        1,
    )
    assert told["update_available"] is True
    assert problem_of(other) == (409, "urn:assay:problem:already-adopted")


def test_an_update_is_previewed_and_drafted(author: Contact) -> None:
    first = in_catalog()
    client = api(author)
    client.post(address(first, "adopt"))
    course = Course.objects.get()
    edited_here(course, key="rules", body="Our rules.")
    second = in_catalog(SECOND, changelog="Other words.")

    preview = client.get(address(first, "update"))
    drafted = client.post(address(first, "update"), HTTP_IDEMPOTENCY_KEY="two")
    replayed = client.post(address(first, "update"), HTTP_IDEMPOTENCY_KEY="two")
    again = client.post(address(first, "update"))

    told = preview.json()
    assert (told["from_number"], told["to_number"], told["changelog"]) == (1, 2, "Other words.")
    assert [(one["key"], one["outcome"]) for one in told["changes"]] == [("welcome", "changed")]
    assert [one["key"] for one in told["changed_here"]] == ["rules"]
    assert [part["outcome"] for part in told["parts"]] == ["unchanged", "unchanged", "new_version"]
    draft = course.versions.draft()
    assert (drafted.status_code, replayed.status_code, again.status_code) == (201, 201, 200)
    expected = {"id": str(course.pk), "number": 2, "draft": str(draft.pk)}
    assert drafted.json() == replayed.json() == again.json() == expected
    publish(version=draft, actor=author, at=NOON)
    assert problem_of(client.get(address(first, "update"))) == (
        409,
        "urn:assay:problem:nothing-newer",
    )
    assert client.get(address(second)).json()["adoption"]["number"] == 2


def test_a_draft_in_the_way_is_told(author: Contact) -> None:
    first = in_catalog()
    client = api(author)
    client.post(address(first, "adopt"))
    client.post(f"/v1/courses/{Course.objects.get().pk}/draft")
    in_catalog(SECOND)

    answer = client.post(address(first, "update"))

    assert problem_of(answer) == (422, "urn:assay:problem:package-refused")
    assert [error["code"] for error in answer.json()["errors"]] == ["draft-exists"]


@pytest.mark.parametrize(
    ("role", "reading", "adopting"),
    [
        (OrgRole.OWNER, 200, 201),
        (OrgRole.INSTRUCTOR, 200, 201),
        (OrgRole.AUDITOR, 200, 403),
        (OrgRole.LEARNER, 403, 403),
    ],
)
def test_authors_adopt_and_staff_reads(role: OrgRole, reading: int, adopting: int) -> None:
    version = in_catalog()
    client = api(member(role))

    assert client.get("/v1/catalog").status_code == reading
    assert client.get(address(version)).status_code == reading
    assert client.post(address(version, "adopt")).status_code == adopting
    assert api().get("/v1/catalog").status_code == 401


def test_what_is_not_offered_is_not_found(author: Contact) -> None:
    version = in_catalog()
    client = api(author)
    nowhere = {"version": str(uuid7())}

    assert client.get(f"/v1/catalog/{uuid7()}").status_code == 404
    assert client.post(f"/v1/catalog/{uuid7()}/adopt").status_code == 404
    assert client.post(address(version, "adopt"), nowhere, format="json").status_code == 404
    assert problem_of(client.post(address(version, "update"))) == (
        409,
        "urn:assay:problem:not-adopted",
    )
    unknown = client.post(address(version, "adopt"), {"number": 1}, format="json")
    assert problem_of(unknown) == (422, "urn:assay:problem:invalid")
    with connection.platform():
        withdraw_version(version=version, reason="Wrong.", actor_id=None)
    assert client.get(address(version)).status_code == 404
    assert client.post(address(version, "adopt")).status_code == 404


@pytest.mark.parametrize("courses", [2, 20])
def test_a_list_takes_a_constant_number_of_statements(
    courses: int, author: Contact, django_assert_num_queries: Any
) -> None:
    for number in range(courses):
        name = f"course-{number}"
        version = in_catalog(course_of_another_name(name), slug=name)
        adopt_course(version=version, actor=author, at=NOON)
    client = api(author)
    client.get("/v1/catalog")

    with django_assert_num_queries(11):
        assert len(client.get("/v1/catalog").json()["results"]) == courses
