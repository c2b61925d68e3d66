"""Promise 5: what a request accepted survives the death of any worker or broker."""

from __future__ import annotations

from collections import Counter

import pytest

from apps.assessment.models import AssessmentAttempt, AssessmentResult, GradingEvent
from apps.assessment.services import Answer, save_responses, start_attempt, submit_attempt
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts import ports
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.services import enroll_all
from apps.core.clock import now
from apps.core.models import OutboxMessage
from tests.assessment.factories import AUTOMATIC, RIGHT, cohort_with, published_assessment
from tests.factories import NOON, contact
from tests.flows.conftest import Stack, until

pytestmark = pytest.mark.flow

LEARNERS = 200


@pytest.fixture(autouse=True)
def _every_program_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports.program_is_ready, "_answer", lambda program_version_id: True)


def submitted_attempts(count: int) -> list[AssessmentAttempt]:
    """Return attempts of as many learners, all answered rightly and handed in, none graded."""
    version = published_assessment()
    cohort: Cohort = cohort_with(version)
    enroll_all(cohort=cohort, contacts=[contact() for _ in range(count)], actor=None, at=NOON)
    items = {item.key: item.id for item in version.items.all()}
    attempts = []
    for enrollment in CohortEnrollment.objects.filter(cohort=cohort).select_related("contact"):
        at = now()
        started = start_attempt(
            enrollment=enrollment, template=version.definition, actor=enrollment.contact, at=at
        )
        save_responses(
            attempt_id=started.attempt.id,
            answers=[Answer(items[key], value, 1) for key, value in RIGHT.items()],
            contact_id=enrollment.contact_id,
            at=at,
        )
        attempts.append(submit_attempt(attempt=started.attempt, actor=enrollment.contact, at=at))
    return attempts


def graded() -> int:
    return AssessmentAttempt.objects.filter(status=AttemptStatus.GRADED).count()


def test_killing_the_worker_amid_200_attempts_grades_each_exactly_once(stack: Stack) -> None:
    submitted_attempts(LEARNERS)
    stack.start_beat()
    stack.start_worker()
    until(lambda: graded() >= 20, what="the first attempts to be graded")

    stack.kill("worker")
    at_the_kill = graded()
    assert at_the_kill < LEARNERS, "the worker was too quick to be killed amid its work"
    stack.start_worker()

    until(lambda: graded() == LEARNERS, what="all attempts to be graded", seconds=180)
    until(lambda: not OutboxMessage.objects.exists(), what="the outbox to be empty", seconds=180)
    results = Counter(AssessmentResult.objects.values_list("attempt", flat=True))
    events = Counter(GradingEvent.objects.values_list("attempt", "item"))
    assert (len(results), set(results.values())) == (LEARNERS, {1})
    assert (len(events), set(events.values())) == (LEARNERS * len(AUTOMATIC), {1})
    assert not OutboxMessage.objects.filter(attempts__gt=0).exists()
