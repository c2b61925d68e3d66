"""Taking a course and saying what happened, under /v1."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django_tenants.utils import tenant_context
from rest_framework.test import APIClient

from apps.cohorts import ports
from apps.cohorts.events import EventType
from apps.cohorts.models import (
    Cohort,
    CohortEnrollment,
    CourseProgress,
    ProgressEvent,
)
from apps.cohorts.services import add_staff, enroll, invite
from apps.contacts.models import Contact
from apps.contacts.services import create_api_token
from apps.core.ports import Gate
from apps.organizations.models import Organization, OrgRole
from apps.programs.models import Course
from tests.clients import InsideAPIClient, api, host, problem_of
from tests.cohorts.conftest import Answer
from tests.cohorts.factories import NOON, event_types, item_of, open_cohort, person
from tests.cohorts.threads import at_once
from tests.factories import member
from tests.programs.factories import Item, published_course, published_program

MODULES = {"all": (Item("read"), Item("visit", "external"))}
UNKNOWN = "0a000000-0000-7000-8000-0000000000ff"


def free_cohort(slug: str = "free", **fields: Any) -> Cohort:
    program = published_program(published_course(slug, MODULES), slug=slug)
    return open_cohort(program, slug=slug, is_self_paced=True, **fields)


def course_of(cohort: Cohort) -> Course:
    return Course.objects.get(versions__pinned_by__version=cohort.program_version)


def address(cohort: Cohort) -> str:
    return f"/v1/courses/{course_of(cohort).id}/enroll"


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


# --- Taking a course ----------------------------------------------------------------------------


@pytest.mark.django_db
def test_enroll_answers_the_course_progress_and_again_the_same() -> None:
    cohort, ada = free_cohort(), member()
    client = api(ada)

    first, again = client.post(address(cohort)), client.post(address(cohort), {})

    enrollment, progress = CohortEnrollment.objects.get(), CourseProgress.objects.get()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json() == {
        "id": str(enrollment.id),
        "cohort": str(cohort.id),
        "contact": str(ada.id),
        "state": "enrolled",
        "course_progress": {
            "id": str(progress.id),
            "enrollment": str(enrollment.id),
            "course": str(course_of(cohort).id),
            "course_version": str(progress.course_version_id),
            "status": "not_started",
            "percent_complete": 0,
            "last_activity_at": None,
            "completed_at": None,
            "time_spent_seconds": 0,
        },
    }


@pytest.mark.django_db
def test_enroll_under_one_key_answers_201_twice() -> None:
    cohort = free_cohort()
    client = api(member())

    first, again = (
        client.post(address(cohort), {}, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")


@pytest.mark.django_db
def test_enroll_without_an_open_self_paced_cohort_is_refused() -> None:
    program = published_program(published_course("led", MODULES), slug="led")
    led = open_cohort(program, slug="led")

    response = api(member()).post(address(led))

    assert problem_of(response) == (409, "urn:assay:problem:not-open-for-enrolment")
    assert not CohortEnrollment.objects.exists()


@pytest.mark.django_db
def test_enroll_of_who_takes_the_course_with_a_group_changes_nothing() -> None:
    free = free_cohort()
    led = open_cohort(free.program_version, slug="led")
    ada = member()
    enrollment = enroll(cohort=led, contact=ada, actor=None, at=NOON)

    response = api(ada).post(address(free))

    assert (response.status_code, response.json()["id"]) == (200, str(enrollment.id))
    assert CohortEnrollment.objects.count() == 1


@pytest.mark.django_db
def test_enroll_where_no_seat_is_free_waits_without_progress() -> None:
    cohort = free_cohort(capacity=1)
    enroll(cohort=cohort, contact=person("First"), actor=None, at=NOON)
    client = api(member())

    first, again = client.post(address(cohort)), client.post(address(cohort))

    assert (first.status_code, first.json()["state"], first.json()["course_progress"]) == (
        201,
        "waitlisted",
        None,
    )
    assert (again.status_code, again.json()) == (200, first.json())


@pytest.mark.django_db
def test_enroll_by_staff_names_somebody_and_a_cohort() -> None:
    free = free_cohort()
    led = open_cohort(free.program_version, slug="led")
    tess, ada = member(OrgRole.INSTRUCTOR), person("Ada")
    add_staff(cohort=led, contact=tess, role="instructor", actor=None)
    client = api(tess)
    body = {"contact": str(ada.id)}

    here = client.post(address(free), {**body, "cohort": str(led.id)})
    there = client.post(address(free), {"contact": str(person("Bea").id)})

    assert (here.status_code, here.json()["cohort"]) == (201, str(led.id))
    assert problem_of(there)[0] == 403  # the self-paced cohort is not theirs to run
    assert CohortEnrollment.objects.get().contact == ada


@pytest.mark.django_db
def test_enroll_lets_a_learner_only_where_they_may_go() -> None:
    free = free_cohort()
    led = open_cohort(free.program_version, slug="led")
    asked = open_cohort(free.program_version, slug="asked")
    ada = member()
    invite(cohort=asked, contact=ada, actor=None, at=NOON)
    client = api(ada)

    answers = {
        "group": client.post(address(free), {"cohort": str(led.id)}),
        "somebody": client.post(address(free), {"contact": str(person("Bea").id)}),
        "invited": client.post(address(free), {"cohort": str(asked.id)}),
        "unknown": client.post(address(free), {"cohort": UNKNOWN}),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "group": 404,
        "somebody": 403,
        "invited": 201,
        "unknown": 404,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"contact": "Ada"}, [("contact", "invalid")]),
        ({"cohort": ["x"]}, [("cohort", "invalid")]),
        ({"colour": "red"}, [("colour", "unknown")]),
        ([1], [("", "invalid")]),
    ],
)
def test_enroll_with_bad_input_tells_the_field(body: Any, expected: Any) -> None:
    assert codes(api(member()).post(address(free_cohort()), body)) == expected


@pytest.mark.django_db
def test_enroll_in_a_cohort_without_the_course_is_refused() -> None:
    one, two = free_cohort("one"), free_cohort("two")

    response = api(member()).post(address(one), {"cohort": str(two.id)})

    assert problem_of(response) == (422, "urn:assay:problem:course-not-in-cohort")


@pytest.mark.django_db
def test_enroll_in_a_course_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        theirs = address(free_cohort())

    assert problem_of(api(member(OrgRole.OWNER)).post(theirs))[0] == 404
    assert not CohortEnrollment.objects.exists()


# --- Saying what happened -----------------------------------------------------------------------


@pytest.fixture
def ada(db: None) -> Contact:
    return member()


@pytest.fixture
def enrollment(ada: Contact) -> CohortEnrollment:
    return enroll(cohort=free_cohort(), contact=ada, actor=None, at=NOON)


@pytest.fixture
def client(ada: Contact) -> APIClient:
    return api(ada)


def event(enrollment: CohortEnrollment, item: str = "read", **changes: Any) -> dict[str, Any]:
    return {
        "enrollment": str(enrollment.id),
        "type": "item_completed",
        "item": str(item_of(enrollment.cohort, item).id),
        "occurred_at": "2026-03-02T13:00:00Z",
        **changes,
    }


def completed(enrollment: CohortEnrollment) -> int:
    return event_types(enrollment).count(EventType.ITEM_COMPLETED)


def test_an_event_is_accepted(client: APIClient, enrollment: CohortEnrollment) -> None:
    response = client.post("/v1/progress/events", event(enrollment, time_spent=60))

    stored = ProgressEvent.objects.get(type=EventType.ITEM_COMPLETED)
    assert response.status_code == 202
    assert response.json() == {
        "id": str(stored.id),
        "outcome": "accepted",
        "problem": None,
        "course_progress": None,
    }
    assert stored.payload == {"time_spent": 60}


def test_an_event_with_wait_is_answered_by_the_snapshot(
    client: APIClient, enrollment: CohortEnrollment
) -> None:
    response = client.post("/v1/progress/events?wait=1", event(enrollment))

    progress = response.json()["course_progress"]
    assert response.status_code == 200
    assert (progress["percent_complete"], progress["status"]) == (50, "in_progress")


def test_an_event_sent_again_is_the_same_one(
    client: APIClient, enrollment: CohortEnrollment
) -> None:
    bodies = [
        event(enrollment),
        event(enrollment),
        event(enrollment, "visit", idempotency_key="phone-1"),
        event(enrollment, "visit", idempotency_key="phone-1", occurred_at=None),
        event(enrollment, occurred_at=None, type="item_started"),
        event(enrollment, occurred_at=None, type="item_started"),
    ]

    found = [client.post("/v1/progress/events", body).json()["id"] for body in bodies]

    assert [found[0], found[2], found[4]] == [found[1], found[3], found[5]]
    assert len(set(found)) == 3


def test_a_forged_pass_is_forbidden(client: APIClient, enrollment: CohortEnrollment) -> None:
    response = client.post("/v1/progress/events", event(enrollment, type="assessment_passed"))

    assert problem_of(response) == (403, "urn:assay:problem:event-not-assertable")
    assert EventType.ASSESSMENT_PASSED not in event_types(enrollment)


def test_a_locked_item_is_told_with_its_reason(
    client: APIClient, enrollment: CohortEnrollment, answers: Answer
) -> None:
    shut = Gate(allowed=False, code="prerequisite-open", reason="Read the rules first.")
    answers(
        ports.may_open_items,
        lambda asked: {one: dict.fromkeys(items, shut) for one, items in asked.items()},
    )

    response = client.post("/v1/progress/events", event(enrollment))

    assert problem_of(response) == (403, "urn:assay:problem:item-locked")
    assert (response.json()["detail"], response.json()["reason"]) == (
        "Read the rules first.",
        "prerequisite-open",
    )


def test_a_list_of_events_has_an_outcome_each(
    client: APIClient, enrollment: CohortEnrollment
) -> None:
    batch = [
        event(enrollment),
        event(enrollment, type="course_completed"),
        {"enrollment": "me"},
        event(enrollment, "visit"),
        "nonsense",
    ]

    response = client.post("/v1/progress/events?wait=1", batch)

    outcomes = response.json()["outcomes"]
    assert response.status_code == 200
    assert [
        (one["outcome"], one["problem"] and (one["problem"]["status"], one["problem"]["type"]))
        for one in outcomes
    ] == [
        ("accepted", None),
        ("refused", (403, "urn:assay:problem:event-not-assertable")),
        ("refused", (422, "urn:assay:problem:invalid")),
        ("accepted", None),
        ("refused", (422, "urn:assay:problem:invalid")),
    ]
    assert [error["field"] for error in outcomes[2]["problem"]["errors"]] == ["enrollment", "type"]
    assert outcomes[0]["course_progress"]["percent_complete"] == 100
    assert completed(enrollment) == 2


def test_a_list_under_one_key_is_answered_the_same(
    client: APIClient, enrollment: CohortEnrollment
) -> None:
    batch = [event(enrollment), event(enrollment, type="course_completed")]

    first, again = (
        client.post("/v1/progress/events?wait=1", batch, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    )

    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert again["Idempotency-Replayed"] == "true"
    assert completed(enrollment) == 1


def test_a_list_of_more_than_1000_is_refused_whole(
    client: APIClient, enrollment: CohortEnrollment
) -> None:
    response = client.post("/v1/progress/events", [event(enrollment)] * 1001)

    assert problem_of(response) == (413, "urn:assay:problem:batch-too-large")
    assert completed(enrollment) == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"enrollment": None}, ("enrollment", "null")),
        ({"type": ["x"]}, ("type", "invalid")),
        ({"type": "x" * 51}, ("type", "max-length")),
        ({"item": "first"}, ("item", "invalid")),
        ({"occurred_at": "yesterday"}, ("occurred_at", "invalid")),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, ("occurred_at", "in-the-future")),
        ({"occurred_at": "2020-01-01T00:00:00Z"}, ("occurred_at", "before-enrolment")),
        ({"time_spent": -1}, ("time_spent", "min-value")),
        ({"time_spent": 10**15}, ("time_spent", "max-value")),
        ({"idempotency_key": "k" * 201}, ("idempotency_key", "max-length")),
        ({"score": 1}, ("score", "unknown")),
    ],
)
def test_an_event_with_bad_input_tells_the_field(
    client: APIClient,
    enrollment: CohortEnrollment,
    changes: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    response = client.post("/v1/progress/events", {**event(enrollment), **changes})

    assert codes(response) == [expected]
    assert completed(enrollment) == 0


def test_an_event_of_somebody_else_is_not_found(enrollment: CohortEnrollment) -> None:
    elsewhere = member(OrgRole.INSTRUCTOR)
    add_staff(cohort=free_cohort("other"), contact=elsewhere, role="instructor", actor=None)

    for caller in (member(), elsewhere, member(OrgRole.AUDITOR)):
        response = api(caller).post("/v1/progress/events", event(enrollment))
        assert problem_of(response) == (404, "urn:assay:problem:not-found")
    assert completed(enrollment) == 0


def test_events_are_listed_to_whom_they_concern(
    client: APIClient, ada: Contact, enrollment: CohortEnrollment
) -> None:
    client.post("/v1/progress/events", event(enrollment))
    other = enroll(cohort=enrollment.cohort, contact=person("Bea"), actor=None, at=NOON)

    listed = client.get("/v1/progress/events?type=item_completed").json()["results"]

    assert [(one["type"], one["contact"], one["asserted_by"]) for one in listed] == [
        ("item_completed", str(ada.id), str(ada.id))
    ]
    theirs = other.events.first()
    assert theirs is not None
    assert client.get(f"/v1/progress/events/{theirs.id}").status_code == 404
    assert api(member(OrgRole.AUDITOR)).get(f"/v1/progress/events/{theirs.id}").status_code == 200


def test_an_event_of_another_organisation_is_not_found(
    client: APIClient, enrollment: CohortEnrollment, org_b: Organization
) -> None:
    with tenant_context(org_b):
        theirs = enroll(cohort=free_cohort(), contact=person("Ada"), actor=None, at=NOON)
        body = event(theirs)

    assert problem_of(client.post("/v1/progress/events", body))[0] == 404
    assert (
        problem_of(client.post("/v1/progress/events", {**body, "enrollment": str(enrollment.id)}))[
            0
        ]
        == 404
    )
    with tenant_context(org_b):
        assert completed(theirs) == 0


# --- At the same moment -------------------------------------------------------------------------


def posting(secret: str, where: str, body: Any, key: str = "") -> tuple[int, Any]:
    """Post as the bearer of a token and return status and body; for a thread of its own."""
    caller = InsideAPIClient(SERVER_NAME=host(), raise_request_exception=False)
    headers = {"Authorization": f"Bearer {secret}"}
    response = caller.post(
        where, body, headers={**headers, "Idempotency-Key": key} if key else headers
    )
    return response.status_code, response.json()


@pytest.mark.parametrize("key", ["", "k"])
def test_eight_enrols_at_once_are_one_with_the_same_answer(own_database: str, key: str) -> None:
    cohort, ada = free_cohort(), member()
    _row, secret = create_api_token(contact=ada, name="phone")
    where = address(cohort)

    found = at_once(*[partial(posting, secret, where, {}, key)] * 8)

    enrollment = CohortEnrollment.objects.get()
    assert [body for _status, body in found] == [found[0][1]] * 8
    assert found[0][1]["id"] == str(enrollment.id)
    assert found[0][1]["course_progress"]["percent_complete"] == 0
    statuses = sorted(status for status, _body in found)
    assert statuses == ([201] * 8 if key else [200] * 7 + [201])
    assert event_types(enrollment) == [EventType.ENROLLED]


@pytest.mark.parametrize("key", ["", "k"])
@pytest.mark.parametrize("query", ["", "?wait=1"])
def test_eight_events_at_once_are_one_with_the_same_answer(
    own_database: str, key: str, query: str
) -> None:
    cohort, ada = free_cohort(), member()
    enrollment = enroll(cohort=cohort, contact=ada, actor=None, at=NOON)
    _row, secret = create_api_token(contact=ada, name="phone")
    body = event(enrollment, occurred_at=None)

    found = at_once(*[partial(posting, secret, f"/v1/progress/events{query}", body, key)] * 8)

    assert found == [found[0]] * 8
    assert found[0][0] == (200 if query else 202)
    assert completed(enrollment) == 1
