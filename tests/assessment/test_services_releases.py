"""A result counts from the moment it is released: the learner is owed a step then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.assessment.services import decide_attempt_release, decide_release
from apps.assessment.vocabulary import ReleasePolicy
from apps.cohorts.services.progress import ADVANCE
from apps.core.models import OutboxMessage
from tests.assessment.factories import RIGHT, scene
from tests.cohorts.factories import NOON

pytestmark = pytest.mark.django_db


def owed() -> list[str]:
    return list(OutboxMessage.objects.filter(topic=ADVANCE).values_list("key", flat=True))


def test_decide_release_owes_a_step_to_each_learner_who_took_it() -> None:
    stage = scene(release_policy=ReleasePolicy.MANUAL)
    stage.graded(RIGHT)
    OutboxMessage.objects.all().delete()

    decide_release(
        template=stage.template, cohort=stage.cohort, is_released=True, actor=stage.grader
    )

    assert owed() == [str(stage.enrollment.id)]


def test_decide_attempt_release_owes_a_step() -> None:
    stage = scene(release_policy=ReleasePolicy.MANUAL)
    attempt = stage.graded(RIGHT)
    OutboxMessage.objects.all().delete()

    decide_attempt_release(attempt=attempt, is_released=False, actor=stage.grader)

    assert owed() == [str(stage.enrollment.id)]


def test_grading_before_the_due_date_owes_a_step_for_then() -> None:
    stage = scene(release_policy=ReleasePolicy.AFTER_DUE)
    due = NOON + timedelta(days=2)
    stage.cohort.assessment_windows.create(template=stage.template, due_at=due)

    stage.graded(RIGHT)

    assert OutboxMessage.objects.filter(topic=ADVANCE, available_at=due).count() == 1
