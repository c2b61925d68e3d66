"""The safety queue: who sees a case, who takes it on, what they decide, and that it is final."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.urls import reverse

from apps.ai_logs.models import AiSafetyReview
from apps.ai_logs.selectors.safety import reviewers
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.safety import (
    NoReviewer,
    OwnConversation,
    ReviewDecided,
    assign_review,
    decide_review,
)
from apps.ai_logs.vocabulary import Rating
from apps.cohorts.models import CohortEnrollment, StaffRole
from apps.cohorts.services import add_staff, enroll
from apps.contacts.models import AdminAction, Contact
from apps.organizations.models import OrgRole
from tests.ai_logs.factories import NOON, conversation
from tests.clients import api, browser, problem_of
from tests.cohorts.factories import open_cohort
from tests.factories import contact, member, some_uuid

pytestmark = pytest.mark.django_db

PATH = "/v1/ai/safety-reviews"


@pytest.fixture
def ada() -> Contact:
    return member(OrgRole.LEARNER, name="Ada")


@pytest.fixture
def enrollment(ada: Contact) -> CohortEnrollment:
    return enroll(cohort=open_cohort(), contact=ada, actor=None, at=NOON)


@pytest.fixture
def case(ada: Contact, enrollment: CohortEnrollment) -> AiSafetyReview:
    return flagged(ada, enrollment=enrollment)


@pytest.fixture
def instructor(enrollment: CohortEnrollment) -> Contact:
    person = member(OrgRole.INSTRUCTOR, name="Ira")
    add_staff(cohort=enrollment.cohort, contact=person, role=StaffRole.INSTRUCTOR, actor=person)
    return person


def flagged(person: Contact, **terms: Any) -> AiSafetyReview:
    made = conversation(person, **terms)
    answer = made.interactions.get(role="assistant")
    give_feedback(interaction=answer, contact=person, rating=Rating.FLAG)
    return AiSafetyReview.objects.get(interaction=answer)


def url(verb: str, *args: Any) -> str:
    return reverse(f"admin:ai_logs_aisafetyreview_{verb}", args=args)


# --- Services -----------------------------------------------------------------------------------


def test_deciding_is_final_and_on_record(case: AiSafetyReview, instructor: Contact) -> None:
    done = decide_review(
        review=case, decision="confirmed", note="Reported.", actor=instructor, at=NOON
    )

    assert (done.state, done.decision, done.note) == ("decided", "confirmed", "Reported.")
    assert (done.decided_by, done.decided_at, done.assignee) == (instructor, NOON, instructor)
    action = AdminAction.objects.get(action="aisafetyreview.decided")
    assert (action.actor, action.entity_id) == (instructor, case.id)
    with pytest.raises(ReviewDecided):
        decide_review(review=case, decision="harmless", note="No.", actor=instructor, at=NOON)
    with pytest.raises(ReviewDecided):
        assign_review(review=case, assignee=None, actor=instructor)
    with pytest.raises(DatabaseError, match="the review is decided"), transaction.atomic():
        AiSafetyReview.objects.filter(pk=case.pk).update(note="Otherwise")


def test_the_database_refuses_a_decision_of_nobody(case: AiSafetyReview) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        AiSafetyReview.objects.filter(pk=case.pk).update(state="decided", decision="harmless")


def test_nobody_decides_about_their_own_conversation() -> None:
    admin = member(OrgRole.ADMIN)
    own = flagged(admin)

    with pytest.raises(OwnConversation):
        decide_review(review=own, decision="harmless", note="Me.", actor=admin, at=NOON)
    assert admin not in reviewers(own)


def test_only_who_may_decide_is_given_a_case(
    case: AiSafetyReview, instructor: Contact, ada: Contact
) -> None:
    admin, owner = member(OrgRole.ADMIN), member(OrgRole.OWNER)
    others = [ada, member(OrgRole.INSTRUCTOR), member(OrgRole.AUDITOR), contact()]

    assert set(reviewers(case)) == {instructor, admin, owner}
    for person in others:
        with pytest.raises(NoReviewer):
            assign_review(review=case, assignee=person, actor=admin)
    assert assign_review(review=case, assignee=instructor, actor=admin).assignee == instructor
    assert assign_review(review=case, assignee=instructor, actor=admin).assignee == instructor
    assert assign_review(review=case, assignee=None, actor=admin).assignee is None
    told = AdminAction.objects.filter(action="aisafetyreview.assigned").order_by("id")
    assert [one.details for one in told] == [{"to": "Ira"}, {"to": "nobody"}]


def test_a_case_without_a_cohort_is_for_who_sees_every_cohort(instructor: Contact) -> None:
    stray = flagged(member(OrgRole.LEARNER))
    admin = member(OrgRole.ADMIN)

    assert set(reviewers(stray)) == {admin}


# --- /v1 ----------------------------------------------------------------------------------------


def test_the_queue_is_told_to_who_may_see_it(
    case: AiSafetyReview, instructor: Contact, ada: Contact
) -> None:
    stray = flagged(member(OrgRole.LEARNER))
    own = {"id": str(case.id), "contact": str(ada.id), "flagged_by": str(ada.id), "state": "open"}

    listed = api(instructor).get(PATH).json()["results"]
    assert [{name: row[name] for name in own} for row in listed] == [own]
    for role in (OrgRole.ADMIN, OrgRole.AUDITOR):
        rows = api(member(role)).get(PATH).json()["results"]
        assert {row["id"] for row in rows} == {str(case.id), str(stray.id)}
    assert api(instructor).get(f"{PATH}/{stray.id}").status_code == 404
    assert api(ada).get(PATH).status_code == 403
    assert api(None).get(PATH).status_code == 401


def test_a_case_is_assigned_and_decided_over_the_api(
    case: AiSafetyReview, instructor: Contact
) -> None:
    client = api(instructor)
    given = client.post(f"{PATH}/{case.id}/assign", {"assignee": str(instructor.id)})
    decided = client.post(f"{PATH}/{case.id}/decide", {"decision": "harmless", "note": "A joke."})
    again = client.post(f"{PATH}/{case.id}/decide", {"decision": "escalated", "note": "Not so."})

    assert (given.status_code, given.json()["assignee"]) == (200, str(instructor.id))
    assert (decided.status_code, decided.json()["decision"]) == (200, "harmless")
    assert problem_of(again) == (409, "urn:assay:problem:ai-safety-review-decided")
    assert client.get(PATH, {"state": "open"}).json()["results"] == []
    assert len(client.get(PATH, {"state": "decided"}).json()["results"]) == 1
    assert client.get(PATH, {"is_unassigned": "true"}).json()["results"] == []


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("assign", {}, 422),
        ("assign", {"assignee": "nobody"}, 422),
        ("assign", {"assignee": "00000000-0000-0000-0000-000000000001"}, 404),
        ("decide", {"decision": "harmless"}, 422),
        ("decide", {"decision": "guilty", "note": "x"}, 422),
        ("decide", {"decision": "harmless", "note": "x", "by": "me"}, 422),
        ("decide", {"decision": "harmless", "note": "x" * 4001}, 422),
    ],
)
def test_what_makes_no_sense_is_refused(
    case: AiSafetyReview, instructor: Contact, action: str, body: dict[str, Any], status: int
) -> None:
    assert api(instructor).post(f"{PATH}/{case.id}/{action}", body).status_code == status
    case.refresh_from_db()
    assert (case.state, case.assignee) == ("open", None)


def test_an_auditor_looks_and_does_not_decide(case: AiSafetyReview) -> None:
    client = api(member(OrgRole.AUDITOR))

    assert client.get(f"{PATH}/{case.id}").status_code == 200
    body = {"decision": "harmless", "note": "x"}
    assert client.post(f"{PATH}/{case.id}/decide", body).status_code == 403


def test_a_list_takes_as_many_statements_for_two_as_for_twenty(
    count_statements: Callable[[Callable[[], Any]], int],
) -> None:
    admin = member(OrgRole.ADMIN)
    client, office = api(admin), browser(admin)
    for _ in range(2):
        flagged(contact())
    works: list[Callable[[], Any]] = [
        lambda: client.get(PATH),
        lambda: office.get(url("changelist")),
    ]
    for work in works:
        work()
    few = [count_statements(work) for work in works]
    for _ in range(18):
        flagged(contact())

    assert [count_statements(work) for work in works] == few


# --- Back office --------------------------------------------------------------------------------


def test_a_case_is_taken_on_and_decided_in_the_back_office(
    case: AiSafetyReview, instructor: Contact
) -> None:
    client = browser(instructor)
    queue = client.get(url("changelist"))
    assert list(queue.context["cl"].result_list) == [case]
    page = client.get(url("change", case.pk))
    assert b"Take it on" in page.content

    assert client.post(url("take", case.pk)).url == url("change", case.pk)
    assert client.get(url("assign", case.pk)).status_code == 200
    asked = client.post(url("decide", case.pk), {"decision": "escalated"})
    assert (asked.status_code, set(asked.context["form"].errors)) == (200, {"note"})
    done = client.post(url("decide", case.pk), {"decision": "escalated", "note": "To the dean."})

    assert done.url == url("change", case.pk)
    case.refresh_from_db()
    assert (case.assignee, case.decision, case.note) == (instructor, "escalated", "To the dean.")
    assert b"To the dean." in client.get(done.url).content
    assert list(client.get(url("changelist")).context["cl"].result_list) == []
    decided = client.get(url("changelist"), {"queue": "decided"})
    assert list(decided.context["cl"].result_list) == [case]


def test_others_can_not_act_on_a_case(case: AiSafetyReview) -> None:
    stranger, auditor = browser(member(OrgRole.INSTRUCTOR)), browser(member(OrgRole.AUDITOR))

    assert stranger.get(url("change", case.pk)).status_code == 404
    assert auditor.get(url("change", case.pk)).status_code == 200
    for verb in ("take", "assign", "decide"):
        assert stranger.post(url(verb, case.pk)).status_code == 404
        assert auditor.post(url(verb, case.pk)).status_code == 404
    assert browser(member(OrgRole.OWNER)).get(url("change", some_uuid())).status_code == 404


def test_a_learners_own_case_is_refused_in_the_form() -> None:
    admin = member(OrgRole.ADMIN)
    own = flagged(admin)
    page = browser(admin).post(url("decide", own.pk), {"decision": "harmless", "note": "Me."})

    assert page.status_code == 200
    assert "Nobody decides about their own conversation." in page.content.decode()
    own.refresh_from_db()
    assert own.state == "open"
