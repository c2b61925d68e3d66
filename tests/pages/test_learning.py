"""The start page, courses and their items."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from apps.assessment.models import AssessmentAttempt, AssessmentWindow
from apps.cohorts.models import CohortEnrollment, CohortStatus, CourseProgress, EnrollmentState
from apps.cohorts.services import Meeting, enroll, invite, schedule_session, withdraw
from apps.core.clock import now
from apps.requirements.graph import EdgeKind, EdgeSpec, NodeKind, NodeSpec
from tests.assessment.factories import RIGHT, WITH_ESSAY
from tests.clients import browser
from tests.cohorts.factories import event_types, open_cohort, states
from tests.factories import member
from tests.pages.factories import Study, study
from tests.programs.factories import Item, published_course, published_program
from tests.programs.statements import statements
from tests.requirements.factories import published_set

pytestmark = pytest.mark.django_db


def text(client: Client, path: str, *, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_a_stranger_is_sent_to_the_sign_in_page() -> None:
    response = browser().get("/account")

    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/account")


def test_the_start_page_of_somebody_without_an_enrolment_says_so() -> None:
    assert "Nothing to learn at the moment" in text(browser(member()), "/")


def test_the_start_page_shows_what_concerns_the_learner() -> None:
    own = study(attempts_allowed=None)
    own.handed_in()
    attempt = own.started()
    soon = now() + timedelta(hours=1)
    schedule_session(
        cohort=own.cohort,
        meeting=Meeting("Kick-off", location="Room 4"),
        starts_at=soon,
        ends_at=soon + timedelta(hours=1),
        actor=None,
    )

    page = text(browser(own.learner), "/")

    assert f"/attempts/{attempt.id}" in page
    assert "Kick-off" in page
    assert "Room 4" in page
    assert "100 %" in page
    assert own.path(f"/items/{own.item('intro').id}") in page


def test_the_start_page_names_what_is_due_until_it_is_handed_in() -> None:
    own = study()
    AssessmentWindow.objects.create(
        cohort=own.cohort, template=own.template, due_at=now() + timedelta(days=3)
    )
    client = browser(own.learner)

    before = text(client, "/")
    own.handed_in()

    assert "due on" in before
    assert "due on" not in text(client, "/")


def test_the_start_page_takes_as_many_statements_for_twenty_enrolments_as_for_two() -> None:
    own = study()
    for number in range(2, 21):
        cohort = open_cohort(own.cohort.program_version, slug=f"cohort-{number}")
        if number == 3:
            client = browser(own.learner)
            with_two = statements(client, "/")
        enroll(cohort=cohort, contact=own.learner, actor=None, at=now())

    assert statements(client, "/") == with_two
    assert CohortEnrollment.objects.count() == 20


def test_the_start_page_has_no_draft_of_what_is_over() -> None:
    own = study()
    own.cohort.status = CohortStatus.ENDED
    own.cohort.save(update_fields=["status"])

    page = text(browser(own.learner), "/")

    assert "Earlier" in page
    assert "Go on:" not in page


def completed(own: Study, *keys: str) -> Client:
    """Return the learner's browser, which has marked these items as done."""
    client = browser(own.learner)
    for key in keys:
        client.post(own.path(f"/items/{own.item(key).id}/complete"))
    return client


def test_the_start_page_suggests_nothing_that_was_handed_in_and_waits() -> None:
    own = study(questions=WITH_ESSAY)
    client = completed(own, "intro", "film")
    own.handed_in({**RIGHT, "causes": "Bread"})

    page = text(client, "/")

    assert "Go on:" not in page
    assert "Handed in; the result is awaited:" in page
    assert "being graded" in page
    assert "All items are done" not in page
    assert "What is left is locked" not in page


def test_the_start_page_leads_back_into_a_running_attempt() -> None:
    own = study()
    client = completed(own, "intro", "film")
    attempt = own.started()

    assert text(client, "/").count(f'href="/attempts/{attempt.id}"') == 2


def test_the_start_page_suggests_another_attempt_only_while_one_is_left() -> None:
    once, twice = study(attempts_allowed=1), study(slug="autumn", attempts_allowed=2)
    for own in (once, twice):
        own.handed_in({})

    pages = [text(completed(own, "intro", "film"), "/") for own in (once, twice)]

    assert ["Go on:" in page for page in pages] == [False, True]
    assert ["What is left is locked" in page for page in pages] == [True, False]


def test_the_start_page_suggests_no_assessment_that_is_closed() -> None:
    own = study()
    AssessmentWindow.objects.create(
        cohort=own.cohort, template=own.template, closes_at=now() - timedelta(days=1)
    )

    assert "Go on:" not in text(completed(own, "intro", "film"), "/")


def test_progress_says_each_thing_to_do_once_and_nothing_that_is_locked() -> None:
    own = study()
    lock_all_behind_a_signoff(own)
    published_set(
        own.cohort.program_version.definition,
        NodeSpec(
            "quiz",
            NodeKind.ASSESSMENT_PASSED,
            title="The quiz",
            assessment=own.template.id,
            is_root=True,
        ),
        slug="award",
        purpose="certification",
    )
    client = browser(own.learner)

    page = text(client, own.path())

    assert "Have “Lab safety” signed off." in page
    assert "The quiz" in page
    assert "Pass “The quiz”." not in page


def test_progress_of_what_is_over_asks_for_nothing() -> None:
    own = study()
    lock_all_behind_a_signoff(own)
    client = browser(own.learner)

    before = text(client, own.path())
    own.cohort.status = CohortStatus.ENDED
    own.cohort.save(update_fields=["status"])

    assert "What next" in before
    assert "What next" not in text(client, own.path())


def test_a_course_page_shows_what_is_done() -> None:
    own = study()
    client = browser(own.learner)
    client.post(own.path(f"/items/{own.item('intro').id}/complete"))

    page = text(client, own.path("/courses/course-spring"))

    assert page.count('<span class="badge good">done</span>') == 1
    assert "50 %" in page


def test_complete_item_records_it_once_and_leads_to_the_next() -> None:
    own = study()
    client = browser(own.learner)
    path = own.path(f"/items/{own.item('intro').id}/complete")

    first, second = client.post(path), client.post(path)

    following = own.path(f"/items/{own.item('film').id}")
    assert (first["Location"], second["Location"]) == (following, following)
    assert event_types(own.enrollment).count("item_completed") == 1
    assert CourseProgress.objects.get(enrollment=own.enrollment).percent_complete == 50


def test_complete_item_of_an_assessment_is_refused() -> None:
    own = study()

    response = browser(own.learner).post(own.path(f"/items/{own.item('quiz').id}/complete"))

    assert response.status_code == 403
    assert "item_completed" not in event_types(own.enrollment)


def test_an_assessment_item_leads_to_the_assessment() -> None:
    own = study()

    response = browser(own.learner).get(own.path(f"/items/{own.item('quiz').id}"))

    assert response["Location"] == own.path(f"/assessments/{own.template.id}")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (EnrollmentState.WAITLISTED, "You are on the waiting list."),
        (EnrollmentState.WITHDRAWN, "You left this cohort."),
    ],
)
def test_content_is_closed_to_who_does_not_take_part(state: str, reason: str) -> None:
    own = study()
    CohortEnrollment.objects.filter(pk=own.enrollment.pk).update(
        state=state,
        waitlisted_at=now(),
        ended_at=now() if state == EnrollmentState.WITHDRAWN else None,
    )
    client = browser(own.learner)

    assert reason in text(client, own.path(f"/items/{own.item('intro').id}"), status=403)
    assert reason in text(client, own.path(f"/assessments/{own.template.id}"))


def test_an_invitation_to_a_cohort_is_accepted_once() -> None:
    ada, cohort = member(), open_cohort()
    invited = invite(cohort=cohort, contact=ada, actor=None, at=now())
    client = browser(ada)

    page = text(client, "/")
    for _ in range(2):
        client.post(f"/enrollments/{invited.id}/accept")

    assert "Accept the invitation" in page
    assert states(cohort) == {ada.display_name: "enrolled"}
    assert event_types(invited).count("enrolled") == 1


def test_who_left_cannot_come_back_by_accepting_again() -> None:
    own = study()
    withdraw(enrollment=own.enrollment, actor=None, at=now())

    browser(own.learner).post(own.path("/accept"))

    assert states(own.cohort) == {own.learner.display_name: "withdrawn"}


def test_a_course_page_takes_as_many_statements_for_many_items_as_for_few() -> None:
    ada = member()
    few, many = (
        enroll(
            cohort=open_cohort(
                published_program(
                    published_course(f"course-{count}", {"all": lessons(count)}),
                    slug=f"program-{count}",
                ),
                slug=f"cohort-{count}",
            ),
            contact=ada,
            actor=None,
            at=now(),
        )
        for count in (2, 20)
    )
    client = browser(ada)

    assert statements(client, f"/enrollments/{few.id}/courses/course-2") == statements(
        client, f"/enrollments/{many.id}/courses/course-20"
    )


def lessons(count: int) -> list[Item]:
    return [Item(f"lesson-{number}") for number in range(count)]


def test_progress_shows_courses_and_sessions() -> None:
    own = study()

    page = text(browser(own.learner), own.path())

    assert "Program-Spring" in page
    assert "Course Spring" in page
    assert "No sessions are planned." in page


def lock_all_behind_a_signoff(own: Study) -> None:
    course = own.course.definition_id
    published_set(
        own.cohort.program_version.definition,
        NodeSpec("lab", NodeKind.SIGNOFF, title="Lab safety", signoff_capability="sign_off"),
        NodeSpec("course", NodeKind.COURSE_COMPLETED, title="The course", course=course),
        EdgeSpec("lab", "course", EdgeKind.PREREQUISITE),
    )


def test_what_is_locked_says_why_everywhere() -> None:
    own = study()
    lock_all_behind_a_signoff(own)
    client = browser(own.learner)
    why = "Locked until this is done: Lab safety."

    assert "What is left is locked at the moment." in text(client, "/")
    assert text(client, own.path("/courses/course-spring")).count(why) == 3
    assert why in text(client, own.path(f"/items/{own.item('intro').id}"), status=403)
    assert why in text(client, own.path(f"/assessments/{own.template.id}"))
    assert "Have “Lab safety” signed off." in text(client, own.path())


def test_what_is_locked_can_neither_be_completed_nor_begun() -> None:
    own = study()
    lock_all_behind_a_signoff(own)
    client = browser(own.learner)

    completed = client.post(own.path(f"/items/{own.item('intro').id}/complete"))
    begun = client.post(own.path(f"/assessments/{own.template.id}/start"))

    assert (completed.status_code, begun.status_code) == (403, 403)
    assert "item_completed" not in event_types(own.enrollment)
    assert not AssessmentAttempt.objects.exists()


def foreign_paths(other: Study) -> list[str]:
    return [
        f"/items/{other.item('intro').id}",
        f"/courses/course-{other.cohort.slug}",
        f"/assessments/{other.template.id}",
    ]


def test_what_is_no_part_of_ones_program_is_not_found() -> None:
    own, other = study(), study(member(name="Bob"), slug="autumn")
    client = browser(own.learner)

    assert [client.get(own.path(rest)).status_code for rest in foreign_paths(other)] == [404] * 3
