"""The catalog in the back office."""

from __future__ import annotations

from typing import Any

import pytest

from apps.catalog.services import withdraw_version
from apps.contacts.models import Contact
from apps.core.tenancy import connection
from apps.core.versions import new_draft, publish
from apps.organizations.models import OrgRole
from apps.programs.models import Course
from tests.catalog.factories import SECOND, course_of_another_name, in_catalog
from tests.clients import browser
from tests.factories import NOON, member
from tests.portability.test_services_adoption import edited_here
from tests.walls.world import picture

pytestmark = pytest.mark.django_db

LIST = "/admin/catalog/catalogcourse/"


@pytest.fixture
def author() -> Contact:
    return member(OrgRole.INSTRUCTOR)


def text(answer: Any) -> str:
    content: bytes = answer.content
    return content.decode()


def test_a_course_is_found_adopted_and_published(author: Contact) -> None:
    version = in_catalog()
    in_catalog(course_of_another_name("sailing", "Sailing"), slug="sailing")
    client = browser(author)
    page = f"{LIST}{version.course_id}/"

    listed, found = client.get(LIST), client.get(f"{LIST}?q=sail")
    shown = client.get(f"{page}change/")
    adopted = client.post(f"{page}adopt/", follow=True)

    course = Course.objects.get()
    assert ("First Aid" in text(listed), "First Aid" in text(found)) == (True, False)
    assert "Adopt and publish" in text(shown)
    assert adopted.redirect_chain[-1][0] == f"/admin/programs/course/{course.pk}/change/"
    assert course.versions.get().status == "published"
    assert "up to date" in text(client.get(LIST))
    assert "Adopt and publish" not in text(client.get(f"{page}change/"))


def test_a_course_is_adopted_as_a_draft(author: Contact) -> None:
    version = in_catalog()
    client = browser(author)

    client.post(f"{LIST}{version.course_id}/adopt/", {"draft": "1"})

    assert Course.objects.get().versions.get().is_draft
    assert "draft to publish" in text(client.get(LIST))


def test_an_update_is_shown_with_what_it_leaves_behind_then_drafted(author: Contact) -> None:
    version = in_catalog()
    client = browser(author)
    page = f"{LIST}{version.course_id}/"
    client.post(f"{page}adopt/")
    course = Course.objects.get()
    edited_here(course, key="rules", body="Our rules.")
    in_catalog(SECOND, changelog="Said <again>.")
    assert "update available" in text(client.get(LIST))
    before = picture()

    shown = text(client.get(f"{page}update/"))

    assert picture() == before
    assert "Said &lt;again&gt;." in shown
    assert shown.index("Other words.") < shown.index("these changes of yours are not in it")
    assert shown.index("these changes of yours are not in it") < shown.index("Our rules.")
    drafted = client.post(f"{page}update/", follow=True)
    draft = course.versions.draft()
    assert drafted.redirect_chain[-1][0] == f"/admin/programs/courseversion/{draft.pk}/change/"
    assert "waits to be published" in text(client.get(f"{page}change/"))
    publish(version=draft, actor=author, at=NOON)
    assert "up to date" in text(client.get(LIST))
    again = client.get(f"{page}update/", follow=True)
    assert "is at version 2" in text(again)


def test_a_draft_in_the_way_is_told(author: Contact) -> None:
    version = in_catalog()
    client = browser(author)
    page = f"{LIST}{version.course_id}/"
    client.post(f"{page}adopt/")
    new_draft(definition=Course.objects.get(), actor=None, at=NOON)
    in_catalog(SECOND)

    for answer in (
        client.get(f"{page}update/", follow=True),
        client.post(f"{page}update/", follow=True),
    ):
        assert "has a draft here that says something else" in text(answer)


def test_a_withdrawal_reaches_who_has_adopted(author: Contact) -> None:
    version = in_catalog()
    client = browser(author)
    page = f"{LIST}{version.course_id}/"
    client.post(f"{page}adopt/")
    in_catalog(SECOND)
    with connection.platform():
        withdraw_version(version=version, reason="A wrong dose.", actor_id=None)

    assert "withdrawn" in text(client.get(LIST))
    assert "A wrong dose." in text(client.get(f"{page}change/"))


def test_a_course_that_is_offered_no_longer_is_still_listed_as_adopted(author: Contact) -> None:
    version = in_catalog()
    client = browser(author)
    page = f"{LIST}{version.course_id}/"
    client.post(f"{page}adopt/")
    with connection.platform():
        withdraw_version(version=version, reason="A wrong dose.", actor_id=None)

    assert "no longer offered" in text(client.get(LIST))
    assert client.get(f"{page}adopt/").status_code == 404
    assert client.post(f"{page}adopt/").status_code == 404


def test_an_auditor_reads_and_adopts_nothing() -> None:
    version = in_catalog()
    client = browser(member(OrgRole.AUDITOR))
    page = f"{LIST}{version.course_id}/"

    assert "First Aid" in text(client.get(LIST))
    assert "Adopt and publish" not in text(client.get(f"{page}change/"))
    assert client.post(f"{page}adopt/").status_code == 404
    assert client.post(f"{page}update/").status_code == 404
    assert not Course.objects.exists()


def test_an_empty_catalog_says_so(author: Contact) -> None:
    client = browser(author)

    assert "The platform offers no course yet." in text(client.get(LIST))
    assert "No course has all these words." in text(client.get(f"{LIST}?q=nowhere"))
