"""The same things done at the same moment, on connections of their own."""

from __future__ import annotations

from functools import partial

from apps.assessment.services import void_attempt
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import enroll
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import RequirementAssignment, RequirementEvaluation, SignOff
from apps.requirements.replay import replay_evaluations
from apps.requirements.services import evaluate_enrollment, evaluate_enrollments, sign_off
from tests.assessment.factories import RIGHT, Scene, scene
from tests.cohorts.factories import NOON, people
from tests.cohorts.threads import at_once
from tests.requirements.factories import complete_item, course_of, program_of, published_set
from tests.requirements.graphs import group, member, signoff


def lesson(stage: Scene) -> None:
    """Publish a set that asks for the lesson, and for a group of it."""
    published_set(
        program_of(stage.enrollment),
        group("root"),
        NodeSpec(
            "intro", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="intro"
        ),
        member("intro", "root"),
    )


def test_eight_evaluations_at_once_assign_and_decide_once(own_database: str) -> None:
    stage = scene()
    lesson(stage)
    complete_item(stage.enrollment, "intro")

    found = at_once(*[partial(evaluate_enrollment, stage.enrollment.id, at=NOON)] * 8)

    assert sorted(len(decisions) for decisions in found) == [0] * 7 + [2]
    assert RequirementAssignment.objects.count() == 1
    assert RequirementEvaluation.objects.count() == 2


def test_evaluations_of_many_in_opposite_orders_do_not_deadlock(own_database: str) -> None:
    stage = scene()
    lesson(stage)
    others = [
        enroll(cohort=stage.cohort, contact=contact, actor=None, at=NOON)
        for contact in people("B", "C", "D", "E")
    ]
    for enrollment in others:
        complete_item(enrollment, "intro")
    ids = [enrollment.id for enrollment in others]

    found = at_once(
        *(
            partial(evaluate_enrollments, enrollment_ids=order, at=NOON)
            for order in (ids, ids[::-1], ids[2:] + ids[:2], ids[::2])
        )
    )

    assert sum(len(decisions) for decisions in found) == 8
    assert RequirementEvaluation.objects.count() == 8


def test_eight_sign_offs_at_once_are_one(own_database: str) -> None:
    stage = scene()
    version = published_set(program_of(stage.enrollment), signoff("lab"))
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    call = partial(
        sign_off,
        enrollment=stage.enrollment,
        node=version.nodes.get(),
        actor=stage.grader,
        at=NOON,
    )

    found = at_once(*[call] * 8)

    assert found == [SignOff.objects.get()] * 8


def test_evaluation_that_races_a_void_is_put_right_by_the_next_and_replays(
    own_database: str,
) -> None:
    """Whichever comes first, what was decided is what was known at that moment."""
    stage = scene()
    published_set(
        program_of(stage.enrollment),
        NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, assessment=stage.template.id),
    )
    attempt = stage.graded(RIGHT)
    enrollment: CohortEnrollment = stage.enrollment

    at_once(
        partial(evaluate_enrollment, enrollment.id, at=NOON),
        partial(void_attempt, attempt_id=attempt.id, actor=stage.grader, reason="Copied", at=NOON),
    )
    evaluate_enrollment(enrollment.id, at=NOON)

    standing = RequirementEvaluation.objects.current().filter(status="satisfied")
    assert not standing.exists()
    assert list(replay_evaluations()) == []
