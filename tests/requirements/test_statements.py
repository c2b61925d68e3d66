"""What one learner's evaluation asks of the database: it runs after everything a learner does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.services import enroll, project_course_progress
from apps.cohorts.services.enrollments import place_all
from apps.contacts.models import Contact
from apps.core.bulk import insert_values
from apps.core.ids import uuid7
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import Purpose
from apps.requirements.services import evaluate_enrollment
from apps.requirements.services.evaluations import locked_subjects
from tests.assessment.factories import RIGHT, scene
from tests.cohorts.factories import NOON, open_cohort, person
from tests.database import Server
from tests.requirements.factories import (
    attend,
    complete_item,
    course_of,
    decided,
    program_of,
    published_set,
    sessions_of,
)
from tests.requirements.graphs import before, group, member, signoff


@pytest.fixture
def statements(own_database: str) -> dict[str, int]:
    """Return moment -> statements, under a progression and a certification of every common kind.

    As in the worker: inside a transaction, after another learner was evaluated.
    """
    stage = scene()
    program, course = program_of(stage.enrollment), course_of(stage.enrollment)
    intro = NodeSpec("intro", NodeKind.ITEM_COMPLETED, course=course, item_key="intro")
    quiz = NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, assessment=stage.template.id)
    asked = (
        quiz,
        intro,
        signoff("lab"),
        NodeSpec("course", NodeKind.COURSE_COMPLETED, course=course),
        NodeSpec("there", NodeKind.ATTENDANCE, attendance_percent=Decimal(50)),
    )
    published_set(program, intro, quiz, before("intro", "quiz"))
    published_set(
        program,
        group("root", is_root=True, group_min_count=4),
        *asked,
        *(member(node.key, "root") for node in asked),
        slug="award",
        purpose=Purpose.CERTIFICATION,
    )
    first, *_rest = sessions_of(stage.enrollment, 2)
    bob = enroll(cohort=stage.cohort, contact=person("Bob"), actor=None, at=NOON)
    counted = {}

    def count(moment: str) -> None:
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            evaluate_enrollment(stage.enrollment.id, at=NOON)
        counted[moment] = len(captured)

    def study(enrollment: CohortEnrollment) -> None:
        complete_item(enrollment, "intro")
        replace(stage, enrollment=enrollment).graded(RIGHT)
        project_course_progress(enrollment.id, at=NOON)
        attend(enrollment, first, "present", by=stage.grader)

    study(bob)
    evaluate_enrollment(bob.id, at=NOON)
    count("enrolled")
    study(stage.enrollment)
    count("graded")
    count("again")
    assert {key for key, _status in decided(stage.enrollment)} == {
        "intro",
        "quiz",
        "course",
        "there",
        "root",
    }
    return counted


def test_evaluate_takes_few_statements(statements: dict[str, int]) -> None:
    """Two for the locks and who it is, one for each kind of fact, two for each level written."""
    assert statements == {"enrolled": 12, "graded": 13, "again": 9}


MANY = 5_000


def steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every node of a plan."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from steps(part)


def test_lock_reads_only_the_learner_where_statistics_call_the_tables_empty(
    server: Server, own_database: str
) -> None:
    """As after a large import that was tried or failed: its pages are there, its rows are not."""
    cohort = open_cohort()
    with transaction.atomic():
        enroll_crowd(cohort)
        transaction.set_rollback(True)
    superuser = server.superuser_url.rpartition("/")[0]
    with psycopg.connect(f"{superuser}/{own_database}", autocommit=True) as admin:
        admin.execute("ANALYZE")
    enrollment_id = enroll_crowd(cohort)

    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        locked_subjects([enrollment_id])
        [lock] = [one["sql"] for one in captured.captured_queries if "FOR NO KEY" in one["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {lock}")
            [[plan]] = cursor.fetchone()

    read = [
        (step["Relation Name"], step["Node Type"], step["Actual Rows"], removed(step))
        for step in steps(plan["Plan"])
        if "Relation Name" in step
    ]
    assert sorted(read) == [
        ("cohort_enrollments", "Index Scan", 1, 0),
        ("crm_contacts", "Index Scan", 0, 0),
        ("crm_contacts", "Index Scan", 1, 0),
        ("crm_contacts", "Index Scan", 1, 0),
    ]


def enroll_crowd(cohort: Cohort) -> UUID:
    """Enrol many new people; return the enrolment of one of them."""
    ids = [uuid7() for _ in range(MANY)]
    insert_values(Contact, ("id",), ((id_,) for id_ in ids), display_name="Somebody")
    return place_all(cohort=cohort, contact_ids=ids, actor=None, at=NOON)[ids[0]].id


def removed(step: dict[str, Any]) -> int:
    """Return how many rows a step read in vain."""
    read: int = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Join Filter", 0)
    return read
