"""What one whole attempt of ten items costs over HTTP, in SQL statements."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment import ports
from apps.assessment.models import AssessmentResult
from apps.assessment.services import GRADE
from apps.assessment.vocabulary import Kind
from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.core.outbox import deliver
from apps.requirements.selectors.gates import may_start
from tests.assessment.factories import Question, Scene, scene
from tests.clients import api, browser
from tests.cohorts.factories import NOON
from tests.factories import member
from tests.outbox import drain

pytestmark = pytest.mark.django_db

TEN = tuple(Question(f"q{number}", Kind.TRUE_FALSE, {"correct": True}) for number in range(10))
WHOLE_ATTEMPT = 60
AUTOSAVE = 4
TRANSACTION = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")

CLIENTS: dict[str, Callable[[Contact], Any]] = {"token": api, "session": browser}


class Caller:
    """A learner's client that counts what each of its requests asks of the database.

    Every statement counts, those that choose the organisation and tell who is calling too; only
    the marks of transactions don't.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.spent: dict[str, int] = {}

    def send(self, name: str, method: str, address: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        kwargs = {"data": data, "content_type": "application/json"} if data else {}
        return self.counted(name, lambda: getattr(self.client, method)(address, **kwargs))

    def counted(self, name: str, work: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as captured:
            answer = work()
        self.spent[name] = sum(
            not query["sql"].startswith(TRANSACTION) for query in captured.captured_queries
        )
        return answer

    def figures(self) -> str:
        return f"{sum(self.spent.values())} statements: {self.spent}"


@pytest.fixture(params=["token", "session"])
def caller(request: pytest.FixtureRequest, it: Scene) -> Caller:
    """A learner who was seen today, in a cohort where somebody took the assessment before."""
    learner = member(name="Bo")
    enroll(cohort=it.cohort, contact=learner, actor=None, at=NOON)
    client = CLIENTS[request.param](learner)
    client.get("/v1/attempts")
    drain()
    return Caller(client)


@pytest.fixture
def it(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """An assessment of ten items, with the gate that really guards it."""
    monkeypatch.setattr(ports.may_start, "_answer", may_start)
    made = scene(TEN)
    made.graded(dict.fromkeys(made.items, True))
    return made


def test_a_whole_attempt_stays_within_its_budget(it: Scene, caller: Caller) -> None:
    started = caller.send("start", "post", f"/v1/assessments/{it.template.id}/attempts", {})
    attempt = f"/v1/attempts/{started.json()['id']}"
    answers = [{"item": str(i.id), "value": True, "sequence": 1} for i in it.items.values()]

    opened = caller.send("open", "get", attempt)
    saved = caller.send("save all", "put", f"{attempt}/responses", {"responses": answers})
    submitted = caller.send("submit", "post", f"{attempt}/submit")
    caller.counted("grade", lambda: deliver(GRADE, started.json()["id"]))
    reviewed = caller.send("review", "get", attempt)

    statuses = [answer.status_code for answer in (started, opened, saved, submitted, reviewed)]
    assert statuses == [201, 200, 200, 202, 200]
    assert reviewed.json()["result"]["percent"] == "100.0000"
    assert AssessmentResult.objects.filter(attempt__contact__display_name="Bo").count() == 1
    assert sum(caller.spent.values()) <= WHOLE_ATTEMPT, caller.figures()


def test_an_autosave_stays_within_its_budget(it: Scene, caller: Caller) -> None:
    started = caller.send("start", "post", f"/v1/assessments/{it.template.id}/attempts", {})
    item = next(iter(it.items.values())).id
    address = f"/v1/attempts/{started.json()['id']}/responses/{item}"

    for sequence in (1, 2, 1):
        name = f"save {sequence}"
        caller.send(name, "put", address, {"value": True, "sequence": sequence})

    assert caller.spent["save 2"] <= AUTOSAVE, caller.figures()
