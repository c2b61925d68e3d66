"""The replay confirms what stands, and names each planted difference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from apps.assessment.services import void_attempt
from apps.cohorts.services import enroll
from apps.contacts.services import merge_contacts
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import (
    Purpose,
    RequirementAssignment,
    RequirementEvaluation,
    RequirementEvidenceLink,
    SignOff,
)
from apps.requirements.replay import replay_evaluations
from apps.requirements.services import evaluate_enrollment, sign_off, waive, withdraw_sign_off
from tests.assessment.factories import RIGHT, WRONG, Scene, result_of, scene
from tests.cohorts.factories import NOON, person
from tests.database import ORG_A, Server
from tests.requirements.factories import (
    attend,
    complete_item,
    course_of,
    evaluation_of,
    program_of,
    published_set,
    sessions_of,
)
from tests.requirements.graphs import before, group, member, signoff

SCHEMA = f"org_{ORG_A.hex}"


def lived_in() -> Scene:
    """Return a scene in which every kind of decision was made, on every kind of evidence."""
    stage = scene(attempts_allowed=2)
    version = published_set(
        program_of(stage.enrollment),
        group("root", is_root=True),
        NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, assessment=stage.template.id),
        NodeSpec(
            "intro", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="intro"
        ),
        NodeSpec("there", NodeKind.ATTENDANCE, attendance_count=1),
        signoff("lab"),
        signoff("rare"),
        before("quiz", "lab"),
        *(member(key, "root") for key in ("quiz", "intro", "there", "lab", "rare")),
        purpose=Purpose.CERTIFICATION,
    )
    steps = [
        lambda: complete_item(stage.enrollment, "intro"),
        lambda: stage.graded(WRONG),
        lambda: stage.graded(RIGHT),
        lambda: attend(
            stage.enrollment, sessions_of(stage.enrollment, 1)[0], "present", by=stage.grader
        ),
        lambda: _word(sign_off, stage, version.nodes.get(key="lab")),
        lambda: _word(waive, stage, version.nodes.get(key="rare")),
        lambda: _word(withdraw_sign_off, stage, version.nodes.get(key="lab")),
        lambda: void_attempt(
            attempt_id=stage.enrollment.attempts.get(attempt_no=2).id,
            actor=stage.grader,
            reason="Copied",
            at=NOON,
        ),
    ]
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    for number, step in enumerate(steps):
        step()
        evaluate_enrollment(stage.enrollment.id, at=NOON + timedelta(minutes=number))
    return stage


def _word(service: Any, stage: Scene, node: Any) -> None:
    service(
        enrollment=stage.enrollment, node=node, actor=stage.grader, at=NOON, reason="Looked at it"
    )


@pytest.mark.django_db
def test_replay_evaluations_of_an_honest_history_finds_nothing() -> None:
    stage = lived_in()

    statuses = RequirementEvaluation.objects.values_list("status", flat=True)
    assert set(statuses) == {"satisfied", "waived", "failed", "reopened"}
    assert evaluation_of(stage.enrollment, "root").status == "failed"
    assert list(replay_evaluations()) == []
    assert list(replay_evaluations(since=NOON)) == []


@pytest.mark.django_db
def test_replay_evaluations_from_before_a_merge_still_stand() -> None:
    """What was decided about two people is not judged by what is known of the one they are."""
    stage = lived_in()
    twin = enroll(cohort=stage.cohort, contact=person("Augusta"), actor=None, at=NOON)
    complete_item(twin, "intro")
    evaluate_enrollment(twin.id, at=NOON)
    merge_contacts(source=twin.contact, into=stage.learner, actor=None)
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert list(replay_evaluations()) == []


@pytest.mark.django_db
def test_replay_evaluations_takes_as_many_statements_for_all_as_for_one() -> None:
    stage = lived_in()

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert list(replay_evaluations()) == []
        return len(captured)

    one = statements()
    for name in ("Bob", "Cy", "Di"):
        other = enroll(cohort=stage.cohort, contact=person(name), actor=None, at=NOON)
        complete_item(other, "intro")
        evaluate_enrollment(other.id, at=NOON)

    assert statements() == one


@pytest.fixture
def planted(server: Server, own_database: str) -> Iterator[Any]:
    """Change a stored row as nobody but the database's superuser could, until the block ends."""
    url = server.superuser_url.rsplit("/", 1)[0] + f"/{own_database}"
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")

        def update(row: Any, column: str, value: str) -> None:
            statement = sql.SQL("UPDATE {} SET {} = {} WHERE id = %s").format(
                sql.Identifier(SCHEMA, row._meta.db_table),
                sql.Identifier(column),
                sql.SQL(value),  # type: ignore[arg-type]
            )
            assert superuser.execute(statement, [row.pk]).rowcount == 1

        @contextmanager
        def plant(row: Any, column: str, value: str) -> Iterator[None]:
            table = sql.Identifier(SCHEMA, row._meta.db_table)
            query = sql.SQL("SELECT {}::text FROM {} WHERE id = %s").format(
                sql.Identifier(column), table
            )
            [kept] = superuser.execute(query, [row.pk]).fetchone() or [None]
            update(row, column, value)
            yield
            update(row, column, str(sql.Literal(kept).as_string()))

        yield plant


def found() -> set[tuple[str, str]]:
    """Return (node, check) of every difference."""
    keys = dict(RequirementEvaluation.objects.values_list("id", "node__key"))
    return {(keys[one.entity_id], one.check) for one in replay_evaluations()}


def test_replay_names_each_planted_difference(planted: Any) -> None:
    stage = lived_in()
    there, intro = (evaluation_of(stage.enrollment, key) for key in ("there", "intro"))
    root = RequirementEvaluation.objects.filter(node__key="root").earliest("revision")
    link = RequirementEvidenceLink.objects.filter(evaluation_id=root.id).earliest("position")
    plans: list[tuple[Any, str, str, set[tuple[str, str]]]] = [
        (there, "status", "'waived'", {("there", "status")}),
        (there, "reason", "'passed'", {("there", "reason")}),
        (there, "occurred_at", "now()", {("there", "occurred_at")}),
        (there, "facts_hash", "repeat('0', 64)", {("there", "hash")}),
        (there, "primary_evidence_id", "gen_random_uuid()", {("there", "primary_evidence")}),
        (there, "facts", "'{}'", {("there", "facts"), ("there", "hash")}),
        (
            there,
            "facts",
            "jsonb_set(facts, '{history,attendance}', '{}')",
            {("there", "hash"), ("there", "history"), ("there", "decision")},
        ),
        (link, "decision_id", f"'{intro.id}'", {("root", "evidence")}),
        (stage.enrollment.attendance.get(), "status", "'absent'", {("there", "history")}),
        (SignOff.objects.earliest("revision"), "occurred_at", "now()", {("lab", "history")}),
        (
            result_of(stage.enrollment.attempts.get(attempt_no=1)),
            "percent",
            "99",
            {("quiz", "history")},
        ),
        (
            RequirementAssignment.objects.get(),
            "recorded_at",
            "now() + interval '1 day'",
            {("intro", "assignment"), ("there", "assignment")},
        ),
    ]
    for row, column, value, expected in plans:
        with planted(row, column, value):
            assert expected <= found(), (row, column)
    assert found() == set()
