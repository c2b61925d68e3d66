"""The catalog by way of manage.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError

from apps.catalog.selectors import course_called, package_bytes, versions_of
from apps.organizations.models import Organization
from apps.portability.format import pack
from tests.catalog.factories import SECOND
from tests.portability.contents import ONE_COURSE, WHOLE
from tests.portability.test_commands import run
from tests.portability.test_services_imports import taken_in

pytestmark = pytest.mark.django_db

SAID = ("--licence", "CC-BY-4.0", "--language", "en", "--publisher", "Ada's School")


def test_a_package_is_published_and_its_next_version_says_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    first.write_bytes(pack(ONE_COURSE))
    second.write_bytes(pack(SECOND))

    with pytest.raises(CommandError, match="say --licence, --language, --publisher as well"):
        run("catalog_publish", str(first))
    told = [
        run("catalog_publish", str(first), *SAID),
        run("catalog_publish", str(first)),
        run("catalog_publish", str(second), "--changelog", "Other words."),
    ]

    assert told == [
        "first-aid version 1: published\n",
        "first-aid version 1: there already, unchanged\n",
        "first-aid version 2: published\n",
    ]
    course = course_called("first-aid")
    assert course is not None
    newest = versions_of(course)[0]
    assert (newest.publisher, newest.changelog) == ("Ada's School", "Other words.")
    assert package_bytes(newest) == pack(SECOND)


def test_an_organisations_course_is_published(org_a: Organization) -> None:
    taken_in(ONE_COURSE)
    words = ("catalog_publish", "--organization", "a", "--course", "first-aid", *SAID)

    assert run(*words, "--slug", "aid") == "aid version 1: published\n"
    with pytest.raises(CommandError, match="is “aid” in the catalog"):
        run(*words)
    with pytest.raises(CommandError, match="There is no course 'nothing'"):
        run("catalog_publish", "--organization", "a", "--course", "nothing", *SAID)


def test_what_can_not_be_published_is_told(tmp_path: Path) -> None:
    file = tmp_path / "responder.zip"
    file.write_bytes(pack(WHOLE))

    with pytest.raises(CommandError, match="this package is about a program"):
        run("catalog_publish", str(file), *SAID)
    with pytest.raises(CommandError, match="Name a package, or an --organization"):
        run("catalog_publish")
    file.write_bytes(b"PK no archive")
    with pytest.raises(CommandError, match="The archive cannot be read"):
        run("catalog_publish", str(file), *SAID)


def test_a_version_is_withdrawn(tmp_path: Path) -> None:
    file = tmp_path / "first.zip"
    file.write_bytes(pack(ONE_COURSE))
    run("catalog_publish", str(file), *SAID)

    told = run("catalog_withdraw", "first-aid", "1", "--reason", "A wrong dose.")

    assert told == "first-aid version 1: withdrawn\n"
    assert course_called("first-aid") is None
    with pytest.raises(CommandError, match="withdrawn already"):
        run("catalog_withdraw", "first-aid", "1", "--reason", "Again.")
    with pytest.raises(CommandError, match="no version 2"):
        run("catalog_withdraw", "first-aid", "2", "--reason", "Why?")
