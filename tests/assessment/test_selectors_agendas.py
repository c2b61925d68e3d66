"""What assessments ask of many enrolments at one moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.assessment.models import Accommodation, AssessmentWindow
from apps.assessment.rules.policy import StartRefusal
from apps.assessment.selectors.agendas import Placed, Taking, agenda
from apps.assessment.selectors.papers import version_terms
from apps.assessment.services import submit_attempt, void_attempt
from apps.contacts.services import merge_contacts
from tests.assessment.factories import WRONG, Scene, scene
from tests.cohorts.factories import NOON, person

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def window(of: Scene, **times: Any) -> AssessmentWindow:
    return AssessmentWindow.objects.create(cohort=of.cohort, template=of.template, **times)


def due(of: Scene, *, days: int = 14) -> list[Any]:
    found = agenda([of.enrollment], at=NOON).due([of.enrollment], before=NOON + days * DAY)
    return [entry.due_at for entry in found]


def running(of: Scene, at: datetime = NOON) -> list[tuple[Any, str]]:
    return [(one.attempt_id, one.title) for one in agenda([of.enrollment], at=at).running()]


def taking(of: Scene, at: datetime = NOON) -> Taking:
    placed = Placed(of.template.id, version_terms(of.version))
    return agenda([of.enrollment], at=at).taking(of.enrollment, placed)


def test_open_attempts_are_those_that_still_take_answers() -> None:
    quiz = scene(time_limit_seconds=600)
    attempt = quiz.start()

    assert running(quiz) == [(attempt.id, "Quiz")]
    assert running(quiz, NOON + DAY) == []
    quiz.submit(attempt)
    assert running(quiz) == []


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


def test_taking_tells_what_runs_and_what_was_handed_in() -> None:
    quiz = scene(attempts_allowed=2)
    assert taking(quiz) == Taking(running=None, handed_in=None, refusal=None)

    first = quiz.start()
    assert taking(quiz) == Taking(running=first.id, handed_in=None, refusal=None)
    quiz.submit(first)
    assert taking(quiz) == Taking(running=None, handed_in=first.id, refusal=None)
    void_attempt(attempt_id=first.id, actor=quiz.grader, reason="copied", at=NOON)
    assert taking(quiz) == Taking(running=None, handed_in=None, refusal=None)


def test_taking_says_why_no_other_attempt_can_be_started() -> None:
    quiz = scene(attempts_allowed=1)
    only = quiz.graded(WRONG)
    none_left = StartRefusal("no-attempts-left", "All allowed attempts have been made.")

    assert taking(quiz) == Taking(running=None, handed_in=only.id, refusal=none_left)
    Accommodation.objects.create(
        contact=quiz.learner, extra_attempts=1, reason="fire drill", granted_by=quiz.grader
    )
    assert taking(quiz).refusal is None
    window(quiz, closes_at=NOON + DAY)
    closed = taking(quiz, NOON + 2 * DAY).refusal
    assert closed == StartRefusal("closed", "This assessment is closed.")
