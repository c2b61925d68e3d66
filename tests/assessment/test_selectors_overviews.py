"""The results that learners may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.assessment.models import AssessmentWindow
from apps.assessment.selectors.attempts import learner_result
from apps.assessment.selectors.overviews import released_results
from apps.assessment.services import (
    decide_attempt_release,
    decide_release,
    void_attempt,
)
from tests.assessment.factories import RIGHT, WITH_ESSAY, WRONG, Scene, scene
from tests.cohorts.factories import NOON

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def window(of: Scene, **times: Any) -> AssessmentWindow:
    return AssessmentWindow.objects.create(cohort=of.cohort, template=of.template, **times)


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
