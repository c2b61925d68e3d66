"""The answer beside its rubric, in words; how far the queue is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from apps.assessment.models import GradingTask
from apps.assessment.questions.items import JsonValue
from apps.assessment.selectors.attempts import ShownOption
from apps.assessment.selectors.grading import (
    QueueProgress,
    answer_in_words,
    grading_sheet,
    queue_progress,
    without_own_work,
)
from apps.assessment.services import void_attempt
from apps.contacts.services import merge_contacts
from tests.assessment.factories import RIGHT, WITH_ESSAY, Scene, learner_of, scene
from tests.cohorts.factories import NOON, person


@dataclass(frozen=True)
class Answered:
    kind: str
    value: JsonValue
    options: tuple[ShownOption, ...] = (ShownOption("a", "Ant"), ShownOption("b", "Bee"))


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("multiple_choice", "b", ("Bee",)),
        ("multiple_response", ["a", "b"], ("Ant", "Bee")),
        ("multiple_response", [], ()),
        ("true_false", True, ("true",)),
        ("true_false", False, ("false",)),
        ("numeric", "0", ("0",)),
        ("essay", "Rain.", ("Rain.",)),
        ("essay", "  ", ()),
        ("essay", None, ()),
    ],
)
def test_answer_in_words(kind: str, value: JsonValue, words: tuple[str, ...]) -> None:
    assert answer_in_words(Answered(kind, value)) == words


@pytest.mark.django_db
def test_grading_sheet_has_the_answer_the_rubric_and_the_revision() -> None:
    it = scene(WITH_ESSAY)
    attempt = it.graded({**RIGHT, "causes": "Rain."})

    sheet = grading_sheet(attempt.grading_tasks.get())

    assert (sheet.answer, sheet.revision, sheet.rubric and sheet.rubric.max_points) == (
        ("Rain.",),
        0,
        4,
    )


@pytest.mark.django_db
def test_queue_progress_counts_no_cancelled_task() -> None:
    it = scene(WITH_ESSAY)
    for name in ("Bo", "Cy"):
        other = Scene(it.version, it.cohort, learner_of(it.cohort, name), it.grader, it.items)
        attempt = other.graded({"causes": "Rain."})
    void_attempt(attempt_id=attempt.id, actor=it.grader, reason="Copied.", at=NOON)

    assert queue_progress(GradingTask.objects.all()) == QueueProgress(open=1, done=0)


@pytest.mark.django_db
def test_without_own_work_knows_ones_aliases() -> None:
    it = scene(WITH_ESSAY)
    it.graded({"causes": "Rain."})
    survivor = person("Survivor")
    seen_before = without_own_work(GradingTask.objects.all(), survivor.id).count()

    merge_contacts(source=it.learner, into=survivor, actor=None)

    assert seen_before == 1
    assert without_own_work(GradingTask.objects.all(), survivor.id).count() == 0
