"""The result of record over attempts, now and as it was known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.selectors.records import ResultFact, results_of_record
from apps.assessment.services import record_grade, void_attempt
from apps.assessment.vocabulary import ResultPolicy
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    WRONG,
    Scene,
    learner_of,
    result_of,
    scene,
)
from tests.cohorts.factories import NOON

pytestmark = pytest.mark.django_db

HALF_RIGHT = {**RIGHT, "capital": "rome", "pi": "0"}


def of_record(it: Scene) -> tuple[int, Decimal] | None:
    fact = results_of_record([it.enrollment.id]).get((it.enrollment.id, it.template.id))
    return (fact.attempt_no, fact.percent) if fact else None


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (ResultPolicy.HIGHEST, (2, Decimal(100))),
        (ResultPolicy.LATEST, (3, Decimal(50))),
        (ResultPolicy.FIRST, (1, Decimal(0))),
    ],
)
def test_results_of_record_follow_the_policy(policy: str, expected: tuple[int, Decimal]) -> None:
    it = scene(result_policy=policy)
    for answers in (WRONG, RIGHT, HALF_RIGHT):
        it.graded(answers)

    assert of_record(it) == expected


def test_results_of_record_tell_the_whole_fact() -> None:
    it = scene()
    attempt = it.graded(RIGHT, NOON + timedelta(hours=1))
    result = result_of(attempt)

    assert results_of_record([it.enrollment.id]) == {
        (it.enrollment.id, it.template.id): ResultFact(
            enrollment_id=it.enrollment.id,
            template_id=it.template.id,
            attempt_id=attempt.id,
            attempt_no=1,
            result_id=result.id,
            revision=1,
            score=Decimal(6),
            max_score=Decimal(6),
            percent=Decimal(100),
            passed=True,
            is_final=True,
            submitted_at=NOON + timedelta(hours=1),
            recorded_at=result.recorded_at,
            attempts=1,
        )
    }


def test_results_of_record_leave_out_void_and_unfinished_attempts() -> None:
    it = scene()
    best = it.graded(RIGHT)
    it.graded(HALF_RIGHT)
    it.start()

    void_attempt(attempt_id=best.id, actor=it.grader, reason="Copied", at=NOON)

    assert of_record(it) == (2, Decimal(50))


def test_results_of_record_as_of_a_moment_are_what_was_known_then() -> None:
    it = scene(WITH_ESSAY)
    attempt = it.graded({**RIGHT, "causes": "Rain"})
    before = result_of(attempt).recorded_at
    record_grade(
        attempt_id=attempt.id,
        item_id=it.items["causes"].id,
        grader=it.grader,
        score=Decimal(4),
        expected_revision=0,
        at=NOON,
    )
    subject = (it.enrollment.id, it.template.id)

    then = results_of_record([it.enrollment.id], as_of=before)[subject]
    now = results_of_record([it.enrollment.id])[subject]
    never = results_of_record([it.enrollment.id], as_of=before - timedelta(seconds=1))

    assert [(fact.percent, fact.is_final) for fact in (then, now)] == [
        (Decimal(60), False),
        (Decimal(100), True),
    ]
    assert never == {}


def test_results_of_record_take_one_statement_for_any_number_of_learners() -> None:
    it = scene()
    everybody = [it, *(_other(it, name) for name in ("Bo", "Cy"))]
    for one in everybody:
        one.graded(RIGHT)

    with CaptureQueriesContext(connection) as captured:
        facts = results_of_record([one.enrollment.id for one in everybody])

    assert len(captured) == 1
    assert len(facts) == 3


def _other(it: Scene, name: str) -> Scene:
    return Scene(it.version, it.cohort, learner_of(it.cohort, name), it.grader, it.items)
