"""A roster into a cohort, under /v1."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.cohorts.models import Cohort, CohortEnrollment, RosterImport
from apps.cohorts.roster.reader import MAX_BYTES
from apps.cohorts.services import IMPORT, add_staff
from apps.contacts.models import Contact
from apps.organizations.models import OrgRole
from tests.clients import api, browser, problem_of
from tests.cohorts.factories import open_cohort, planned_cohort, states
from tests.cohorts.roster.packages import package
from tests.factories import member
from tests.outbox import drain

pytestmark = pytest.mark.django_db

CSV = "name,email,external id\nAda,ada@example.org,1\nBea,nonsense,2\nÇa,ca@example.org,3\n"


@pytest.fixture
def cohort() -> Cohort:
    return open_cohort()


@pytest.fixture
def owner() -> APIClient:
    return api(member(OrgRole.OWNER))


def post(client: APIClient, cohort: Cohort, data: bytes, query: str = "", **more: Any) -> Any:
    more.setdefault("content_type", "text/csv")
    return client.post(f"/v1/cohorts/{cohort.id}/roster{query}", data, **more)


def done(client: APIClient, response: Any) -> dict[str, Any]:
    """Return the import once the worker is through."""
    assert response.status_code == 202, response.json()
    drain(IMPORT)
    found: dict[str, Any] = client.get(response["Location"]).json()
    return found


def rows(client: APIClient, asked: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(
        f"/v1/roster-imports/{asked['id']}/rows{query}"
    ).json()["results"]
    return found


def told(client: APIClient, response: Any) -> list[tuple[int, str, str]]:
    asked = done(client, response)
    assert asked["status"] == "done", asked
    return [
        (row["line"], row["outcome"], row["code"] or row["state"]) for row in rows(client, asked)
    ]


def test_a_trial_reports_row_by_row_and_changes_nothing(owner: APIClient, cohort: Cohort) -> None:
    before = Contact.objects.count()

    begun = post(owner, cohort, CSV.encode(), "?dry_run=1&filename=spring.csv")
    waiting = owner.get(begun["Location"]).json()
    asked = done(owner, begun)

    assert begun.json() == waiting
    assert (waiting["status"], waiting["rows_total"], waiting["counts"]) == ("waiting", None, {})
    assert Contact.objects.count() == before
    assert {**asked, "started_at": None, "finished_at": None} == {
        **waiting,
        "status": "done",
        "rows_total": 3,
        "rows_done": 3,
        "format": "csv",
        "encoding": "utf-8",
        "counts": {"created": 2, "updated": 0, "unchanged": 0, "refused": 1},
    }
    assert rows(owner, asked)[0] == {
        "position": 1,
        "file": "spring.csv",
        "line": 2,
        "name": "Ada",
        "outcome": "created",
        "did": ["contact.created", "enrolled"],
        "state": "enrolled",
        "code": "",
        "message": "",
        "column": "",
    }
    assert [row["line"] for row in rows(owner, asked, "?outcome=refused")] == [3]
    assert problem_of(owner.get(f"{begun['Location']}/rows?outcome=lost"))[0] == 422


def test_a_trial_is_confirmed_once(owner: APIClient, cohort: Cohort) -> None:
    trial = done(owner, post(owner, cohort, CSV.encode(), "?dry_run=1"))
    confirm = f"/v1/roster-imports/{trial['id']}/confirm"

    first, again = owner.post(confirm), owner.post(confirm)
    imported = done(owner, first)

    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert (imported["is_dry_run"], imported["confirms"]) == (False, trial["id"])
    assert rows(owner, imported) == rows(owner, trial)
    assert states(cohort) == {"Ada": "enrolled", "Ça": "enrolled"}
    listed = owner.get(f"/v1/roster-imports?cohort={cohort.id}&is_dry_run=false").json()
    assert [one["id"] for one in listed["results"]] == [imported["id"]]


def test_a_roster_as_a_form_in_a_legacy_encoding(owner: APIClient, cohort: Cohort) -> None:
    file = SimpleUploadedFile("people.csv", CSV.encode("windows-1252"), "text/csv")

    response = owner.post(f"/v1/cohorts/{cohort.id}/roster", {"file": file}, format="multipart")

    assert told(owner, response) == [
        (2, "created", "enrolled"),
        (3, "refused", "invalid-email"),
        (4, "created", "enrolled"),
    ]
    asked = owner.get(response["Location"]).json()
    assert (asked["encoding"], asked["encoding_guessed"]) == ("windows-1252", True)
    assert asked["filename"] == rows(owner, asked)[0]["file"] == "people.csv"


def test_the_report_is_a_file_that_no_spreadsheet_calculates(
    owner: APIClient, cohort: Cohort
) -> None:
    data = b'name,email\n"=cmd()",ada@example.org\nBea,"@nonsense, really"\n'
    begun = post(owner, cohort, data, "?filename=../spring 1.csv")
    asked = done(owner, begun)

    report = owner.get(f"/v1/roster-imports/{asked['id']}/report.csv")

    assert report["Content-Type"] == "text/csv; charset=utf-8"
    assert report["Content-Disposition"] == 'attachment; filename="report-spring-1-csv.csv"'
    said = list(csv.DictReader(io.StringIO(report.content.decode())))
    assert [
        (row["line"], row["name"], row["outcome"], row["did"], row["code"]) for row in said
    ] == [
        ("2", "'=cmd()", "created", "contact.created enrolled", ""),
        ("3", "", "refused", "", "invalid-email"),
    ]
    nothing = owner.get(
        f"/v1/roster-imports/{cohort.id}/report.csv", headers={"Accept": "text/csv"}
    )
    assert problem_of(nothing) == (404, "urn:assay:problem:not-found")


def test_a_one_roster_package(owner: APIClient, cohort: Cohort) -> None:
    response = post(owner, cohort, package(), "?class_id=c1", content_type="application/zip")

    assert told(owner, response) == [(2, "created", ""), (3, "created", "enrolled")]
    assert owner.get(response["Location"]).json()["format"] == "oneroster-1.1"
    assert list(cohort.staff.values_list("contact__display_name", "role")) == [
        ("Ada Lovelace", "instructor")
    ]


def test_several_classes_ask_which_one(owner: APIClient, cohort: Cohort) -> None:
    data = b"name,email,class id,class\nAda,a@example.org,c1,One\nBea,b@example.org,c2,Two\n"

    asked = done(owner, post(owner, cohort, data))
    chosen = post(owner, cohort, data, "?class_id=c2")

    assert (asked["status"], asked["problem"]["type"]) == (
        "failed",
        "urn:assay:problem:class-not-chosen",
    )
    assert asked["problem"]["classes"] == [
        {"id": "c1", "title": "One"},
        {"id": "c2", "title": "Two"},
    ]
    assert told(owner, chosen) == [(3, "created", "enrolled")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"colour,shape\nred,round\n", "missing-columns"),
        (b"PK\x03\x04 broken", "damaged-package"),
        (b"\xd0\xcf\x11\xe0 sheet", "spreadsheet"),
    ],
)
def test_a_roster_of_which_nothing_can_be_used_is_refused(
    owner: APIClient, cohort: Cohort, data: bytes, code: str
) -> None:
    response = post(owner, cohort, data)

    assert problem_of(response) == (422, "urn:assay:problem:roster-unreadable")
    assert [error["code"] for error in response.json()["errors"]] == [code]


def test_requests_without_a_usable_body_are_refused(owner: APIClient, cohort: Cohort) -> None:
    answers = [
        post(owner, cohort, b""),
        owner.post(f"/v1/cohorts/{cohort.id}/roster", {"other": "x"}, format="multipart"),
        owner.post(f"/v1/cohorts/{cohort.id}/roster", {"file": "x"}, format="multipart"),
        owner.post(f"/v1/cohorts/{cohort.id}/roster", {"file": "x"}, format="json"),
        post(owner, cohort, b"x" * (MAX_BYTES + 1)),
        post(owner, cohort, CSV.encode(), "?dry_run=maybe"),
        post(owner, cohort, CSV.encode(), "?encoding=ebcdic"),
        post(owner, cohort, CSV.encode(), "?speed=fast"),
        post(owner, planned_cohort(cohort.program_version, slug="planned"), CSV.encode()),
    ]

    assert [problem_of(answer) for answer in answers] == [
        *[(422, "urn:assay:problem:roster-missing")] * 3,
        (415, "urn:assay:problem:unsupported-media-type"),
        (413, "urn:assay:problem:roster-too-large"),
        *[(422, "urn:assay:problem:invalid")] * 3,
        (409, "urn:assay:problem:not-open-for-enrolment"),
    ]
    assert not CohortEnrollment.objects.exists()


def test_a_media_type_that_is_not_taken_is_answered_with_those_that_are(
    owner: APIClient, cohort: Cohort
) -> None:
    answer = owner.post(f"/v1/cohorts/{cohort.id}/roster", {"file": "x"}, format="json")

    accepted = ["text/csv", "application/zip", "application/octet-stream", "multipart/form-data"]
    assert answer.json() == {
        "type": "urn:assay:problem:unsupported-media-type",
        "title": "This address does not take that media type.",
        "status": 415,
        "detail": (
            'Unsupported media type "application/json" in request. Send text/csv,'
            " application/zip, application/octet-stream or multipart/form-data."
        ),
        "accepted": accepted,
    }
    assert answer["Accept"] == ", ".join(accepted)


def test_a_roster_under_one_key_is_imported_once(owner: APIClient, cohort: Cohort) -> None:
    def send(data: bytes) -> Any:
        return post(owner, cohort, data, headers={"Idempotency-Key": "k"})

    first, again = send(CSV.encode()), send(CSV.encode())
    imported = done(owner, first)
    later, other = send(CSV.encode()), send(b"name,email\n")

    assert (again.status_code, again.json()) == (202, first.json())
    assert (later.status_code, later.json()) == (202, imported)
    assert problem_of(other) == (422, "urn:assay:problem:idempotency-key-reused")
    assert RosterImport.objects.count() == 1


def test_another_file_of_the_same_name_is_another_request(cohort: Cohort) -> None:
    page = browser(member(OrgRole.OWNER))

    def send(data: bytes) -> Any:
        file = SimpleUploadedFile("people.csv", data, "text/csv")
        return page.post(
            f"/v1/cohorts/{cohort.id}/roster", {"file": file}, headers={"Idempotency-Key": "k"}
        )

    first, other = send(CSV.encode()), send(CSV.encode().replace(b"Ada", b"Eve"))

    assert told(page, first)[0] == (2, "created", "enrolled")
    assert problem_of(other) == (422, "urn:assay:problem:idempotency-key-reused")


def test_an_instructor_imports_into_the_cohorts_they_staff(cohort: Cohort) -> None:
    other = open_cohort(cohort.program_version, slug="other")
    tess, aud, ada = member(OrgRole.INSTRUCTOR), member(OrgRole.AUDITOR), member()
    add_staff(cohort=cohort, contact=tess, role="instructor", actor=None)
    owner = api(member(OrgRole.OWNER))

    begun = post(api(tess), cohort, CSV.encode(), "?dry_run=1")
    foreign = post(owner, other, CSV.encode(), "?dry_run=1")
    drain(IMPORT)

    assert (begun.status_code, post(api(ada), cohort, CSV.encode()).status_code) == (202, 403)
    where = begun["Location"], foreign["Location"]
    assert [api(tess).get(address).status_code for address in where] == [200, 404]
    assert [api(aud).get(f"{address}/rows").status_code for address in where] == [200, 200]
    assert api(aud).post(f"{where[0]}/confirm").status_code == 403
    assert api(tess).post(f"{where[1]}/confirm").status_code == 404
    assert [api(ada).get(address).status_code for address in where] == [403, 403]


def test_imports_are_listed_in_the_same_statements_for_2_and_20(
    owner: APIClient, cohort: Cohort
) -> None:
    taken = []
    for size in (2, 18):
        for _ in range(size):
            post(owner, cohort, CSV.encode(), "?dry_run=1")
        with CaptureQueriesContext(connection) as captured:
            listed = owner.get("/v1/roster-imports").json()["results"]
        taken.append((len(listed), len(captured)))

    assert [count for count, _statements in taken] == [2, 20]
    assert taken[0][1] == taken[1][1]
