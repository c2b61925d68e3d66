from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.services import enroll
from apps.requirements.explanation import ActionCode
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import Purpose
from apps.requirements.selectors.statuses import statuses, statuses_of
from apps.requirements.services import evaluate_enrollment
from tests.assessment.factories import RIGHT, Scene, scene
from tests.cohorts.factories import NOON, person
from tests.requirements.factories import (
    complete_item,
    course_of,
    evaluation_of,
    program_of,
    published_set,
)
from tests.requirements.graphs import before, group, member, signoff

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Scene:
    """A learner whose progression asks for a lesson before a quiz, and an award for both."""
    stage = scene()
    program, course = program_of(stage.enrollment), course_of(stage.enrollment)
    intro = NodeSpec(
        "intro", NodeKind.ITEM_COMPLETED, title="Read it", course=course, item_key="intro"
    )
    quiz = NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, title="Quiz", assessment=stage.template.id)
    published_set(program, intro, quiz, before("intro", "quiz"))
    published_set(
        program,
        group("root", title="Award", is_root=True),
        quiz,
        signoff("lab", title="Laboratory", deadline_on=date(2026, 4, 1)),
        member("quiz", "root"),
        member("lab", "root"),
        slug="award",
        purpose=Purpose.CERTIFICATION,
    )
    return stage


def test_statuses_before_the_first_evaluation_show_what_will_be_assigned(stage: Scene) -> None:
    progression, award = statuses(stage.enrollment.id, at=NOON)

    assert [(one.key, one.status) for one in progression.requirements] == [
        ("intro", "available"),
        ("quiz", "locked"),
    ]
    assert progression.requirements[1].explanation.text == "Locked until this is done: Read it."
    assert (award.purpose, award.root and award.root.members) == (
        "certification",
        ("lab", "quiz"),
    )


def test_statuses_point_at_the_recorded_decisions(stage: Scene) -> None:
    stage.graded(RIGHT) if complete_item(stage.enrollment, "intro") else None
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    progression, award = statuses(stage.enrollment.id, at=NOON)

    quiz = progression.requirements[1]
    recorded = evaluation_of(stage.enrollment, "intro")
    assert progression.requirements[0].evaluation_id == recorded.id
    assert (quiz.status, quiz.recorded_status, quiz.have) == ("satisfied", "satisfied", 100)
    assert [(a.code, a.node) for a in award.next_actions] == [(ActionCode.AWAIT_SIGNOFF, "lab")]
    assert award.root is not None
    assert (award.root.status, award.root.have, award.root.need) == ("pending", 1, 2)


def test_statuses_put_next_actions_that_are_due_first(stage: Scene) -> None:
    _progression, award = statuses(stage.enrollment.id, at=NOON)

    assert [action.node for action in award.next_actions] == ["lab", "quiz"]


def test_statuses_of_nobody_are_none(stage: Scene) -> None:
    assert statuses(UUID(int=1), at=NOON) == []


def test_statuses_of_many_take_as_many_statements_as_one(stage: Scene) -> None:
    others = [
        enroll(cohort=stage.cohort, contact=person(f"L{i}"), actor=None, at=NOON) for i in range(5)
    ]
    for enrollment in others:
        complete_item(enrollment, "intro")
        evaluate_enrollment(enrollment.id, at=NOON)

    def statements(ids: list[UUID]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(statuses_of(ids, at=NOON)) == len(ids)
        return len(captured)

    assert statements([others[0].id]) == statements([e.id for e in others])
