"""What one whole attempt of ten items costs in SQL statements, without the web around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.models import AssessmentAttempt
from apps.assessment.selectors.attempts import attempt_paper, learner_result
from apps.assessment.services import (
    Answer,
    grade_attempt,
    save_responses,
    start_attempt,
    submit_attempt,
)
from apps.assessment.vocabulary import Kind
from tests.assessment.factories import Question, Scene, learner_of, scene
from tests.cohorts.factories import NOON

pytestmark = pytest.mark.django_db

TEN = tuple(Question(f"q{number}", Kind.TRUE_FALSE, {"correct": True}) for number in range(10))


def statements(work: Callable[[], Any]) -> int:
    """Return how many statements `work` sends; savepoints are those of the test's transaction."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return sum("SAVEPOINT" not in query["sql"] for query in captured.captured_queries)


def test_a_whole_attempt_stays_within_its_budget_of_statements() -> None:
    it = scene(TEN)
    before = Scene(it.version, it.cohort, learner_of(it.cohort, "Bo"), it.grader, it.items)
    before.graded(dict.fromkeys(it.items, True))
    spent: dict[str, int] = {}
    spent["start"] = statements(
        lambda: start_attempt(
            enrollment=it.enrollment, template=it.template, actor=it.learner, at=NOON
        )
    )
    attempt = AssessmentAttempt.objects.select_related("enrollment").get(contact=it.learner)

    answers = [Answer(item.id, True, 1) for item in it.items.values()]
    spent["open"] = statements(lambda: attempt_paper(attempt))
    spent["save"] = statements(
        lambda: save_responses(
            attempt_id=attempt.id, answers=answers, contact_id=it.learner.id, at=NOON
        )
    )
    spent["submit"] = statements(lambda: submit_attempt(attempt=attempt, actor=it.learner, at=NOON))
    spent["grade"] = statements(lambda: grade_attempt(attempt.id, at=NOON))
    spent["review"] = statements(lambda: learner_result(attempt, at=NOON))

    assert spent == {"start": 5, "open": 1, "save": 1, "submit": 5, "grade": 12, "review": 4}
