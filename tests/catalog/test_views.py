"""The catalog on the platform's own host."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.catalog.services import withdraw_version
from apps.core.tenancy import connection
from tests.catalog.factories import SECOND, course_of_another_name, in_catalog
from tests.clients import Inside

pytestmark = pytest.mark.django_db


class Visitor(Inside, Client):
    pass


def page(address: str) -> Any:
    return Visitor(SERVER_NAME="localhost").get(address)


def statements(address: str, counted: Any, number: int) -> None:
    with counted(number):
        page(address)


def test_courses_are_listed_twenty_a_page() -> None:
    for number in range(21):
        name = f"course-{number:02d}"
        in_catalog(course_of_another_name(name, f"Course {number:02d}"), slug=name)

    first, second = page("/catalog/"), page("/catalog/?page=2")

    assert first.content.count(b"<h2>") == 20
    assert "Course 20" not in first.content.decode()
    assert "Course 20" in second.content.decode()
    assert page("/catalog/?page=99").content.count(b"<h2>") == 1
    assert "Page 1 of 2" in first.content.decode()


def test_courses_are_searched() -> None:
    in_catalog()
    in_catalog(course_of_another_name("sailing", "Sailing"), slug="sailing")

    found = page("/catalog/?q=sail").content.decode()

    assert ("Sailing" in found, "First Aid" in found) == (True, False)
    assert "No course has all these words" in page("/catalog/?q=nowhere").content.decode()


def test_an_empty_catalog_says_so() -> None:
    assert "No course yet" in page("/catalog/").content.decode()
    assert 'href="/catalog/"' in page("/").content.decode()


def test_a_course_tells_outline_terms_and_versions() -> None:
    version = in_catalog()
    in_catalog(SECOND, changelog="Other words of <welcome>.")

    newest = page("/catalog/first-aid/").content.decode()
    older = page("/catalog/first-aid/1/").content.decode()

    for module in version.outline:
        assert module["title"] in newest
    assert "CC-BY-4.0" in newest
    assert "Other words of &lt;welcome&gt;." in newest
    assert ("There is a newer one." in newest, "There is a newer one." in older) == (False, True)


def test_a_withdrawn_version_is_told_and_not_shown() -> None:
    version = in_catalog()
    in_catalog(SECOND)
    with connection.platform():
        withdraw_version(version=version, reason="A wrong dose.", actor_id=None)

    answer = page("/catalog/first-aid/")

    assert "A wrong dose." in answer.content.decode()
    assert page("/catalog/first-aid/1/").status_code == 404
    assert page("/catalog/first-aid/2/").status_code == 200


def test_what_is_not_there_is_not_found() -> None:
    version = in_catalog()

    assert page("/catalog/nowhere/").status_code == 404
    assert page("/catalog/first-aid/7/").status_code == 404
    with connection.platform():
        withdraw_version(version=version, reason="A wrong dose.", actor_id=None)
    assert page("/catalog/first-aid/").status_code == 404


def test_an_organisations_host_has_no_such_page() -> None:
    in_catalog()

    assert Visitor(SERVER_NAME="a.localhost").get("/catalog/").status_code == 404


@pytest.mark.parametrize("courses", [2, 20])
def test_a_list_takes_a_constant_number_of_statements(
    courses: int, django_assert_num_queries: Any
) -> None:
    for number in range(courses):
        in_catalog(course_of_another_name(f"course-{number}"), slug=f"course-{number}")

    statements("/catalog/", django_assert_num_queries, 3)
