"""Versions published and withdrawn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.catalog.selectors import offered_courses, package_bytes
from apps.catalog.services import (
    AlreadyWithdrawn,
    CatalogEntryInvalid,
    CatalogNameTaken,
    publish_version,
    withdraw_version,
)
from apps.core.tenancy import connection
from apps.organizations.models import PlatformAction
from apps.portability.cataloguing import packaged_course
from apps.portability.faults import PackageRefused
from apps.portability.format import pack, unpack
from tests.catalog.factories import SECOND, TERMS, course_of_another_name, in_catalog, packaged
from tests.portability.contents import ONE_COURSE, WHOLE

pytestmark = pytest.mark.django_db


def test_a_published_version_holds_the_package_and_what_it_is() -> None:
    version = in_catalog(changelog="The first one.")

    assert package_bytes(version) == pack(ONE_COURSE)
    assert (version.number, version.title, version.licence, version.language) == (
        1,
        "First Aid",
        "CC-BY-4.0",
        "en",
    )
    assert [module["title"] for module in version.outline] == [
        module.title for module in ONE_COURSE.courses[0].content.modules
    ]
    with connection.platform():
        action = PlatformAction.objects.get(action="catalog.published")
    assert action.details == {
        "course": "first-aid",
        "number": 1,
        "digest": unpack(pack(ONE_COURSE)).digest,
    }


def test_the_same_again_is_no_new_version() -> None:
    first = in_catalog()

    assert in_catalog() == first
    assert in_catalog(SECOND).number == 2
    assert in_catalog().number == 3
    assert in_catalog(licence="CC0-1.0").number == 4


def test_what_was_withdrawn_can_be_published_again() -> None:
    version = in_catalog()
    with connection.platform():
        withdraw_version(version=version, reason="A wrong dose.", actor_id=None)
        with pytest.raises(AlreadyWithdrawn):
            withdraw_version(version=version, reason="Again.", actor_id=None)

    assert list(offered_courses()) == []
    again = in_catalog()
    assert (again.number, again.package_id) == (2, version.package_id)
    assert list(offered_courses()) == [again]


def test_a_withdrawal_says_why() -> None:
    version = in_catalog()

    with connection.platform(), pytest.raises(CatalogEntryInvalid):
        withdraw_version(version=version, reason=" ", actor_id=None)


def test_a_name_belongs_to_one_course() -> None:
    in_catalog()

    with pytest.raises(CatalogNameTaken):
        in_catalog(course_of_another_name("sailing"))
    with pytest.raises(CatalogNameTaken):
        in_catalog(slug="other-name")
    assert in_catalog(course_of_another_name("sailing"), slug="sailing").number == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"licence": " "},
        {"publisher": ""},
        {"language": "English"},
        {"language": ""},
        {"licence": "x" * 101},
    ],
)
def test_terms_that_say_nothing_are_refused(wrong: dict[str, str]) -> None:
    with connection.platform(), pytest.raises(CatalogEntryInvalid):
        publish_version(
            course=packaged(), slug="first-aid", terms=replace(TERMS, **wrong), actor_id=None
        )


def test_a_program_is_no_course() -> None:
    with pytest.raises(PackageRefused, match="this package is about a program"):
        packaged_course(unpack(pack(WHOLE)))


def test_every_word_is_looked_for() -> None:
    first = in_catalog()
    second = in_catalog(course_of_another_name("sailing", "Sailing"), slug="sailing")

    def found(search: str) -> list[str]:
        return [version.title for version in offered_courses(search)]

    item = second.outline[0]["items"][0]["title"]
    assert found("") == [first.title, "Sailing"]
    assert found("sail") == ["Sailing"]
    assert found("SCHOOL help") == [first.title, "Sailing"]
    assert found(f"sailing {item}") == ["Sailing"]
    assert found("sailing nowhere") == []
    assert found("%\0_") == []
