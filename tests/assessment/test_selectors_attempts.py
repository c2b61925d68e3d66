"""What a learner sees of an attempt, before and after the release of its result."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.models import AssessmentWindow
from apps.assessment.selectors.attempts import attempt_paper, learner_result
from apps.assessment.services import (
    decide_attempt_release,
    decide_release,
    record_grade,
    save_response,
)
from apps.assessment.vocabulary import ReleasePolicy
from apps.contacts.models import AdminAction
from tests.assessment.factories import RIGHT, WITH_ESSAY, Scene, scene
from tests.cohorts.factories import NOON

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def shows(attempt: Any, at: Any = NOON) -> bool:
    return learner_result(attempt, at=at) is not None


def test_attempt_paper_shows_items_and_answers_but_no_key() -> None:
    it = scene(WITH_ESSAY, shuffle_options=False)
    attempt = it.start()
    it.answer(attempt, {"capital": "lyon"})

    paper = attempt_paper(attempt)

    assert [item.key for item in paper.items] == [*RIGHT, "causes"]
    capital = asdict(paper.items[0])
    assert capital == {
        "id": it.items["capital"].id,
        "key": "capital",
        "kind": "multiple_choice",
        "title": "Capital",
        "prompt_markdown": "About capital?",
        "points": Decimal(2),
        "options": (
            {"key": "paris", "text": "Paris"},
            {"key": "lyon", "text": "Lyon"},
            {"key": "rome", "text": "Rome"},
        ),
        "maximum_characters": None,
        "guidance": "",
        "value": "lyon",
        "invalid_value": None,
        "fault": "",
        "sequence": 1,
    }
    assert (paper.items[-1].maximum_characters, paper.items[-1].guidance) == (
        50,
        "Name two causes.",
    )


def test_attempt_paper_shows_what_could_not_be_read() -> None:
    it = scene()
    attempt = it.start()
    for sequence, value in ((1, "3"), (2, "three")):
        save_response(
            attempt_id=attempt.id,
            item_id=it.items["pi"].id,
            value=value,
            sequence=sequence,
            contact_id=it.learner.id,
            at=NOON,
        )

    shown = attempt_paper(attempt).items[-1]

    assert (shown.value, shown.invalid_value, shown.fault, shown.sequence) == (
        "3",
        "three",
        "unreadable-number",
        2,
    )


def test_attempt_paper_keeps_one_order_of_options_for_an_attempt() -> None:
    it = scene()
    attempt = it.start()

    orders = {
        tuple(option.key for option in attempt_paper(attempt).items[1].options) for _ in range(3)
    }

    assert len(orders) == 1
    assert sorted(orders.pop()) == ["four", "six", "three", "two"]


def test_attempt_paper_takes_one_statement_once_the_version_is_known() -> None:
    it = scene()
    attempt = it.start()

    with CaptureQueriesContext(connection) as captured:
        attempt_paper(attempt)

    assert len(captured) == 1


def test_learner_result_tells_scores_and_what_is_said_about_them() -> None:
    it = scene(WITH_ESSAY)
    attempt = it.graded({**RIGHT, "capital": "rome", "earth": False, "causes": "Rain"})
    record_grade(
        attempt_id=attempt.id,
        item_id=it.items["causes"].id,
        grader=it.grader,
        score=Decimal("2.5"),
        expected_revision=0,
        feedback="And wind?",
        at=NOON,
    )

    shown = learner_result(attempt, at=NOON)

    assert shown is not None
    assert (shown.result.score, shown.pass_percent) == (Decimal("5.5"), Decimal(60))
    assert [
        (one.item.key, one.score, one.max_score, one.remarks, one.grader_feedback)
        for one in shown.items
    ] == [
        ("capital", Decimal(0), Decimal(2), ("That is Italy.",), ""),
        ("primes", Decimal(2), Decimal(2), (), ""),
        ("earth", Decimal(0), Decimal(1), ("Sail on.",), ""),
        ("pi", Decimal(1), Decimal(1), (), ""),
        ("causes", Decimal("2.5"), Decimal(4), (), "And wind?"),
    ]


def test_learner_result_shows_the_graded_part_of_a_provisional_one() -> None:
    it = scene(WITH_ESSAY)

    shown = learner_result(it.graded({**RIGHT, "causes": "Rain"}), at=NOON)

    assert shown is not None
    assert shown.result.is_final is False
    assert shown.items[-1].score is None


def test_learner_result_is_nothing_before_grading() -> None:
    it = scene()
    attempt = it.start()

    assert not shows(attempt)


def test_learner_result_waits_for_the_due_time() -> None:
    it = scene(release_policy=ReleasePolicy.AFTER_DUE)
    AssessmentWindow.objects.create(cohort=it.cohort, template=it.template, due_at=NOON + DAY)
    attempt = it.graded(RIGHT)

    assert [shows(attempt, at) for at in (NOON, NOON + DAY)] == [False, True]


def test_learner_result_waits_for_a_recorded_release() -> None:
    it = scene(release_policy=ReleasePolicy.MANUAL)
    attempt = it.graded(RIGHT)
    assert not shows(attempt, NOON + 365 * DAY)

    decision = decide_release(
        template=it.template, cohort=it.cohort, is_released=True, actor=it.grader, reason="Board"
    )
    assert shows(attempt)
    decide_attempt_release(attempt=attempt, is_released=False, actor=it.grader, reason="Appeal")
    assert not shows(attempt)
    decide_release(template=it.template, cohort=it.cohort, is_released=True, actor=it.grader)
    assert not shows(attempt)

    first = AdminAction.objects.get(entity_id=decision.id)
    assert (first.action, first.details) == ("assessment.results_released", {"reason": "Board"})


def test_learner_result_takes_five_statements() -> None:
    it: Scene = scene()
    attempt = it.graded(RIGHT)

    with CaptureQueriesContext(connection) as captured:
        learner_result(attempt, at=NOON)

    assert len(captured) == 4
