"""The same request eight times at the same moment: one effect, the same answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rest_framework.test import APIClient

from apps.assessment.models import AssessmentAttempt, AssessmentResponse, GradingEvent
from apps.assessment.services import GRADE
from apps.cohorts.events import EventType
from apps.core.models import OutboxMessage
from tests.assessment.factories import RIGHT, WITH_ESSAY, scene, staff_of
from tests.clients import api
from tests.cohorts.factories import event_types
from tests.cohorts.threads import at_once

ESSAY_ANSWERS = {**RIGHT, "causes": "Rain and wind."}


def eight(send: Callable[[], Any]) -> list[tuple[int, Any]]:
    """Return status and body of eight simultaneous answers."""
    answers = at_once(*[send] * 8)
    return [(answer.status_code, answer.json()) for answer in answers]


def test_eight_starts_at_once_are_one_attempt(own_database: str) -> None:
    it = scene()
    address = f"/v1/assessments/{it.template.id}/attempts"

    answers = eight(partial(api(it.learner).post, address, {}))

    attempt = AssessmentAttempt.objects.get()
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert [body["id"] for _, body in answers] == [str(attempt.id)] * 8
    assert all(body == answers[0][1] for _, body in answers)


def test_eight_starts_under_one_key_are_answered_alike(own_database: str) -> None:
    it = scene()
    address = f"/v1/assessments/{it.template.id}/attempts"
    send = partial(api(it.learner).post, address, {}, headers={"Idempotency-Key": "one"})

    answers = eight(send)

    assert AssessmentAttempt.objects.count() == 1
    assert answers == [(201, answers[0][1])] * 8


def test_eight_submits_at_once_have_one_effect(own_database: str) -> None:
    it = scene()
    attempt = it.start()
    it.answer(attempt, RIGHT)

    answers = eight(partial(api(it.learner).post, f"/v1/attempts/{attempt.id}/submit"))

    assert answers == [(202, answers[0][1])] * 8
    assert answers[0][1]["status"] == "submitted"
    assert OutboxMessage.objects.filter(topic=GRADE).count() == 1
    assert event_types(it.enrollment).count(EventType.ASSESSMENT_SUBMITTED) == 1


def test_eight_saves_at_once_keep_one_answer(own_database: str) -> None:
    it = scene()
    attempt = it.start()
    address = f"/v1/attempts/{attempt.id}/responses/{it.items['pi'].id}"

    answers = eight(partial(api(it.learner).put, address, {"value": "3.14", "sequence": 4}))

    assert [(status, body["sequence"]) for status, body in answers] == [(200, 4)] * 8
    assert [body["is_stored"] for _, body in answers].count(True) == 1
    assert AssessmentResponse.objects.get().value == "3.14"


def test_of_two_graders_at_once_one_gets_a_conflict(own_database: str) -> None:
    it = scene(WITH_ESSAY)
    attempt = it.graded(ESSAY_ANSWERS)
    task = attempt.grading_tasks.get()
    graders = [api(staff_of(it.cohort)) for _ in range(2)]

    def grade(client: APIClient, score: str) -> Callable[[], Any]:
        body = {"score": score, "expected_revision": 0}
        return partial(client.post, f"/v1/grading-tasks/{task.id}/grade", body)

    answers = at_once(grade(graders[0], "1"), grade(graders[1], "4"))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["type"] == "urn:assay:problem:revision-conflict"
    assert GradingEvent.objects.filter(item=it.items["causes"]).count() == 1


def test_graders_who_ask_at_once_get_different_tasks(own_database: str) -> None:
    it = scene(WITH_ESSAY)
    it.graded(ESSAY_ANSWERS)
    graders = [api(staff_of(it.cohort)) for _ in range(3)]

    answers = at_once(*(partial(client.post, "/v1/grading-tasks/next", {}) for client in graders))

    assert sorted(answer.status_code for answer in answers) == [200, 204, 204]
