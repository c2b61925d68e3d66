"""The files of docs/tutorial/first-cohort.md give the report that the page shows."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.cohorts.models import CohortEnrollment
from apps.organizations.models import Organization
from tests.docs.sources import ROOT

PAGE = (ROOT / "docs" / "tutorial" / "first-cohort.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only code block in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    text: str = found
    return text


def run(org: Organization, folder: Path, *options: str) -> tuple[int, str]:
    """Return exit code and output of run_cohort on the page's files."""
    roster, questions = folder / "roster.csv", folder / "questions.gift"
    roster.write_text(block("csv"), encoding="utf-8")
    questions.write_text(block("gift"), encoding="utf-8")
    told = StringIO()
    files = ["--roster", str(roster), "--questions", str(questions)]
    names = ["--organization", org.slug, "--program", "Ladder Safety"]
    with pytest.raises(SystemExit) as ended:
        call_command("run_cohort", *names, *files, *options, stdout=told)
    code: int = ended.value.code  # type: ignore[assignment]
    return code, told.getvalue()


@pytest.mark.django_db
def test_the_dry_run_reports_as_the_page_says_and_changes_nothing(
    org_a: Organization, tmp_path: Path
) -> None:
    code, told = run(org_a, tmp_path, "--dry-run")

    assert (code, told.splitlines()) == (3, block("report").splitlines())
    assert not CohortEnrollment.objects.exists()


@pytest.mark.django_db
def test_the_run_enrols_the_two_who_are_somebody(org_a: Organization, tmp_path: Path) -> None:
    code, _told = run(org_a, tmp_path)

    names = CohortEnrollment.objects.values_list("contact__display_name", "state")
    assert (code, sorted(names)) == (
        3,
        [("Lea Lindgren", "enrolled"), ("Omar Haddad", "enrolled")],
    )


def test_options_are_those_of_the_command() -> None:
    page = (ROOT / "docs" / "how-to" / "own-files.md").read_text(encoding="utf-8")
    source = (ROOT / "apps/demo/management/commands/run_cohort.py").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(--[a-z-]+)` \|", page, re.MULTILINE)

    assert named == re.findall(r'^ +(?:parser\.add_argument\()?"(--[a-z-]+)"', source, re.MULTILINE)
