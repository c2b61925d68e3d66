"""The gradebook of the back office."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.models import AssessmentAttempt, AssessmentResult
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import enroll, withdraw
from apps.contacts.models import AdminAction
from apps.core.ids import uuid7
from apps.organizations.models import OrgRole
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    WRONG,
    Scene,
    cohort_with,
    learner_of,
    published_assessment,
    scene,
    staff_of,
)
from tests.clients import browser
from tests.cohorts.factories import NOON, person
from tests.factories import member

pytestmark = pytest.mark.django_db

PAGE = "/admin/assessment/cohortgradebook/"
PAGE_STATEMENTS = 11
"""Whatever the number of learners: those that tell who is calling too."""


@pytest.fixture
def quiz() -> Scene:
    """Ada in a cohort with a quiz and an exam with an essay; she takes the quiz."""
    version, exam = published_assessment(), published_assessment(WITH_ESSAY, slug="exam")
    cohort = cohort_with(version, exam)
    return Scene(
        version=version,
        cohort=cohort,
        enrollment=learner_of(cohort),
        grader=person("Grace"),
        items={item.key: item for item in version.items.all()},
    )


def opened(as_role: str = OrgRole.OWNER, **asked: Any) -> str:
    return browser(member(as_role)).get(PAGE, asked).content.decode()


def names(page: str) -> list[str]:
    table = page.partition('class="gradebook"')[2].partition("<tbody>")[2]
    return re.findall(r'<th scope="row"><a [^>]*>(.*?)</a>', table)


def words(page: str) -> list[str]:
    """Return the states that the table tells, row by row."""
    return re.findall(
        r'<span class="state[^"]*">(.*?)</span>', page.partition('class="gradebook"')[2]
    )


def downloaded(client: Any, cohort: Any, **asked: Any) -> list[list[str]]:
    response = client.get(f"{PAGE}{cohort.id}/csv/", asked)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = response.content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_result_leads_to_the_attempt_with_its_grading_events(quiz: Scene) -> None:
    attempt = quiz.graded(RIGHT)
    client = browser(member(OrgRole.OWNER))

    page = client.get(PAGE).content.decode()
    link = re.search(r'<td><a href="([^"]*)">100 %</a>', page)

    assert link is not None
    assert link[1] == f"/admin/assessment/assessmentattempt/{attempt.id}/change/"
    assert "Grading events" in client.get(link[1]).content.decode()
    assert words(page) == ["Passed", "Not started"]


def test_an_attempt_without_a_result_can_be_opened_too(quiz: Scene) -> None:
    attempt = quiz.start()

    page = opened()

    assert f'/admin/assessment/assessmentattempt/{attempt.id}/change/">Attempt</a>' in page
    assert words(page) == ["In progress", "Not started"]


def test_it_is_narrowed_by_assessment_state_and_name(quiz: Scene) -> None:
    quiz.graded(RIGHT)
    other = Scene(quiz.version, quiz.cohort, learner_of(quiz.cohort, "Bo"), quiz.grader, quiz.items)
    other.graded(WRONG)
    learner_of(quiz.cohort, "Cy")
    template = str(quiz.template.id)

    assert names(opened()) == ["Ada", "Bo", "Cy"]
    assert names(opened(state="passed")) == ["Ada"]
    assert names(opened(state="not_passed")) == ["Bo"]
    assert names(opened(state="not_started", assessment=template)) == ["Cy"]
    assert names(opened(q="b")) == ["Bo"]
    assert words(opened(assessment=template)) == ["Passed", "Not passed", "Not started"]
    assert "Nobody matches." in opened(state="awaits_grading")


def test_the_whole_of_it_is_downloaded_as_it_is_narrowed(quiz: Scene) -> None:
    quiz.graded(RIGHT)
    learner_of(quiz.cohort, "=Bo")
    owner = member(OrgRole.OWNER)

    everything = downloaded(browser(owner), quiz.cohort)
    narrowed = downloaded(browser(owner), quiz.cohort, assessment=quiz.template.id, state="passed")

    assert everything == [
        ["Learner", "External id", "Enrolment", "Quiz (%)", "Quiz", "Exam (%)", "Exam"],
        ["'=Bo", "", "Enrolled", "", "Not started", "", "Not started"],
        ["Ada", "", "Enrolled", "100", "Passed", "", "Not started"],
    ]
    assert narrowed == [everything[0][:5], everything[2][:5]]
    records = AdminAction.objects.filter(actor=owner, action="cohortgradebook.exported")
    assert [record.details for record in records.order_by("id")] == [
        {"learners": 2},
        {"learners": 1},
    ]


def test_learners_come_in_pages_that_keep_what_was_narrowed(quiz: Scene) -> None:
    for number in range(60):
        learner_of(quiz.cohort, f"L{number:02}")

    first, last = opened(state="not_started"), opened(state="not_started", p="2")
    every = opened(p="2")

    assert (len(names(first)), names(last)) == (50, names(every))
    assert names(every) == [f"L{number:02}" for number in range(49, 60)]
    assert f"?cohort={quiz.cohort.id}&amp;state=not_started&amp;p=2" in first
    assert opened(p="x").count("<tr") == first.count("<tr")


def test_who_left_is_told_from_who_is_there(quiz: Scene) -> None:
    withdraw(enrollment=quiz.enrollment, actor=None, at=NOON)

    assert '<span class="quiet">(withdrawn)</span>' in opened()


def test_an_instructor_sees_the_cohorts_they_staff_and_not_their_own_row(quiz: Scene) -> None:
    other = cohort_with(published_assessment(slug="other"), slug="other")
    teacher = staff_of(quiz.cohort, name="Tess")
    enroll(cohort=quiz.cohort, contact=teacher, actor=None, at=NOON)
    client = browser(teacher)

    page = client.get(PAGE).content.decode()

    assert names(page) == ["Ada"]
    assert str(other.id) not in page
    assert client.get(PAGE, {"cohort": other.id}).status_code == 404
    assert client.get(f"{PAGE}{other.id}/csv/").status_code == 404
    assert client.get(f"{PAGE}{other.id}/change/").status_code == 404
    assert client.get(f"{PAGE}{quiz.cohort.id}/change/")["Location"] == (
        f"{PAGE}?cohort={quiz.cohort.id}"
    )
    assert "Tess" not in str(downloaded(client, quiz.cohort))


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"assessment": "nothing"}, 404),
        ({"assessment": "0a000000-0000-7000-8000-00000000000a"}, 404),
        ({"cohort": "nothing"}, 404),
        ({"state": "nothing", "p": "99999999999999999999", "q": "a\x00"}, 200),
    ],
)
def test_nonsense_is_not_found_or_ignored(quiz: Scene, asked: dict[str, str], status: int) -> None:
    assert browser(member(OrgRole.AUDITOR)).get(PAGE, asked).status_code == status


def test_empty_ones_say_what_is_missing() -> None:
    without_cohorts = opened()
    empty = cohort_with(slug="empty")
    without_assessments = opened(cohort=empty.id)
    without_people = opened(cohort=cohort_with(published_assessment(), slug="quiet").id)

    assert "You work with no cohort yet." in without_cohorts
    assert "This cohort takes no assessment" in without_assessments
    assert "Nobody is enrolled yet." in without_people


def with_results(it: Scene, model: AssessmentAttempt, enrollments: list[CohortEnrollment]) -> None:
    """Give each of them a copy of this attempt and of its result."""
    result = AssessmentResult.objects.current().get(attempt=model)
    attempts, results = [], []
    for enrollment in enrollments:
        attempt = AssessmentAttempt.objects.get(pk=model.pk)
        attempt.pk, attempt.enrollment, attempt.contact = uuid7(), enrollment, enrollment.contact
        copy = AssessmentResult.objects.get(pk=result.pk)
        copy.pk, copy.attempt = uuid7(), attempt
        attempts.append(attempt)
        results.append(copy)
    AssessmentAttempt.objects.bulk_create(attempts)
    AssessmentResult.objects.bulk_create(results)


def test_a_page_takes_as_many_statements_for_2_20_and_200_learners() -> None:
    it = scene()
    attempt = it.graded(RIGHT)
    client = browser(member(OrgRole.OWNER))
    client.get(PAGE)  # what is cached is cached
    pages, files = {}, {}
    for learners in (2, 20, 200):
        new = learners - it.cohort.enrollments.count()
        people = [learner_of(it.cohort, f"L{learners}-{number}") for number in range(new)]
        with_results(it, attempt, people)
        with CaptureQueriesContext(connection) as captured:
            page = client.get(PAGE).content.decode()
        assert len(names(page)) == min(learners, 50)
        pages[learners] = len(captured)
        with CaptureQueriesContext(connection) as captured:
            rows = downloaded(client, it.cohort)
        assert [row[3] for row in rows[1:]] == ["100"] * learners
        files[learners] = len(captured)

    assert pages == dict.fromkeys((2, 20, 200), PAGE_STATEMENTS)
    assert len(set(files.values())) == 1
