"""The same POST eight times at the same moment, over sockets and in eight processes: one effect."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.assessment.models import AssessmentAttempt
from apps.assessment.services import GRADE
from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment, ProgressEvent
from apps.contacts.models import Contact
from apps.contacts.services import create_api_token
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.credentials.models import CertificationAward
from apps.organizations.models import OrgRole
from apps.programs.models import Course
from tests.assessment.factories import RIGHT
from tests.cohorts.factories import item_of, open_cohort
from tests.credentials.factories import world
from tests.factories import member
from tests.flows.conftest import HttpClient, Stack
from tests.programs.factories import Item, published_course, published_program

pytestmark = pytest.mark.flow

EIGHT = 8
KEYS: dict[str, Callable[[int], dict[str, str]]] = {
    "one key": lambda number: {"Idempotency-Key": "one"},
    "a key each": lambda number: {"Idempotency-Key": f"key {number}"},
}


def client_of(stack: Stack, contact: Contact) -> Callable[[], HttpClient]:
    """Return what makes callers with one token of this contact, each on a connection of its own."""
    _row, secret = create_api_token(contact=contact, name="flow")
    return lambda: stack.client(secret)


def eight(
    caller: Callable[[], HttpClient], keys: str, path: str, body: Any
) -> tuple[Counter[int], Any]:
    """Post eight times at the same moment; return the statuses and the one body of all answers."""
    gate = threading.Barrier(EIGHT)

    def send(number: int) -> tuple[int, Any]:
        with caller() as http:
            gate.wait(60)
            answer = http.post(path, json=body, headers=KEYS[keys](number))
            return answer.status_code, answer.json()

    with ThreadPoolExecutor(EIGHT) as pool:
        answers = list(pool.map(send, range(EIGHT)))
    assert [said for _status, said in answers] == [answers[0][1]] * EIGHT, answers
    return Counter(status for status, _said in answers), answers[0][1]


@pytest.mark.parametrize("keys", KEYS)
def test_eight_posts_have_one_effect_and_one_answer(stack: Stack, keys: str) -> None:
    first_or_again = {201: 8} if keys == "one key" else {201: 1, 200: 7}
    it = world()
    it.meet()
    reading = published_course("free", {"all": (Item("read"),)})
    free = open_cohort(published_program(reading, slug="free"), slug="free", is_self_paced=True)
    ada, other = member(name="Ada"), it.another("Bea")
    learner = other.enrollment.contact
    stack.start_web(workers=EIGHT, GUNICORN_CMD_ARGS="--preload")

    course = Course.objects.get(versions__pinned_by__version=free.program_version)
    statuses, enrolled = eight(client_of(stack, ada), keys, f"/v1/courses/{course.id}/enroll", {})
    assert statuses == first_or_again
    enrollment = CohortEnrollment.objects.get(contact=ada)
    assert enrolled["id"] == str(enrollment.id)

    event = {
        "enrollment": enrolled["id"],
        "type": EventType.ITEM_COMPLETED,
        "item": str(item_of(free, "read").id),
        "idempotency_key": "read-1",
    }
    statuses, accepted = eight(client_of(stack, ada), keys, "/v1/progress/events", event)
    assert statuses == {202: 8}
    completed = ProgressEvent.objects.get(type=EventType.ITEM_COMPLETED, enrollment=enrollment)
    assert accepted["id"] == str(completed.id)

    start = f"/v1/assessments/{it.scene.template.id}/attempts"
    statuses, started = eight(client_of(stack, learner), keys, start, {})
    assert statuses == first_or_again
    attempt = AssessmentAttempt.objects.get(contact=learner)
    assert started["id"] == str(attempt.id)

    other.scene.answer(attempt, RIGHT, at=now())
    submit = f"/v1/attempts/{attempt.id}/submit"
    statuses, submitted = eight(client_of(stack, learner), keys, submit, {})
    assert (statuses, submitted["status"]) == ({202: 8}, "submitted")
    assert OutboxMessage.objects.filter(topic=GRADE, key=str(attempt.id)).count() == 1

    order = {"enrollment": str(it.enrollment.id), "template": str(it.template.id), "reason": "Yes"}
    registrar = client_of(stack, member(OrgRole.ADMIN, name="Rita"))
    statuses, awarded = eight(registrar, keys, "/v1/certification-awards", order)
    assert statuses == first_or_again
    assert awarded["id"] == str(CertificationAward.objects.get().id)
