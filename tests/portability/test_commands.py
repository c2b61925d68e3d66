"""Packages by way of manage.py."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.contacts.models import AdminAction
from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization
from apps.programs.models import Course
from tests.portability.contents import ONE_COURSE, WHOLE
from tests.portability.test_services_imports import exported, taken_in

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    output = StringIO()
    call_command(*words, stdout=output)
    return output.getvalue()


def test_a_program_goes_from_one_organisation_into_another(
    org_a: Organization, org_b: Organization, tmp_path: Path
) -> None:
    file = tmp_path / "responder.zip"
    taken_in(WHOLE)

    run("export_package", "--organization", "a", "--program", "responder", "--output", str(file))
    tried = run("import_package", str(file), "--organization", "b", "--dry-run")
    run("import_package", str(file), "--organization", "b")

    assert tried.splitlines()[0] == "created: banks/europe.json 1 new question"
    assert tried.splitlines()[-1] == "Nothing has changed: this was a trial."
    with tenant_context(org_b):
        assert exported(WHOLE) == file.read_bytes()
    assert AdminAction.objects.filter(action="package.exported").count() == 1


def test_a_version_is_exported_by_its_number(org_a: Organization, tmp_path: Path) -> None:
    taken_in(ONE_COURSE)
    file = tmp_path / "course.zip"
    words = ("export_package", "--organization", "a", "--course", "first-aid")

    run(*words, "--number", "1", "--output", str(file))

    assert file.read_bytes() == exported(ONE_COURSE)
    with pytest.raises(CommandError, match="has no version 7"):
        run(*words, "--number", "7", "--output", str(file))


def test_a_refused_package_ends_with_an_error_and_says_where(
    org_b: Organization, tmp_path: Path
) -> None:
    file = tmp_path / "broken.zip"
    file.write_bytes(b"PK no archive")

    with pytest.raises(CommandError, match="The archive cannot be read"):
        run("import_package", str(file), "--organization", "b")
    with pytest.raises(CommandError, match="There is no organisation 'c'"):
        run("import_package", str(file), "--organization", "c")
    with tenant_context(org_b):
        assert not Course.objects.exists()


def test_drafts_are_left_on_request(org_b: Organization, tmp_path: Path) -> None:
    taken_in(ONE_COURSE)
    file = tmp_path / "course.zip"
    file.write_bytes(exported(ONE_COURSE))

    told = run("import_package", str(file), "--organization", "b", "--drafts")

    assert "created: courses/first-aid.json draft; left as a draft" in told.splitlines()
