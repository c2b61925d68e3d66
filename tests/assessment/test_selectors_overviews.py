"""What learners see of many assessments at once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.assessment.models import Accommodation, AssessmentWindow
from apps.assessment.selectors.attempts import learner_result
from apps.assessment.selectors.overviews import due_dates, open_attempts, released_results
from apps.assessment.services import (
    decide_attempt_release,
    decide_release,
    submit_attempt,
    void_attempt,
)
from apps.contacts.services import merge_contacts
from tests.assessment.factories import RIGHT, WITH_ESSAY, WRONG, Scene, scene
from tests.cohorts.factories import NOON, person

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def window(of: Scene, **times: Any) -> AssessmentWindow:
    return AssessmentWindow.objects.create(cohort=of.cohort, template=of.template, **times)


def due(of: Scene, *, days: int = 14) -> list[Any]:
    found = due_dates([of.enrollment], after=NOON, before=NOON + days * DAY)
    return [entry.due_at for entry in found]


def test_open_attempts_are_those_that_still_take_answers() -> None:
    quiz = scene(time_limit_seconds=600)
    attempt = quiz.start()
    ids = [quiz.enrollment.id]

    found = open_attempts(ids, at=NOON)

    assert [(one.attempt_id, one.title) for one in found] == [(attempt.id, "Quiz")]
    assert open_attempts(ids, at=NOON + DAY) == []
    quiz.submit(attempt)
    assert open_attempts(ids, at=NOON) == []


def test_due_dates_are_named_until_something_was_handed_in() -> None:
    quiz = scene()
    window(quiz, due_at=NOON + 3 * DAY)

    assert due(quiz) == [NOON + 3 * DAY]
    assert due(quiz, days=2) == []
    attempt = quiz.start()
    assert due(quiz) == [NOON + 3 * DAY]
    submit_attempt(attempt=attempt, actor=quiz.learner, at=NOON)
    assert due(quiz) == []


def test_due_dates_count_the_accommodation_for_the_assessment_before_that_for_all() -> None:
    quiz = scene()
    window(quiz, opens_at=NOON, due_at=NOON + 2 * DAY)
    fields = {"contact": quiz.learner, "reason": "dyslexia", "granted_by": quiz.grader}
    Accommodation.objects.create(time_multiplier=Decimal(2), **fields)

    for_all = due(quiz)
    Accommodation.objects.create(time_multiplier=Decimal("1.5"), template=quiz.template, **fields)

    assert (for_all, due(quiz)) == ([NOON + 4 * DAY], [NOON + 3 * DAY])


def test_due_dates_count_what_was_granted_to_an_alias() -> None:
    quiz = scene()
    window(quiz, opens_at=NOON, due_at=NOON + 2 * DAY)
    alias = person("Alias")
    Accommodation.objects.create(
        contact=alias, time_multiplier=Decimal(2), reason="dyslexia", granted_by=quiz.grader
    )
    merge_contacts(source=alias, into=quiz.learner, actor=None)

    assert due(quiz) == [NOON + 4 * DAY]


@pytest.mark.parametrize("policy", ["immediately", "after_due", "manual"])
@pytest.mark.parametrize("decision", [None, "cohort", "attempt", "held"])
@pytest.mark.parametrize("days", [0, 9])
def test_released_results_agree_with_each_attempts_own_page(
    policy: str, decision: str | None, days: int
) -> None:
    quiz = scene(WITH_ESSAY, release_policy=policy)
    window(quiz, due_at=NOON + WEEK)
    attempt = quiz.graded(RIGHT)
    if decision in ("cohort", "held"):
        decide_release(
            template=quiz.template, cohort=quiz.cohort, is_released=True, actor=quiz.grader
        )
    if decision in ("attempt", "held"):
        decide_attempt_release(
            attempt=attempt, is_released=decision == "attempt", actor=quiz.grader
        )
    at = NOON + days * DAY

    listed = [one.attempt_id for one in released_results([quiz.enrollment.id], at=at)]

    page = learner_result(attempt, at=at)
    assert listed == ([attempt.id] if page else [])


def test_released_results_are_the_newest_of_each_attempt_without_void_ones() -> None:
    quiz = scene()
    first, second, third = quiz.graded(WRONG), quiz.graded(RIGHT), quiz.graded(RIGHT)
    void_attempt(attempt_id=third.id, actor=quiz.grader, reason="copied", at=NOON)

    found = released_results([quiz.enrollment.id], at=NOON)

    assert [(one.attempt_id, one.passed) for one in found] == [
        (second.id, True),
        (first.id, False),
    ]
