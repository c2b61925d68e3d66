from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.services import decide_attempt_release, override_result, void_attempt
from apps.cohorts.events import EventType
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import enroll, record_event, withdraw
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.services import merge_contacts
from apps.core.models import OutboxMessage
from apps.programs.models import Program
from apps.requirements.facts import facts_hash
from apps.requirements.graph import NodeKind, NodeSpec, Retention
from apps.requirements.models import (
    Purpose,
    RequirementAssignment,
    RequirementEvaluation,
    RequirementSetVersion,
    SignOff,
    Waiver,
)
from apps.requirements.rules import ENGINE_VERSION
from apps.requirements.services import (
    evaluate_enrollment,
    evaluate_enrollments,
    sign_off,
    waive,
    withdraw_sign_off,
    withdraw_waiver,
)
from tests.assessment.factories import RIGHT, WRONG, Scene, result_of, scene
from tests.cohorts.factories import NOON, person
from tests.programs.factories import published_program
from tests.requirements.factories import (
    DAY,
    attend,
    complete_item,
    course_of,
    decided,
    evaluation_of,
    evidence_of,
    program_of,
    published_set,
    sessions_of,
)
from tests.requirements.graphs import before, group, member, signoff

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """A learner, and a certification set that asks for a quiz, a lesson and a sign-off."""

    stage: Scene
    version: RequirementSetVersion

    @property
    def enrollment(self) -> CohortEnrollment:
        return self.stage.enrollment

    def node(self, key: str) -> object:
        return self.version.nodes.get(key=key)

    def evaluate(self, at: object = NOON) -> list[RequirementEvaluation]:
        return evaluate_enrollment(self.enrollment.id, at=at)  # type: ignore[arg-type]


def quiz_node(stage: Scene, **fields: object) -> NodeSpec:
    return NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, assessment=stage.template.id, **fields)  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    stage = scene(attempts_allowed=2)
    version = published_set(
        program_of(stage.enrollment),
        group("root", is_root=True),
        quiz_node(stage),
        NodeSpec(
            "intro", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="intro"
        ),
        signoff("lab"),
        before("quiz", "lab"),
        *(member(key, "root") for key in ("quiz", "intro", "lab")),
        purpose=Purpose.CERTIFICATION,
    )
    return World(stage, version)


def only(stage: Scene, *nodes: NodeSpec) -> RequirementSetVersion:
    """Publish a progression set of these nodes for the scene's program."""
    return published_set(program_of(stage.enrollment), *nodes)


def test_evaluate_assigns_what_is_published_to_who_enrolled(world: World) -> None:
    assert world.evaluate() == []

    assignment = RequirementAssignment.objects.get()
    assert (
        assignment.enrollment,
        assignment.set_version,
        assignment.purpose,
        assignment.effective_from,
        assignment.reason,
        assignment.actor,
        assignment.revision,
    ) == (world.enrollment, world.version, "certification", NOON, "enrolled", None, 1)


def test_evaluate_assigns_nothing_to_who_left(world: World) -> None:
    withdraw(enrollment=world.enrollment, actor=None, at=NOON)

    world.evaluate()

    assert not RequirementAssignment.objects.exists()


def test_evaluate_records_the_way_to_the_root_with_evidence(world: World) -> None:
    attempt = world.stage.graded(RIGHT)
    event = complete_item(world.enrollment, "intro")
    world.evaluate()
    word = sign_off(
        enrollment=world.enrollment, node=world.node("lab"), actor=world.stage.grader, at=NOON + DAY
    )

    world.evaluate(NOON + 2 * DAY)

    assert sorted(decided(world.enrollment)) == [
        ("intro", "satisfied"),
        ("lab", "satisfied"),
        ("quiz", "satisfied"),
        ("root", "satisfied"),
    ]
    root = evaluation_of(world.enrollment, "root")
    parts = {key: evaluation_of(world.enrollment, key) for key in ("quiz", "intro", "lab")}
    assert evidence_of(parts["quiz"]) == [("result", result_of(attempt).id)]
    assert evidence_of(parts["intro"]) == [("event", event.id)]
    assert evidence_of(parts["lab"]) == [("signoff", word.id)]
    assert set(evidence_of(root)) == {("evaluation", part.id) for part in parts.values()}
    assert (root.occurred_at, root.as_of) == (NOON + DAY, NOON + 2 * DAY)


def test_evaluate_keeps_facts_hash_engine_and_the_moment_of_knowing(world: World) -> None:
    world.stage.graded(RIGHT)

    [quiz] = world.evaluate()

    quiz.refresh_from_db()
    assert quiz.facts_hash == facts_hash(quiz.facts)
    assert quiz.engine_version == ENGINE_VERSION
    assert list(quiz.facts["history"]["results"]) == [str(world.stage.template.id)]
    assert quiz.known_at < quiz.recorded_at


def test_evaluate_again_writes_nothing(world: World) -> None:
    world.stage.graded(RIGHT)

    assert [e.node.key for e in world.evaluate()] == ["quiz"]
    assert world.evaluate() == []


def test_evaluate_fails_a_quiz_without_attempts_left_on_the_results(world: World) -> None:
    attempts = [world.stage.graded(WRONG), world.stage.graded(WRONG, NOON + DAY)]

    world.evaluate(NOON + 2 * DAY)

    assert sorted(decided(world.enrollment)) == [("quiz", "failed"), ("root", "failed")]
    quiz = evaluation_of(world.enrollment, "quiz")
    assert evidence_of(quiz) == [("result", result_of(attempt).id) for attempt in attempts]
    assert evidence_of(evaluation_of(world.enrollment, "root")) == [("evaluation", quiz.id)]


def test_evaluate_reopens_even_a_sticky_node_when_its_result_is_voided(world: World) -> None:
    attempt = world.stage.graded(RIGHT)
    world.evaluate()
    first = evaluation_of(world.enrollment, "quiz")

    void_attempt(attempt_id=attempt.id, actor=world.stage.grader, reason="Cheating", at=NOON + DAY)
    world.evaluate(NOON + DAY)

    again = evaluation_of(world.enrollment, "quiz")
    assert (again.status, again.reason, again.revision) == ("reopened", "evidence_annulled", 2)
    assert evidence_of(again) == [("evaluation", first.id)]


def test_evaluate_repeats_a_decision_on_other_evidence_after_a_void(world: World) -> None:
    better = world.stage.graded(RIGHT)
    other = world.stage.graded(RIGHT, NOON + DAY)
    world.evaluate(NOON + DAY)
    assert evidence_of(evaluation_of(world.enrollment, "quiz")) == [
        ("result", result_of(better).id)
    ]

    void_attempt(attempt_id=better.id, actor=world.stage.grader, reason="Noise", at=NOON + 2 * DAY)
    world.evaluate(NOON + 2 * DAY)

    quiz = evaluation_of(world.enrollment, "quiz")
    assert (quiz.status, quiz.revision) == ("satisfied", 2)
    assert evidence_of(quiz) == [("result", result_of(other).id)]


def test_evaluate_follows_a_result_that_was_corrected_upwards() -> None:
    stage = scene(attempts_allowed=1)
    only(stage, quiz_node(stage))
    attempt = stage.graded(WRONG)
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    override_result(
        attempt_id=attempt.id,
        actor=stage.grader,
        score=Decimal(6),
        reason="The key was wrong",
        expected_revision=0,
        at=NOON,
    )
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [("quiz", "failed"), ("quiz", "satisfied")]
    assert evidence_of(evaluation_of(stage.enrollment, "quiz")) == [
        ("result", result_of(attempt).id)
    ]


def test_evaluate_result_that_is_held_back_decides_nothing() -> None:
    stage = scene(release_policy="manual")
    only(stage, quiz_node(stage))
    attempt = stage.graded(RIGHT)

    assert evaluate_enrollment(stage.enrollment.id, at=NOON) == []

    decide_attempt_release(attempt=attempt, is_released=True, actor=stage.grader)
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    assert decided(stage.enrollment) == [("quiz", "satisfied")]


def test_evaluate_asks_for_the_nodes_own_minimum() -> None:
    stage = scene()
    only(stage, quiz_node(stage, min_percent=Decimal(80)))
    stage.graded({**RIGHT, "primes": ["four"]})

    assert evaluate_enrollment(stage.enrollment.id, at=NOON) == []

    stage.graded(RIGHT, NOON + DAY)
    assert [e.status for e in evaluate_enrollment(stage.enrollment.id, at=NOON + DAY)] == [
        "satisfied"
    ]


def test_evaluate_attendance_rests_on_the_records_and_falls_with_them() -> None:
    stage = scene()
    only(stage, NodeSpec("there", NodeKind.ATTENDANCE, attendance_percent=Decimal(50)))
    first, second = sessions_of(stage.enrollment, 2)
    record = attend(stage.enrollment, first, "late", by=stage.grader)
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    assert evidence_of(evaluation_of(stage.enrollment, "there")) == [("attendance", record.id)]

    attend(stage.enrollment, first, "absent", by=stage.grader)
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    attend(stage.enrollment, second, "absent", by=stage.grader)
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [
        ("there", "satisfied"),
        ("there", "reopened"),
        ("there", "failed"),
    ]


def test_evaluate_course_reopened_by_a_void_reopens_the_requirement() -> None:
    stage = scene()
    only(stage, NodeSpec("course", NodeKind.COURSE_COMPLETED, course=course_of(stage.enrollment)))
    attempt = stage.graded(RIGHT)
    complete_item(stage.enrollment, "intro")
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    void_attempt(attempt_id=attempt.id, actor=stage.grader, reason="Cheating", at=NOON)
    complete_item(stage.enrollment, "intro")

    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [("course", "satisfied"), ("course", "reopened")]


def test_evaluate_module_completion_is_known_by_its_key() -> None:
    stage = scene()
    only(
        stage,
        NodeSpec(
            "all",
            NodeKind.MODULE_COMPLETED,
            course=course_of(stage.enrollment),
            module_key="all",
        ),
    )
    stage.graded(RIGHT)
    complete_item(stage.enrollment, "intro")

    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [("all", "satisfied")]


def test_evaluate_item_is_complete_by_the_pass_of_what_is_placed_there() -> None:
    stage = scene()
    only(
        stage,
        NodeSpec(
            "item", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="quiz"
        ),
    )
    stage.graded(RIGHT)

    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [("item", "satisfied")]


def issue(enrollment: CohortEnrollment, program: Program, **payload: object) -> None:
    """Record that the learner was issued a credential of this program."""
    record_event(
        enrollment=enrollment,
        type=EventType.CREDENTIAL_ISSUED,
        entity=program,
        payload={"program": str(program.id), **payload},
        occurred_at=NOON - DAY,
    )


def test_evaluate_live_credential_is_reopened_when_it_expires() -> None:
    stage = scene()
    other = published_program(slug="first-aid-basics").definition
    only(
        stage,
        NodeSpec(
            "held",
            NodeKind.CREDENTIAL_HELD,
            credential_program=other.id,
            retention=Retention.LIVE,
        ),
    )
    issue(stage.enrollment, other, expires_at=(NOON + DAY).isoformat())

    evaluate_enrollment(stage.enrollment.id, at=NOON)
    owed = OutboxMessage.objects.filter(topic=ADVANCE, available_at=NOON + DAY)
    assert owed.get().key == str(stage.enrollment.id)
    evaluate_enrollment(stage.enrollment.id, at=NOON + DAY)

    assert decided(stage.enrollment) == [("held", "satisfied"), ("held", "reopened")]
    assert evaluation_of(stage.enrollment, "held").reason == "no_longer_met"


def test_evaluate_credential_of_an_alias_counts() -> None:
    stage = scene()
    other = published_program(slug="first-aid-basics").definition
    only(stage, NodeSpec("held", NodeKind.CREDENTIAL_HELD, credential_program=other.id))
    twin = enroll(cohort=stage.cohort, contact=person("Augusta"), actor=None, at=NOON)
    issue(twin, other)
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    assert decided(stage.enrollment) == []

    merge_contacts(source=twin.contact, into=stage.learner, actor=None)
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [("held", "satisfied")]


def test_evaluate_deeds_of_an_alias_in_the_same_cohort_count() -> None:
    stage = scene()
    only(
        stage,
        NodeSpec(
            "intro", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="intro"
        ),
    )
    twin = enroll(cohort=stage.cohort, contact=person("Augusta"), actor=None, at=NOON)
    event = complete_item(twin, "intro")
    merge_contacts(source=twin.contact, into=stage.learner, actor=None)

    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert evidence_of(evaluation_of(stage.enrollment, "intro")) == [("event", event.id)]


def test_evaluate_deadline_is_owed_when_it_is_assigned_and_fails_on_the_assignment() -> None:
    stage = scene()
    only(stage, signoff("lab", deadline_on=date(2026, 3, 4)))
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    passed = datetime(2026, 3, 4, 23, tzinfo=UTC)
    message = OutboxMessage.objects.get(topic=ADVANCE, available_at=passed)
    assert message.key == str(stage.enrollment.id)
    evaluate_enrollment(stage.enrollment.id, at=passed)

    assert decided(stage.enrollment) == [("lab", "failed")]
    assert evidence_of(evaluation_of(stage.enrollment, "lab")) == [
        ("assignment", RequirementAssignment.objects.get().id)
    ]


def test_evaluate_withdrawn_sign_off_reopens() -> None:
    stage = scene()
    version = only(stage, signoff("lab"))
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    node = version.nodes.get()
    sign_off(enrollment=stage.enrollment, node=node, actor=stage.grader, at=NOON)
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    withdraw_sign_off(
        enrollment=stage.enrollment, node=node, actor=stage.grader, at=NOON, reason="Mixed up"
    )

    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [("lab", "satisfied"), ("lab", "reopened")]
    assert SignOff.objects.count() == 2


def test_evaluate_waiver_until_it_is_withdrawn() -> None:
    stage = scene()
    version = only(stage, quiz_node(stage))
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    node = version.nodes.get()
    waiver = waive(
        enrollment=stage.enrollment, node=node, actor=stage.grader, at=NOON, reason="Recognised"
    )
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    assert evidence_of(evaluation_of(stage.enrollment, "quiz")) == [("waiver", waiver.id)]

    withdraw_waiver(
        enrollment=stage.enrollment, node=node, actor=stage.grader, at=NOON, reason="Forged papers"
    )
    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert decided(stage.enrollment) == [("quiz", "waived"), ("quiz", "reopened")]
    assert Waiver.objects.count() == 2


def test_evaluate_many_takes_as_many_statements_as_one(world: World) -> None:
    """Every learner has something to record, and the versions are in the cache."""
    others = [
        enroll(cohort=world.stage.cohort, contact=person(f"L{i}"), actor=None, at=NOON)
        for i in range(6)
    ]
    for enrollment in [world.enrollment, *others]:
        complete_item(enrollment, "intro")
    world.evaluate()

    def statements(ids: list[UUID]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(evaluate_enrollments(enrollment_ids=ids, at=NOON)) == len(ids)
        return len(captured)

    assert statements([others[0].id]) == statements([e.id for e in others[1:]])
