"""Rosters and question files that are broken in the ways files are: reported, nothing half done."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from apps.assessment.models import BankItem, QuestionBank
from apps.cohorts.models import Cohort, CohortEnrollment, CohortStaff, CohortStatus
from apps.contacts.models import Contact, ContactChannel
from tests.bad_input.conftest import Answer, Served
from tests.cohorts.roster.packages import zipped
from tests.flows.conftest import until

pytestmark = pytest.mark.flow

HEAD = "name,email\n"
SHEET = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}


@pytest.fixture(scope="module")
def cohort(served: Served) -> Cohort:
    """An open cohort; from now on a worker works."""
    served.stack.start_worker()
    return Cohort.objects.filter(status=CohortStatus.OPEN).order_by("id")[0]


def rows() -> tuple[int, ...]:
    """Return how many rows there are of everything that a file could bring."""
    brings = (Contact, ContactChannel, CohortEnrollment, CohortStaff, QuestionBank, BankItem)
    return tuple(model._default_manager.count() for model in brings)


def upload(served: Served, cohort: Cohort, data: bytes, kind: str, query: str = "") -> Any:
    return served.client().post(
        f"/v1/cohorts/{cohort.id}/roster{query}", data=data, headers={"Content-Type": kind}
    )


def bomb() -> bytes:
    """Return an archive that is small until it is unpacked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.csv", b"\0" * 40_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "kind", "codes"),
    [
        pytest.param(b" \n\t\n", "text/csv", ["empty-file"], id="blank"),
        pytest.param(b"name,colour\nAda,red\n", "text/csv", ["missing-columns"], id="no address"),
        pytest.param(b"\xd0\xcf\x11\xe0" + b"\0" * 512, "text/csv", ["spreadsheet"], id="xls"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "text/csv", ["missing-columns"], id="png"),
        pytest.param(
            zipped(SHEET), "text/csv", ["spreadsheet"], id="a workbook that is called .csv"
        ),
        pytest.param(bomb(), "application/zip", ["suspicious-compression"], id="a bomb"),
        pytest.param(
            zipped({"users.csv": "a"}), "application/zip", ["missing-manifest"], id="a zip"
        ),
        pytest.param(
            b"PK\x03\x04" + b"\0" * 99, "application/zip", ["damaged-package"], id="half a zip"
        ),
    ],
)
def test_a_file_that_is_no_roster_is_refused_at_once(
    served: Served, cohort: Cohort, data: bytes, kind: str, codes: list[str]
) -> None:
    before = rows()

    response = upload(served, cohort, data, kind)

    assert Answer.of(response) == Answer(422, "roster-unreadable")
    assert [error["code"] for error in response.json()["errors"]] == codes
    assert rows() == before


@pytest.mark.parametrize(
    ("data", "outcomes"),
    [
        pytest.param(
            f"{HEAD}Ada,a@x.example\nBob,A@X.example\n".encode(),
            [("Ada", "created", ""), ("", "refused", "duplicate-email")],
            id="an address twice",
        ),
        pytest.param(
            f"{HEAD}José Größe,jose@x.example\n".encode("cp1252"),
            [("José Größe", "created", "")],
            id="windows-1252",
        ),
        pytest.param(
            f"{HEAD}Ťažký,t@x.example\n".encode("utf-8-sig"),
            [("Ťažký", "created", "")],
            id="a mark at the beginning",
        ),
        pytest.param(
            f"{HEAD}東京,t@x.example\n".encode("utf-16"),
            [("東京", "created", "")],
            id="utf-16",
        ),
        pytest.param(
            f"{HEAD}A\0da,a@x.example\nBob,b@x.example\n".encode(),
            [("", "refused", "control-character"), ("Bob", "created", "")],
            id="NUL in a cell",
        ),
        pytest.param(
            f'{HEAD}"Ada,a@x.example\nBob,b@x.example\n'.encode(),
            [("", "refused", "unreadable-row")],
            id="a quote that never ends",
        ),
        pytest.param(
            f"{HEAD}{'x' * 300},a@x.example\n=1+1,b@x.example\n".encode(),
            [("", "refused", "too-long"), ("=1+1", "created", "")],
            id="too long",
        ),
        pytest.param(HEAD.encode(), [], id="a header and no more"),
    ],
)
def test_rows_that_are_broken_are_told_one_by_one(
    served: Served, cohort: Cohort, data: bytes, outcomes: list[tuple[str, str, str]]
) -> None:
    before, http = rows(), served.client()

    begun = upload(served, cohort, data, "text/csv", "?dry_run=1")
    assert begun.status_code == 202, begun.text
    address = begun.headers["Location"]
    until(lambda: http.get(address).json()["status"] == "done", what="the report")

    told = http.get(f"{address}/rows").json()["results"]
    assert [(row["name"], row["outcome"], row["code"]) for row in told] == outcomes
    assert rows() == before


def test_what_is_broken_is_left_out_and_all_else_is_in(served: Served, cohort: Cohort) -> None:
    people = "".join(f"Person {n},{'no' if n % 2 else f'p{n}@x.example'}\n" for n in range(1_000))
    before, http = rows(), served.client()

    begun = upload(served, cohort, f"{HEAD}{people}".encode(), "text/csv")
    address = begun.headers["Location"]
    until(lambda: http.get(address).json()["status"] == "done", what="the import")

    assert http.get(address).json()["counts"] == {
        "created": 500,
        "updated": 0,
        "unchanged": 0,
        "refused": 500,
    }
    grown = tuple(after - b for after, b in zip(rows(), before, strict=True))
    assert grown == (500, 500, 500, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "status", "refused"),
    [
        pytest.param(b"", 422, None, id="empty"),
        pytest.param(b"::a::What?{=yes", 200, 1, id="never ends"),
        pytest.param(b"What?{=yes\0}", 200, 1, id="NUL"),
        pytest.param(zipped(SHEET), 422, None, id="a workbook"),
        pytest.param(b"\xff\xfeW", 422, None, id="half a character"),
        pytest.param(b"::ok::Is it?{T}\n\n::bad::What?{=yes\n", 200, 1, id="one of two"),
    ],
)
def test_questions_that_are_broken_are_told_one_by_one(
    served: Served, data: bytes, status: int, refused: int | None
) -> None:
    bank, before = QuestionBank.objects.order_by("id")[0], rows()

    response = served.client().post(
        f"/v1/question-banks/{bank.id}/import?dry_run=1",
        data=data,
        headers={"Content-Type": "text/plain"},
    )

    assert (response.status_code, rows()) == (status, before)
    if refused is None:
        assert Answer.of(response).problem
    else:
        assert response.json()["counts"]["refused"] == refused
