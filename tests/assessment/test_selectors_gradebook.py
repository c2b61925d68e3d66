"""A cohort's results in one table."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.models import AssessmentWindow
from apps.assessment.selectors.gradebook import Column, gradebook
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    Scene,
    cohort_with,
    learner_of,
    published_assessment,
)
from tests.cohorts.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def quiz() -> Scene:
    """Two placed assessments; Ada takes the first."""
    version, exam = published_assessment(), published_assessment(WITH_ESSAY, slug="exam")
    cohort = cohort_with(version, exam)
    return Scene(
        version=version,
        cohort=cohort,
        enrollment=learner_of(cohort),
        grader=person("Grace"),
        items={item.key: item for item in version.items.all()},
    )


def test_gradebook_has_a_cell_for_every_learner_and_assessment(quiz: Scene) -> None:
    extra = published_assessment(slug="extra").definition
    AssessmentWindow.objects.create(cohort=quiz.cohort, template=extra)
    learner_of(quiz.cohort, "Bo")
    quiz.graded(RIGHT)
    quiz.submit(quiz.start())
    quiz.start()

    book = gradebook(quiz.cohort.id)

    assert [column.title for column in book.columns] == ["Quiz", "Exam", "Extra"]
    assert book.columns[2] == Column(extra.id, "Extra")
    assert [row.name for row in book.rows] == ["Ada", "Bo"]
    first = book.rows[0].cells[0]
    assert (first.attempts, first.in_progress, first.awaits_grading) == (3, True, True)
    assert first.fact is not None
    assert first.fact.percent == Decimal(100)
    assert [cell.attempts for row in book.rows for cell in row.cells] == [3, 0, 0, 0, 0, 0]


def test_gradebook_takes_as_many_statements_for_twenty_learners_as_for_one(quiz: Scene) -> None:
    quiz.graded(RIGHT)
    with CaptureQueriesContext(connection) as one:
        gradebook(quiz.cohort.id)
    for number in range(20):
        learner_of(quiz.cohort, f"L{number}")

    with CaptureQueriesContext(connection) as many:
        book = gradebook(quiz.cohort.id)

    assert len(book.rows) == 21
    assert len(many) == len(one) == 5
