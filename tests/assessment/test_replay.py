"""The replay confirms what stands, and names each planted difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from apps.assessment.models import AssessmentAttempt, AssessmentResult, GradingEvent
from apps.assessment.replay import Difference, replay_results
from apps.assessment.services import override_result, record_grade, void_attempt
from tests.assessment.factories import RIGHT, WITH_ESSAY, WRONG, Scene, result_of, scene
from tests.cohorts.factories import NOON
from tests.database import ORG_A, Server

SCHEMA = f"org_{ORG_A.hex}"


def lived_in() -> tuple[Scene, AssessmentAttempt]:
    """Return a scene with a graded, an overridden and a void attempt; the first of them."""
    it = scene(WITH_ESSAY)
    first = it.graded({**RIGHT, "causes": "Rain"})
    record_grade(
        attempt_id=first.id,
        item_id=it.items["causes"].id,
        grader=it.grader,
        score=Decimal(3),
        expected_revision=0,
        at=NOON,
    )
    second, third = it.graded(WRONG), it.graded(RIGHT)
    override_result(
        attempt_id=second.id,
        actor=it.grader,
        score=Decimal(5),
        reason="Board",
        expected_revision=0,
        at=NOON,
    )
    void_attempt(attempt_id=third.id, actor=it.grader, reason="Copied", at=NOON)
    return it, first


@pytest.mark.django_db
def test_replay_results_of_an_honest_history_finds_nothing() -> None:
    lived_in()

    assert list(replay_results()) == []
    assert list(replay_results(since=NOON)) == []


@pytest.fixture
def planted(server: Server, own_database: str) -> Iterator[Any]:
    """Change a stored row as nobody but the database's superuser could; call with the change."""
    url = server.superuser_url.rsplit("/", 1)[0] + f"/{own_database}"
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")

        def plant(table: str, change: str, row: Any) -> None:
            statement = sql.SQL("UPDATE {} SET {} WHERE id = %s").format(
                sql.Identifier(SCHEMA, table),
                sql.SQL(change),  # type: ignore[arg-type]
            )
            assert superuser.execute(statement, [row.pk]).rowcount == 1

        yield plant


def found(entity: Any) -> list[tuple[str, str, str]]:
    differences = list(replay_results())
    assert {(one.entity_type, one.entity_id) for one in differences} == {
        (entity._meta.label_lower, entity.pk)
    }
    return [(one.check, one.stored, one.replayed) for one in differences]


def test_replay_results_finds_a_changed_score(planted: Any) -> None:
    _, attempt = lived_in()
    result = result_of(attempt)

    planted("assessment_results", "score = 10, percent = 100", result)

    assert found(result) == [("score", "10", "9"), ("percent", "100", "90")]


def test_replay_results_finds_a_changed_pass(planted: Any) -> None:
    _, attempt = lived_in()
    first = AssessmentResult.objects.get(attempt=attempt, revision=1)

    planted("assessment_results", "is_final = true, passed = true", first)

    assert found(first) == [("passed", "True", "False"), ("is_final", "True", "False")]


def test_replay_results_finds_changed_facts(planted: Any) -> None:
    _, attempt = lived_in()
    result = result_of(attempt)

    planted("assessment_results", "facts = '{}'", result)

    assert [check for check, _, _ in found(result)] == ["hash", "facts"]


def test_replay_results_finds_a_changed_grade(planted: Any) -> None:
    it, attempt = lived_in()
    event = GradingEvent.objects.get(attempt=attempt, item=it.items["capital"])

    planted("grading_events", "score = 1", event)

    differences = list(replay_results())
    assert Difference("assessment.gradingevent", event.pk, "score", "1", "2") in differences
    histories = [one.entity_id for one in differences if one.check == "history"]
    assert histories == list(
        AssessmentResult.objects.filter(attempt=attempt)
        .order_by("revision")
        .values_list("id", flat=True)
    )


def test_replay_results_finds_a_changed_answer(planted: Any) -> None:
    it, attempt = lived_in()
    response = attempt.responses.get(item=it.items["capital"])
    event = GradingEvent.objects.get(attempt=attempt, item=it.items["capital"])

    planted("assessment_responses", "value = '\"rome\"'", response)

    assert found(event) == [("answer", "paris", "rome")]


def test_replay_results_finds_a_changed_policy(planted: Any) -> None:
    _, attempt = lived_in()
    newest = result_of(attempt)
    stricter = {
        "due_at": {"value": "2026-01-01T00:00:00+00:00", "source": "window"},
        "late_percent_per_day": {"value": "10", "source": "version"},
    }

    planted("assessment_attempts", f"policy = policy || '{json.dumps(stricter)}'", attempt)

    differences = list(replay_results())

    assert {one.check for one in differences} == {"history"}
    assert newest.id in {one.entity_id for one in differences}
