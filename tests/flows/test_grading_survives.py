"""Promise 5: what a request accepted survives the death of any worker or broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest

from apps.assessment.models import AssessmentAttempt, AssessmentResult, GradingEvent
from apps.assessment.services import Answer, save_responses, start_attempt, submit_attempt
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts import ports
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.services import enroll_all
from apps.contacts.services import create_api_token
from apps.core.clock import now
from apps.core.models import OutboxMessage
from tests.assessment.factories import AUTOMATIC, RIGHT, cohort_with, published_assessment
from tests.database import Server
from tests.factories import NOON, contact
from tests.flows.conftest import HttpClient, Stack, until

pytestmark = pytest.mark.flow

LEARNERS = 200


@pytest.fixture(autouse=True)
def _every_program_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports.program_is_ready, "_answer", lambda program_version_id: True)


def answered_attempts(count: int) -> list[AssessmentAttempt]:
    """Return attempts of as many learners, all answered rightly and still open."""
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
        attempts.append(started.attempt)
    return attempts


def submit_all(attempts: list[AssessmentAttempt]) -> None:
    for attempt in attempts:
        submit_attempt(attempt=attempt, actor=attempt.contact, at=now())


def graded() -> int:
    return AssessmentAttempt.objects.filter(status=AttemptStatus.GRADED).count()


def test_killing_the_worker_amid_200_attempts_grades_each_exactly_once(stack: Stack) -> None:
    submit_all(answered_attempts(LEARNERS))
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


def test_the_broker_may_go_and_come_back_amid_submissions(stack: Stack, server: Server) -> None:
    attempts = open_attempts(60)
    stack.start_web()
    stack.start_worker()
    stack.start_beat()
    clients = [(stack.client(secret), attempt) for attempt, secret in attempts]

    def submit(pair: tuple[HttpClient, AssessmentAttempt]) -> int:
        client, attempt = pair
        return client.post(f"/v1/attempts/{attempt.id}/submit", json={}).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(submit, clients[:20]))
        with broker_gone(server):
            statuses += pool.map(submit, clients[20:40])
        statuses += pool.map(submit, clients[40:])

    assert Counter(statuses) == {202: 60}
    until(lambda: graded() == 60, what="all attempts to be graded", seconds=180)
    until(lambda: not OutboxMessage.objects.exists(), what="the outbox to be empty", seconds=180)
    results = Counter(AssessmentResult.objects.values_list("attempt", flat=True))
    assert (len(results), set(results.values())) == (60, {1})


@contextmanager
def broker_gone(server: Server) -> Iterator[None]:
    """Take the broker away: nobody may log in to the queues, and who is there is thrown out."""
    with psycopg.connect(server.superuser_url, autocommit=True) as admin:
        admin.execute("ALTER ROLE assay_broker NOLOGIN")
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'assay_broker'"
        )
        try:
            yield
        finally:
            admin.execute("ALTER ROLE assay_broker LOGIN")


def open_attempts(count: int) -> list[tuple[AssessmentAttempt, str]]:
    """Return answered attempts that are still open, each with its learner's API token."""
    return [
        (attempt, create_api_token(contact=attempt.contact, name="flow")[1])
        for attempt in answered_attempts(count)
    ]
