"""`manage.py run_cohort` on files that other systems wrote, and on broken ones."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.cohorts.models import Cohort, CohortEnrollment
from apps.programs.models import Program

pytestmark = pytest.mark.django_db

SAMPLES = Path(
    os.environ.get("ASSAY_SAMPLES")
    or Path(__file__).resolve().parent.parent.parent.parent / "shared" / "samples"
)
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"no sample files at {SAMPLES}; set ASSAY_SAMPLES"
)
PHYSICS = "cls-222-123456"


def run(roster: Path, questions: Path, *more: str, organization: str = "a") -> str:
    """Return what the command prints; its exit status is in SystemExit or CommandError."""
    told = StringIO()
    words = ["--organization", organization, "--roster", str(roster)]
    words += ["--questions", str(questions), "--program", "Own", *more]
    try:
        call_command("run_cohort", *words, stdout=told)
    except SystemExit as ended:
        return f"{told.getvalue()}exit {ended.code}"
    return told.getvalue()


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank.gift"
    path.write_text("::Capital:: Capital of France? {=Paris ~Lyon}\n", encoding="utf-8")
    return path


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text("name,email\nAda,ada@example.org\n", encoding="utf-8")
    return path


@needs_samples
@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("Test_minimal_data_set.zip", "oneroster-1.1"),
        ("v1p2_full_dataset.zip", "oneroster-1.2"),
    ],
)
def test_run_cohort_takes_packages_of_other_systems(package: str, source: str) -> None:
    told = run(
        SAMPLES / "oneroster" / package,
        SAMPLES / "gift" / "numerical1.gift",
        *("--class", PHYSICS),
    )

    assert told.splitlines()[0] == "Questions: numerical1.gift, read as utf-8"
    assert f"Roster: {source}, read as utf-8" in told
    assert "  3 created, 0 updated, 0 unchanged, 0 refused" in told
    assert "“Introduction to Physics” of “Own” with 9 questions" in told
    cohort = Cohort.objects.get()
    assert (cohort.enrollments.enrolled().count(), cohort.staff.count()) == (2, 1)


@needs_samples
def test_run_cohort_lists_the_classes_to_choose_from() -> None:
    with pytest.raises(CommandError) as refused:
        run(
            SAMPLES / "oneroster" / "v1p2_full_dataset.zip",
            SAMPLES / "gift" / "numerical1.gift",
        )

    assert refused.value.returncode == 1
    assert "  --class cls-222-123478  (History - 2)" in str(refused.value).splitlines()


@needs_samples
@pytest.mark.parametrize("gift", sorted(SAMPLES.glob("gift/*.gift")), ids=lambda path: path.stem)
def test_run_cohort_reads_or_explains_every_question_file(gift: Path, roster: Path) -> None:
    try:
        told = run(roster, gift, "--dry-run")
    except CommandError as refused:
        told = str(refused)

    assert "Nothing was changed." in told or told.startswith("No question")
    assert not Program.objects.exists()


def test_run_cohort_reports_bad_rows_and_leaves_them_out(bank: Path, tmp_path: Path) -> None:
    path = tmp_path / "alt.csv"
    path.write_bytes(
        "name;e-mail\r\nZoë Müller;zoe@example.org\r\nZoe;ZOE@example.org\r\nX;\r\n".encode(
            "cp1252"
        )
    )

    told = run(path, bank)

    assert told.splitlines()[3:9] == [
        "Roster: csv, read as windows-1252 (a guess: look at the accents)",
        "  line     2  created    Zoë Müller: contact.created, enrolled",
        "  line     3  refused    The e-mail address “ZOE@example.org” is already in line 2. "
        "(column “e-mail”) [duplicate-email]",
        "  line     4  refused    The row has neither an e-mail nor an identifier. "
        "(column “e-mail”) [missing-identifier]",
        "  1 created, 0 updated, 0 unchanged, 2 refused",
        "Ready: “Own” of “Own” with one question. http://a.localhost:8000/admin/",
    ]
    assert told.endswith("exit 3")
    assert CohortEnrollment.objects.count() == 1


def test_run_cohort_dry_changes_nothing(bank: Path, roster: Path) -> None:
    told = run(roster, bank, "--dry-run")

    assert told.splitlines()[-1] == (
        "Dry run: “Own” of “Own” with one question would be ready. Nothing was changed."
    )
    assert not Program.objects.exists()
    assert not Cohort.objects.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"foo,bar\n1,2\n", "missing-columns"),
        (b"", "empty"),
        (b"PK\x03\x04 this is no archive", "damaged-package"),
        (b"\xd0\xcf\x11\xe0 an old spreadsheet", "spreadsheet"),
    ],
    ids=["missing columns", "empty", "bad zip", "spreadsheet"],
)
def test_run_cohort_says_why_a_roster_cannot_be_used(
    bank: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "roster"
    path.write_bytes(content)

    with pytest.raises(CommandError) as refused:
        run(path, bank)

    assert str(refused.value).startswith("Nothing of the roster can be used.")
    assert f"[{message}" in str(refused.value)
    assert not Program.objects.exists()


def test_run_cohort_says_which_file_is_missing(bank: Path, tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.csv"

    with pytest.raises(CommandError) as refused:
        run(missing, bank)

    assert str(refused.value) == f"{missing} cannot be read: No such file or directory."


def test_run_cohort_says_which_organisations_there_are(bank: Path, roster: Path) -> None:
    with pytest.raises(CommandError) as refused:
        run(roster, bank, organization="nobody")

    assert str(refused.value) == "There is no organisation “nobody”. There are: a, b."


@pytest.mark.parametrize(
    "words",
    [("--pass-percent", "101"), ("--pass-percent", "NaN"), ("--draw", "0"), ("--program", " ")],
    ids=" ".join,
)
def test_run_cohort_refuses_what_it_cannot_understand(
    bank: Path, roster: Path, words: tuple[str, str]
) -> None:
    with pytest.raises(CommandError):
        run(roster, bank, *words)
