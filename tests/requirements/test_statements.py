"""What one learner's evaluation asks of the database: it runs after everything a learner does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import enroll, project_course_progress
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import Purpose
from apps.requirements.services import evaluate_enrollment
from tests.assessment.factories import RIGHT, scene
from tests.cohorts.factories import NOON, person
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
