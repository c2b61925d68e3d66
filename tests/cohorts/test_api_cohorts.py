"""Cohorts, their staff and enrolments under /v1."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django_tenants.utils import tenant_context
from rest_framework.test import APIClient

from apps.cohorts import ports
from apps.cohorts.models import Cohort, CohortEnrollment, CohortStaff, EnrollmentState
from apps.cohorts.services import add_staff, enroll, enroll_all, invite
from apps.contacts.models import AdminAction, Contact
from apps.contacts.services import merge_contacts
from apps.organizations.models import Organization, OrgRole
from tests.clients import api, problem_of
from tests.cohorts.conftest import Answer
from tests.cohorts.factories import NOON, open_cohort, people, person, planned_cohort, states
from tests.factories import member
from tests.programs.factories import draft_program, published_course, published_program
from tests.programs.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> APIClient:
    return api(member(OrgRole.OWNER))


def instructor_of(*cohorts: Cohort) -> Contact:
    tess = member(OrgRole.INSTRUCTOR)
    for cohort in cohorts:
        add_staff(cohort=cohort, contact=tess, role="instructor", actor=None)
    return tess


def two_cohorts() -> tuple[Cohort, Cohort]:
    program = published_program()
    return open_cohort(program), open_cohort(program, slug="autumn")


def ids(response: Any) -> set[str]:
    assert response.status_code == 200, response.json()
    return {row["id"] for row in response.json()["results"]}


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.json()
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def new_cohort(**changes: Any) -> dict[str, Any]:
    return {
        "slug": "spring",
        "title": "Spring",
        "starts_on": "2026-03-02",
        "timezone": "Europe/Berlin",
        **changes,
    }


def test_a_cohort_is_made_opened_and_ended(owner: APIClient) -> None:
    program = published_program()

    made = owner.post("/v1/cohorts", new_cohort(program_version=str(program.id), capacity=2))
    address = f"/v1/cohorts/{made.json()['id']}"
    changed = owner.patch(address, {"capacity": 3, "ends_on": "2026-06-30"})
    moved = [owner.post(f"{address}/{move}").json()["status"] for move in ("open", "end")]

    assert made.status_code == 201
    assert made.json() | {"id": "", "created_at": ""} == {
        "id": "",
        "program_version": str(program.id),
        "slug": "spring",
        "title": "Spring",
        "status": "planned",
        "starts_on": "2026-03-02",
        "ends_on": None,
        "is_self_paced": False,
        "capacity": 2,
        "timezone": "Europe/Berlin",
        "created_at": "",
    }
    assert (changed.json()["capacity"], changed.json()["ends_on"]) == (3, "2026-06-30")
    assert moved == ["open", "ended"]
    assert problem_of(owner.post(f"{address}/cancel")) == (409, "urn:assay:problem:cohort-state")
    assert list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True)) == [
        "cohort.created",
        "cohort.updated",
        "cohort.status",
        "cohort.status",
    ]


def test_a_cohort_opens_only_when_its_program_is_ready(owner: APIClient, answers: Answer) -> None:
    answers(ports.program_is_ready, lambda program_version_id: False)
    cohort = planned_cohort()

    response = owner.post(f"/v1/cohorts/{cohort.id}/open")

    assert problem_of(response) == (409, "urn:assay:problem:program-not-ready")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"starts_on": "soon"}, ("starts_on", "invalid")),
        ({"starts_on": "2026-02-31"}, ("starts_on", "invalid")),
        ({"ends_on": "2026-01-01"}, ("", "invalid")),
        ({"capacity": 0}, ("", "invalid")),
        ({"capacity": -1}, ("capacity", "min-value")),
        ({"capacity": 2**40}, ("capacity", "max-value")),
        ({"capacity": "many"}, ("capacity", "invalid")),
        ({"timezone": "Mars/Olympus"}, ("timezone", "timezone")),
        ({"title": ""}, ("title", "blank")),
        ({"colour": "red"}, ("colour", "unknown")),
        (
            {"program_version": "0a000000-0000-7000-8000-0000000000ff"},
            ("program_version", "does-not-exist"),
        ),
    ],
)
def test_create_cohort_with_bad_input_tells_the_field(
    owner: APIClient, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    program = published_program()

    response = owner.post("/v1/cohorts", {**new_cohort(program_version=str(program.id)), **changes})

    assert codes(response) == [expected]
    assert not Cohort.objects.exists()


def test_a_cohort_pins_a_published_version_and_its_own_slug(owner: APIClient) -> None:
    program = published_program()
    planned_cohort(program)

    draft = owner.post(
        "/v1/cohorts", new_cohort(program_version=str(draft_program(slug="x").id), slug="x")
    )
    taken = owner.post("/v1/cohorts", new_cohort(program_version=str(program.id)))

    assert problem_of(draft) == (409, "urn:assay:problem:program-not-published")
    assert codes(taken) == [("slug", "unique")]


def test_what_was_chosen_at_the_start_stays(owner: APIClient) -> None:
    cohort = planned_cohort()

    response = owner.patch(f"/v1/cohorts/{cohort.id}", {"slug": "other", "is_self_paced": True})

    assert codes(response) == [("slug", "fixed"), ("is_self_paced", "fixed")]


def test_if_match_refuses_a_cohort_that_changed_in_between(owner: APIClient) -> None:
    address = f"/v1/cohorts/{planned_cohort().id}"
    tag = owner.get(address)["ETag"]
    Cohort.objects.update(title="Theirs")

    stale = owner.patch(address, {"title": "Mine"}, headers={"If-Match": tag})

    assert problem_of(stale) == (412, "urn:assay:problem:stale")


def test_an_instructor_sees_and_runs_only_the_cohorts_they_staff() -> None:
    mine, other = two_cohorts()
    mine_one = enroll(cohort=mine, contact=person("Ada"), actor=None, at=NOON)
    other_one = enroll(cohort=other, contact=person("Bea"), actor=None, at=NOON)
    tess = api(instructor_of(mine))
    body = {"contact": str(person("Cleo").id)}

    assert ids(tess.get("/v1/cohorts")) == {str(mine.id)}
    assert ids(tess.get("/v1/enrollments")) == {str(mine_one.id)}
    assert ids(tess.get("/v1/course-progress")) == {
        str(row.id) for row in mine_one.course_progress.all()
    }
    assert {row["enrollment"] for row in tess.get("/v1/progress/events").json()["results"]} == {
        str(mine_one.id)
    }
    assert ids(tess.get("/v1/cohort-staff")) == {
        str(staff.id) for staff in CohortStaff.objects.filter(cohort=mine)
    }
    assert tess.patch(f"/v1/cohorts/{mine.id}", {"title": "Mine"}).status_code == 200
    assert tess.post(f"/v1/cohorts/{mine.id}/enrollments", body).status_code == 201
    foreign = [
        tess.get(f"/v1/cohorts/{other.id}"),
        tess.patch(f"/v1/cohorts/{other.id}", {"title": "Mine"}),
        tess.post(f"/v1/cohorts/{other.id}/end"),
        tess.post(f"/v1/cohorts/{other.id}/enrollments", body),
        tess.post(f"/v1/cohorts/{other.id}/roster", b"name,email\n", content_type="text/csv"),
        tess.get(f"/v1/enrollments/{other_one.id}"),
        tess.post(f"/v1/enrollments/{other_one.id}/withdraw"),
        tess.post("/v1/cohort-staff", {"cohort": str(other.id), "contact": body["contact"]}),
    ]
    assert [response.status_code for response in foreign] == [404] * len(foreign)
    assert states(other) == {"Bea": "enrolled"}


def test_an_instructor_makes_no_cohort() -> None:
    program = published_program()

    response = api(instructor_of()).post("/v1/cohorts", new_cohort(program_version=str(program.id)))

    assert problem_of(response)[0] == 403


def test_an_auditor_sees_all_cohorts_and_changes_none() -> None:
    one, two = two_cohorts()
    auditor = api(member(OrgRole.AUDITOR))
    enrollment = enroll(cohort=one, contact=person("Ada"), actor=None, at=NOON)

    assert ids(auditor.get("/v1/cohorts")) == {str(one.id), str(two.id)}
    refused = [
        auditor.patch(f"/v1/cohorts/{one.id}", {"title": "X"}),
        auditor.post(f"/v1/cohorts/{one.id}/end"),
        auditor.post(f"/v1/cohorts/{one.id}/enrollments", {"contact": str(person("B").id)}),
        auditor.post(f"/v1/enrollments/{enrollment.id}/withdraw"),
        auditor.post(f"/v1/enrollments/{enrollment.id}/end"),
        auditor.post(f"/v1/cohorts/{one.id}/roster", b"name,email\n", content_type="text/csv"),
    ]
    assert [response.status_code for response in refused] == [403] * len(refused)


def test_a_learner_sees_their_cohorts_and_enrolments_also_of_an_alias() -> None:
    program = published_program()
    taken, free, hidden = (
        open_cohort(program, slug="taken"),
        open_cohort(program, slug="free", is_self_paced=True),
        open_cohort(program, slug="hidden"),
    )
    ada, old = member(), person("Old")
    mine = enroll(cohort=taken, contact=old, actor=None, at=NOON)
    enroll(cohort=hidden, contact=person("Bea"), actor=None, at=NOON)
    merge_contacts(source=old, into=ada, actor=None)
    client = api(ada)

    assert ids(client.get("/v1/cohorts")) == {str(taken.id), str(free.id)}
    assert ids(client.get("/v1/enrollments")) == {str(mine.id)}
    assert ids(client.get("/v1/course-progress")) == {
        str(row.id) for row in mine.course_progress.all()
    }
    assert client.get(f"/v1/cohorts/{hidden.id}").status_code == 404
    assert client.get("/v1/cohort-staff").status_code == 403
    assert client.patch(f"/v1/cohorts/{taken.id}", {"title": "X"}).status_code == 403


def test_a_token_narrowed_to_grading_sees_no_learners() -> None:
    enroll(cohort=open_cohort(), contact=person("Ada"), actor=None, at=NOON)

    assert ids(api(member(OrgRole.OWNER), scopes=("grade",)).get("/v1/enrollments")) == set()


def test_staff_are_added_once_and_removed(owner: APIClient) -> None:
    cohort, tess = planned_cohort(), person("Tess")
    body = {"cohort": str(cohort.id), "contact": str(tess.id), "role": "grader"}

    first, again = (owner.post("/v1/cohort-staff", body) for _ in range(2))
    removed = owner.delete(f"/v1/cohort-staff/{first.json()['id']}")

    assert first.json() | {"id": "", "created_at": ""} == {
        "id": "",
        "cohort": str(cohort.id),
        "contact": str(tess.id),
        "contact_name": "Tess",
        "role": "grader",
        "created_at": "",
    }
    assert again.json()["id"] == first.json()["id"]
    assert removed.status_code == 204
    assert not CohortStaff.objects.exists()


def test_staff_of_unknown_ids_is_not_found(owner: APIClient) -> None:
    unknown = "0a000000-0000-7000-8000-0000000000ff"
    cohort, tess = planned_cohort(), person("Tess")
    good = {"cohort": str(cohort.id), "contact": str(tess.id)}

    for field in good:
        response = owner.post("/v1/cohort-staff", {**good, field: unknown})
        assert problem_of(response) == (404, "urn:assay:problem:not-found")
        assert response.json()["errors"][0]["field"] == field


def test_enrol_and_invite_a_contact_by_staff(owner: APIClient) -> None:
    cohort = open_cohort(capacity=1)
    ada, bea, cleo = people("Ada", "Bea", "Cleo")

    answers = [
        owner.post(f"/v1/cohorts/{cohort.id}/{what}", {"contact": str(contact.id)})
        for what, contact in (("enrollments", ada), ("enrollments", bea), ("invitations", cleo))
    ]

    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [
        (201, "enrolled"),
        (201, "waitlisted"),
        (201, "invited"),
    ]
    assert answers[0].json()["contact_name"] == "Ada"
    assert states(cohort) == {"Ada": "enrolled", "Bea": "waitlisted", "Cleo": "invited"}
    assert AdminAction.objects.filter(action__startswith="cohortenrollment.").count() == 3


def test_enrol_under_one_key_twice_is_one_enrolment(owner: APIClient) -> None:
    cohort, ada = open_cohort(), person("Ada")

    def post() -> tuple[int, Any]:
        response = owner.post(
            f"/v1/cohorts/{cohort.id}/enrollments",
            {"contact": str(ada.id)},
            headers={"Idempotency-Key": "k"},
        )
        return response.status_code, response.json()

    assert post() == post()
    assert AdminAction.objects.filter(action="cohortenrollment.enrolled").count() == 1


def test_enrol_into_a_planned_cohort_is_refused(owner: APIClient) -> None:
    response = owner.post(
        f"/v1/cohorts/{planned_cohort().id}/enrollments", {"contact": str(person("Ada").id)}
    )

    assert problem_of(response) == (409, "urn:assay:problem:not-open-for-enrolment")


def test_withdraw_gives_the_seat_to_who_waits(owner: APIClient) -> None:
    cohort = open_cohort(capacity=1)
    first, _second = enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)

    response = owner.post(f"/v1/enrollments/{first.id}/withdraw")

    assert response.json()["state"] == "withdrawn"
    assert states(cohort) == {"Ada": "withdrawn", "Bea": "enrolled"}


def test_a_learner_leaves_only_what_they_chose_themselves() -> None:
    program, ada = published_program(), member()
    free = enroll(
        cohort=open_cohort(program, slug="free", is_self_paced=True),
        contact=ada,
        actor=None,
        at=NOON,
    )
    led = enroll(cohort=open_cohort(program, slug="led"), contact=ada, actor=None, at=NOON)
    asked = invite(cohort=open_cohort(program, slug="asked"), contact=ada, actor=None, at=NOON)
    client = api(ada)

    answers = [client.post(f"/v1/enrollments/{e.id}/withdraw") for e in (free, led, asked)]

    assert [answer.status_code for answer in answers] == [200, 403, 200]
    assert [CohortEnrollment.objects.get(pk=e.pk).state for e in (free, led, asked)] == [
        "withdrawn",
        "enrolled",
        "withdrawn",
    ]
    assert problem_of(client.post(f"/v1/enrollments/{led.id}/end"))[0] == 403


def test_an_invitation_is_accepted_by_whom_it_was_meant_for(owner: APIClient) -> None:
    ada = member()
    enrollment = invite(cohort=open_cohort(), contact=ada, actor=None, at=NOON)
    address = f"/v1/enrollments/{enrollment.id}/accept"

    by_staff, by_other, by_ada = (
        owner.post(address),
        api(member()).post(address),
        api(ada).post(address),
    )

    assert (by_staff.status_code, by_other.status_code) == (403, 404)
    assert (by_ada.status_code, by_ada.json()["state"]) == (200, "enrolled")


def test_an_invitation_that_was_withdrawn_is_not_accepted() -> None:
    ada = member()
    enrollment = invite(cohort=open_cohort(), contact=ada, actor=None, at=NOON)
    client = api(ada)
    client.post(f"/v1/enrollments/{enrollment.id}/withdraw")

    refused = client.post(f"/v1/enrollments/{enrollment.id}/accept")

    assert problem_of(refused) == (409, "urn:assay:problem:not-invited")


@pytest.mark.parametrize(
    "name", ["cohorts", "cohort-staff", "enrollments", "course-progress", "progress/events"]
)
def test_lists_take_the_same_statements_for_2_and_20_rows(owner: APIClient, name: str) -> None:
    program = published_program()
    taken = []
    for size in (2, 18):
        for n in range(size):
            cohort = open_cohort(program, slug=f"c{size}-{n}")
            ada = person(f"P{size}x{n}")
            enroll(cohort=cohort, contact=ada, actor=None, at=NOON)
            add_staff(cohort=cohort, contact=ada, role="grader", actor=None)
        taken.append(statements(owner, f"/v1/{name}"))

    assert taken[0] == taken[1]


def test_lists_are_filtered(owner: APIClient) -> None:
    one, two = two_cohorts()
    ada = enroll(cohort=one, contact=person("Ada"), actor=None, at=NOON)
    bea = enroll(cohort=two, contact=person("Bea"), actor=None, at=NOON)

    assert ids(owner.get(f"/v1/enrollments?cohort={one.id}")) == {str(ada.id)}
    assert ids(owner.get(f"/v1/enrollments?contact={bea.contact_id}&state=enrolled")) == {
        str(bea.id)
    }
    assert ids(owner.get(f"/v1/course-progress?enrollment__cohort={two.id}")) == {
        str(row.id) for row in bea.course_progress.all()
    }
    assert ids(owner.get("/v1/cohorts?status=planned")) == set()
    assert codes(owner.get("/v1/enrollments?state=asleep")) == [("state", "invalid-choice")]


def test_a_row_of_another_organisation_is_not_found(org_b: Organization) -> None:
    with tenant_context(org_b):
        cohort = open_cohort(published_program(published_course("b"), slug="b"))
        ada = person("Ada")
        enrollment = enroll(cohort=cohort, contact=ada, actor=None, at=NOON)
        staff = add_staff(cohort=cohort, contact=ada, role="grader", actor=None)
        progress = enrollment.course_progress.get()
        event = enrollment.events.first()
    assert event is not None
    owner = api(member(OrgRole.OWNER))

    answers = [
        owner.get(f"/v1/cohorts/{cohort.id}"),
        owner.patch(f"/v1/cohorts/{cohort.id}", {"title": "X"}),
        *(
            owner.post(f"/v1/cohorts/{cohort.id}/{action}")
            for action in ("open", "end", "cancel", "enrollments", "invitations")
        ),
        owner.post(f"/v1/cohorts/{cohort.id}/roster", b"name,email\n", content_type="text/csv"),
        owner.get(f"/v1/cohort-staff/{staff.id}"),
        owner.delete(f"/v1/cohort-staff/{staff.id}"),
        owner.get(f"/v1/enrollments/{enrollment.id}"),
        *(
            owner.post(f"/v1/enrollments/{enrollment.id}/{action}")
            for action in ("accept", "withdraw", "end")
        ),
        owner.get(f"/v1/course-progress/{progress.id}"),
        owner.get(f"/v1/progress/events/{event.id}"),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    with tenant_context(org_b):
        assert CohortEnrollment.objects.get().state == EnrollmentState.ENROLLED
        assert Cohort.objects.get().starts_on == date(2026, 3, 2)
