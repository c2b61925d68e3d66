"""A roster into a cohort, under /v1."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.roster.reader import MAX_BYTES
from apps.cohorts.services import add_staff
from apps.contacts.models import Contact
from apps.organizations.models import OrgRole
from tests.clients import api, browser, problem_of
from tests.cohorts.factories import open_cohort, planned_cohort, states
from tests.cohorts.roster.packages import package
from tests.factories import member

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


def told(response: Any) -> list[tuple[int, str, str]]:
    assert response.status_code == 200, response.json()
    return [
        (row["line"], row["outcome"], row["code"] or row["state"])
        for row in response.json()["rows"]
    ]


def test_a_dry_run_reports_row_by_row_and_changes_nothing(owner: APIClient, cohort: Cohort) -> None:
    before = Contact.objects.count()

    dry = post(owner, cohort, CSV.encode(), "?dry_run=1&filename=spring.csv")

    assert (dry.json()["is_dry_run"], Contact.objects.count()) == (True, before)
    assert dry.json()["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "refused": 1}
    assert dry.json()["rows"][0] == {
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
    real = post(owner, cohort, CSV.encode(), "?filename=spring.csv")
    assert real.json() == {**dry.json(), "is_dry_run": False}
    assert states(cohort) == {"Ada": "enrolled", "Ça": "enrolled"}


def test_a_roster_as_a_form_in_a_legacy_encoding(owner: APIClient, cohort: Cohort) -> None:
    file = SimpleUploadedFile("people.csv", CSV.encode("windows-1252"), "text/csv")

    response = owner.post(f"/v1/cohorts/{cohort.id}/roster", {"file": file}, format="multipart")

    assert told(response) == [
        (2, "created", "enrolled"),
        (3, "refused", "invalid-email"),
        (4, "created", "enrolled"),
    ]
    assert (response.json()["encoding"], response.json()["encoding_guessed"]) == (
        "windows-1252",
        True,
    )
    assert response.json()["rows"][0]["file"] == "people.csv"


def test_a_one_roster_package(owner: APIClient, cohort: Cohort) -> None:
    response = post(owner, cohort, package(), "?class_id=c1", content_type="application/zip")

    assert told(response) == [(2, "created", ""), (3, "created", "enrolled")]
    assert response.json()["format"] == "oneroster-1.1"
    assert list(cohort.staff.values_list("contact__display_name", "role")) == [
        ("Ada Lovelace", "instructor")
    ]


def test_several_classes_ask_which_one(owner: APIClient, cohort: Cohort) -> None:
    data = b"name,email,class id,class\nAda,a@example.org,c1,One\nBea,b@example.org,c2,Two\n"

    asked = post(owner, cohort, data)
    chosen = post(owner, cohort, data, "?class_id=c2")

    assert problem_of(asked) == (422, "urn:assay:problem:class-not-chosen")
    assert asked.json()["classes"] == [
        {"id": "c1", "title": "One"},
        {"id": "c2", "title": "Two"},
    ]
    assert told(chosen) == [(3, "created", "enrolled")]


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

    first, again, other = send(CSV.encode()), send(CSV.encode()), send(b"name,email\n")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == {**first.json(), "rows": None}
    assert problem_of(other) == (422, "urn:assay:problem:idempotency-key-reused")


def test_another_file_of_the_same_name_is_another_request(cohort: Cohort) -> None:
    page = browser(member(OrgRole.OWNER))

    def send(data: bytes) -> Any:
        file = SimpleUploadedFile("people.csv", data, "text/csv")
        return page.post(
            f"/v1/cohorts/{cohort.id}/roster", {"file": file}, headers={"Idempotency-Key": "k"}
        )

    first, other = send(CSV.encode()), send(CSV.encode().replace(b"Ada", b"Eve"))

    assert told(first)[0] == (2, "created", "enrolled")
    assert problem_of(other) == (422, "urn:assay:problem:idempotency-key-reused")


def test_an_instructor_imports_into_the_cohorts_they_staff(cohort: Cohort) -> None:
    tess = member(OrgRole.INSTRUCTOR)
    add_staff(cohort=cohort, contact=tess, role="instructor", actor=None)

    assert post(api(tess), cohort, CSV.encode()).status_code == 200
    assert post(api(member()), cohort, CSV.encode()).status_code == 403
