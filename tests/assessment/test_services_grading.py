"""Grades are events: by the engine, by people, never by oneself; results follow."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from apps.assessment.models import AssessmentResult, GradingEvent, GradingTask
from apps.assessment.rules.rubrics import LevelChoice
from apps.assessment.services import (
    grade_attempt,
    lease_next_task,
    lease_task,
    override_result,
    record_grade,
    record_rubric_grade,
    release_task,
    void_attempt,
    withdraw_override,
)
from apps.assessment.services.attempts import NoSuchItem
from apps.assessment.services.grading import (
    NotGradable,
    OwnWork,
    ReasonMissing,
    RubricNotComplete,
    ScoreOutOfRange,
)
from apps.assessment.services.queue import LEASE, LeaseLost
from apps.assessment.services.rulings import ItemsOpen
from apps.assessment.vocabulary import AttemptStatus, GradedBy, GradingKind, Kind, TaskState
from apps.cohorts.events import EventType
from apps.cohorts.models import ProgressEvent
from apps.contacts.models import AdminAction
from apps.contacts.services import merge_contacts
from apps.core.revisions import RevisionConflict
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    WRONG,
    Question,
    Scene,
    learner_of,
    published_assessment,
    result_of,
    scene,
)
from tests.cohorts.factories import NOON, event_types, person

pytestmark = pytest.mark.django_db

ESSAY_ANSWERS = {**RIGHT, "causes": "Rain and wind."}
SECOND = timedelta(seconds=1)


def outcomes(it: Scene) -> list[str]:
    return [kind for kind in event_types(it.enrollment) if kind.startswith("assessment_")]


def events(attempt: Any) -> list[tuple[Any, ...]]:
    rows = GradingEvent.objects.filter(attempt=attempt).order_by("item__position", "revision")
    return list(rows.values_list("item__key", "kind", "score", "max_score"))


@pytest.fixture
def essay() -> Scene:
    return scene(WITH_ESSAY)


@pytest.fixture
def grade(essay: Scene) -> Any:
    """An essay waiting for its grade; call it with what differs."""
    attempt = essay.graded(ESSAY_ANSWERS)
    return partial(
        record_grade,
        attempt_id=attempt.id,
        item_id=essay.items["causes"].id,
        grader=essay.grader,
        score=Decimal(3),
        expected_revision=0,
        at=NOON,
    )


def test_grade_attempt_scores_every_item_and_passes() -> None:
    it = scene(pass_percent=Decimal(80))

    attempt = it.graded({**RIGHT, "capital": "lyon"})

    assert events(attempt) == [
        ("capital", "auto", Decimal("0.5"), Decimal(2)),
        ("primes", "auto", Decimal(2), Decimal(2)),
        ("earth", "auto", Decimal(1), Decimal(1)),
        ("pi", "auto", Decimal(1), Decimal(1)),
    ]
    assert attempt.status == AttemptStatus.GRADED
    assert attempt.graded_at == NOON
    result = result_of(attempt)
    assert (result.revision, result.score, result.max_score) == (1, Decimal("4.5"), Decimal(6))
    assert (result.percent, result.passed, result.is_final) == (Decimal(75), False, True)
    assert outcomes(it) == [EventType.ASSESSMENT_SUBMITTED, EventType.ASSESSMENT_FAILED]


def test_grade_attempt_tells_of_a_pass_with_the_result() -> None:
    it = scene()

    attempt = it.graded(RIGHT)

    event = ProgressEvent.objects.get(type=EventType.ASSESSMENT_PASSED)
    assert (event.entity_id, event.asserted_by) == (attempt.id, None)
    assert event.payload == {
        "assessment": str(it.template.id),
        "module_items": [str(it.version.placements.get().module_item_id)],
        "result": str(result_of(attempt).id),
        "score": "6",
        "max_score": "6",
        "percent": "100",
    }


def test_grade_attempt_gives_nothing_for_what_was_left_open(essay: Scene) -> None:
    attempt = essay.graded({})

    assert {score for _, _, score, _ in events(attempt)} == {Decimal(0)}
    assert attempt.status == AttemptStatus.GRADED
    assert not GradingTask.objects.exists()


def test_grade_attempt_leaves_an_essay_to_a_person(essay: Scene) -> None:
    attempt = essay.graded(ESSAY_ANSWERS)

    task = GradingTask.objects.get()
    assert (task.attempt, task.item, task.state) == (attempt, essay.items["causes"], "open")
    result = result_of(attempt)
    assert (result.score, result.is_final, result.passed) == (Decimal(6), False, False)
    assert attempt.status == AttemptStatus.SUBMITTED
    assert outcomes(essay) == [EventType.ASSESSMENT_SUBMITTED]


def test_grade_attempt_again_changes_nothing(essay: Scene) -> None:
    attempt = essay.graded(ESSAY_ANSWERS)
    before = (GradingEvent.objects.count(), AssessmentResult.objects.count())

    grade_attempt(attempt.id, at=NOON)

    assert (GradingEvent.objects.count(), AssessmentResult.objects.count()) == before
    assert GradingTask.objects.count() == 1


def test_grade_attempt_leaves_open_and_void_attempts_alone() -> None:
    it = scene()
    attempt = it.start()

    grade_attempt(attempt.id, at=NOON)
    assert not GradingEvent.objects.exists()
    void_attempt(attempt_id=attempt.id, actor=it.grader, reason="Copied", at=NOON)
    grade_attempt(attempt.id, at=NOON)

    assert events(attempt) == [(None, "void", None, Decimal(6))]


def test_grade_attempt_lets_a_person_score_what_the_author_gave_to_people() -> None:
    opinion = Question(
        "opinion",
        Kind.SHORT_TEXT,
        {"answers": [{"key": "any", "pattern": "*", "fraction": "1"}]},
        graded_by=GradedBy.PERSON,
    )
    it = scene((opinion,))

    attempt = it.graded({"opinion": "Fine"})

    assert GradingTask.objects.get().item.key == "opinion"
    assert result_of(attempt).is_final is False


def test_record_grade_completes_the_result(essay: Scene, grade: Any) -> None:
    result = grade(feedback="Well argued.")

    assert (result.revision, result.score, result.percent) == (2, Decimal(9), Decimal(90))
    assert (result.is_final, result.passed) == (True, True)
    task = GradingTask.objects.get()
    assert (task.state, task.closed_at, task.leased_by) == (TaskState.DONE, NOON, None)
    assert outcomes(essay) == [EventType.ASSESSMENT_SUBMITTED, EventType.ASSESSMENT_PASSED]
    event = GradingEvent.objects.get(kind=GradingKind.MANUAL)
    assert (event.grader, event.feedback, event.revision) == (essay.grader, "Well argued.", 1)


def test_record_grade_corrects_with_a_reason_only(essay: Scene, grade: Any) -> None:
    grade()

    with pytest.raises(ReasonMissing):
        grade(score=Decimal(0), expected_revision=1)
    result = grade(score=Decimal(0), expected_revision=1, reason="Copied from a book.")

    assert (result.revision, result.score, result.passed) == (3, Decimal(6), True)
    assert outcomes(essay).count(EventType.ASSESSMENT_PASSED) == 1


def test_record_grade_tells_when_the_outcome_turns(essay: Scene, grade: Any) -> None:
    capital = essay.items["capital"].id
    grade(score=Decimal(0))
    grade(item_id=capital, score=Decimal(0), expected_revision=1, reason="Sign of cheating")
    grade(item_id=capital, score=Decimal(2), expected_revision=2, reason="Cleared")

    assert outcomes(essay) == [
        EventType.ASSESSMENT_SUBMITTED,
        EventType.ASSESSMENT_PASSED,
        EventType.ASSESSMENT_FAILED,
        EventType.ASSESSMENT_PASSED,
    ]


def test_record_grade_refuses_a_grade_the_writer_had_not_seen(grade: Any) -> None:
    grade()

    with pytest.raises(RevisionConflict):
        grade(score=Decimal(1), reason="Again")
    with pytest.raises(RevisionConflict):
        grade(score=Decimal(1), expected_revision=7, reason="Again")
    assert GradingEvent.objects.filter(kind=GradingKind.MANUAL).count() == 1


@pytest.mark.parametrize("score", ["-0.5", "4.000001", "1.0000001", "NaN", "Infinity"])
def test_record_grade_refuses_a_score_out_of_range(grade: Any, score: str) -> None:
    with pytest.raises(ScoreOutOfRange):
        grade(score=Decimal(score))


def test_record_grade_refuses_ones_own_work_also_by_an_alias(essay: Scene, grade: Any) -> None:
    with pytest.raises(OwnWork):
        grade(grader=essay.learner)
    survivor = merge_contacts(source=essay.learner, into=person("Augusta"), actor=None)
    with pytest.raises(OwnWork):
        grade(grader=survivor)
    assert not GradingEvent.objects.filter(kind=GradingKind.MANUAL).exists()


def test_record_grade_refuses_what_is_not_handed_in_or_void(essay: Scene, grade: Any) -> None:
    running = essay.start()
    with pytest.raises(NotGradable):
        grade(attempt_id=running.id)
    void_attempt(attempt_id=running.id, actor=essay.grader, reason="Copied", at=NOON)
    with pytest.raises(NotGradable):
        grade(attempt_id=running.id)


def test_record_grade_refuses_an_item_of_another_assessment(grade: Any) -> None:
    foreign = published_assessment(slug="other").items.get(key="pi")

    with pytest.raises(NoSuchItem):
        grade(item_id=foreign.id)


def test_record_rubric_grade_adds_the_levels(essay: Scene, grade: Any) -> None:
    fields = {k: v for k, v in grade.keywords.items() if k != "score"}

    result = record_rubric_grade(
        **fields,
        choices={
            "clarity": LevelChoice("clarity-good", "Clear."),
            "depth": LevelChoice("depth-poor"),
        },
    )

    assert (result.score, result.is_final) == (Decimal(8), True)
    event = GradingEvent.objects.get(kind=GradingKind.RUBRIC)
    assert event.rubric_levels == [
        {"criterion": "clarity", "level": "clarity-good", "points": "2", "comment": "Clear."},
        {"criterion": "depth", "level": "depth-poor", "points": "0", "comment": ""},
    ]


def test_record_rubric_grade_refuses_levels_that_do_not_fit(essay: Scene, grade: Any) -> None:
    fields = {k: v for k, v in grade.keywords.items() if k != "score"}

    with pytest.raises(RubricNotComplete) as refused:
        record_rubric_grade(**fields, choices={"clarity": LevelChoice("superb")})
    assert [error["code"] for error in refused.value.errors] == ["unknown-level", "criterion-open"]
    with pytest.raises(RubricNotComplete):
        record_rubric_grade(**{**fields, "item_id": essay.items["pi"].id}, choices={})


def test_override_result_sets_the_whole_score_and_can_be_withdrawn() -> None:
    it = scene()
    attempt = it.graded(WRONG)
    override = partial(override_result, attempt_id=attempt.id, actor=it.grader, at=NOON)

    overridden = override(score=Decimal(6), reason="Fire alarm", expected_revision=0)
    with pytest.raises(RevisionConflict):
        override(score=Decimal(5), reason="Fire alarm", expected_revision=0)
    withdrawn = withdraw_override(
        attempt_id=attempt.id, actor=it.grader, reason="No alarm", expected_revision=1, at=NOON
    )

    assert (overridden.raw, overridden.override, overridden.score) == (0, Decimal(6), Decimal(6))
    assert (withdrawn.override, withdrawn.score, withdrawn.passed) == (None, Decimal(0), False)
    assert outcomes(it)[1:] == [
        EventType.ASSESSMENT_FAILED,
        EventType.ASSESSMENT_PASSED,
        EventType.ASSESSMENT_FAILED,
    ]
    about_it = AdminAction.objects.filter(entity_id=attempt.id).order_by("id")
    assert list(about_it.values_list("action", "actor")) == [
        ("assessment.result_overridden", it.grader.id),
        ("assessment.override_withdrawn", it.grader.id),
    ]


def test_override_result_needs_a_reason_a_range_and_another_person() -> None:
    it = scene()
    attempt = it.graded(WRONG)
    override = partial(
        override_result, attempt_id=attempt.id, score=Decimal(1), expected_revision=0, at=NOON
    )

    with pytest.raises(ReasonMissing):
        override(actor=it.grader, reason=" ")
    with pytest.raises(ScoreOutOfRange):
        override(actor=it.grader, reason="Why", score=Decimal(7))
    with pytest.raises(OwnWork):
        override(actor=it.learner, reason="I deserve it")
    assert result_of(attempt).revision == 1


def test_withdraw_override_refuses_while_items_wait_for_a_grade(essay: Scene) -> None:
    attempt = essay.graded(ESSAY_ANSWERS)
    override_result(
        attempt_id=attempt.id,
        actor=essay.grader,
        score=Decimal(10),
        reason="Board",
        expected_revision=0,
        at=NOON,
    )

    with pytest.raises(ItemsOpen):
        withdraw_override(
            attempt_id=attempt.id, actor=essay.grader, reason="No", expected_revision=1, at=NOON
        )


def test_void_attempt_supersedes_the_result_and_tells_of_it() -> None:
    it = scene()
    attempt = it.graded(RIGHT)
    void = partial(
        void_attempt, attempt_id=attempt.id, actor=it.grader, reason="Copied", at=NOON + SECOND
    )

    first, second = void(), void()

    assert first == second
    assert (second.status, second.voided_at) == (AttemptStatus.VOID, NOON + SECOND)
    result = result_of(attempt)
    assert (result.revision, result.is_void, result.passed, result.is_final) == (
        2,
        True,
        False,
        False,
    )
    assert outcomes(it)[1:] == [EventType.ASSESSMENT_PASSED, EventType.ASSESSMENT_VOIDED]
    assert AdminAction.objects.get(entity_id=attempt.id).details == {"reason": "Copied"}


def test_void_attempt_cancels_its_tasks_and_needs_a_reason(essay: Scene) -> None:
    attempt = essay.graded(ESSAY_ANSWERS)
    lease_next_task(grader=essay.grader, cohort_ids=None, at=NOON)

    with pytest.raises(ReasonMissing):
        void_attempt(attempt_id=attempt.id, actor=essay.grader, reason="", at=NOON)
    with pytest.raises(OwnWork):
        void_attempt(attempt_id=attempt.id, actor=essay.learner, reason="Oops", at=NOON)
    void_attempt(attempt_id=attempt.id, actor=essay.grader, reason="Copied", at=NOON)

    task = GradingTask.objects.get()
    assert (task.state, task.leased_by) == (TaskState.CANCELLED, None)


def test_lease_next_task_hands_out_each_task_once_until_the_lease_ends(essay: Scene) -> None:
    essay.graded(ESSAY_ANSWERS)
    task = GradingTask.objects.get()
    other = person("Alan")
    ask = partial(lease_next_task, cohort_ids=[essay.cohort.id])

    assert ask(grader=essay.grader, at=NOON) == task
    assert ask(grader=other, at=NOON + LEASE) is None
    assert ask(grader=essay.grader, at=NOON + LEASE) == task
    assert ask(grader=other, at=NOON + 2 * LEASE + SECOND) == task


def test_lease_next_task_keeps_to_the_graders_cohorts_and_others_work(essay: Scene) -> None:
    essay.graded(ESSAY_ANSWERS)

    assert lease_next_task(grader=essay.grader, cohort_ids=[], at=NOON) is None
    assert lease_next_task(grader=essay.learner, cohort_ids=None, at=NOON) is None
    survivor = merge_contacts(source=essay.learner, into=person("Augusta"), actor=None)
    assert lease_next_task(grader=survivor, cohort_ids=None, at=NOON) is None


def test_lease_next_task_narrows_to_an_assessment_and_an_item(essay: Scene) -> None:
    essay.graded(ESSAY_ANSWERS)
    ask = partial(lease_next_task, grader=essay.grader, cohort_ids=None, at=NOON)

    assert ask(item_id=essay.items["pi"].id) is None
    assert ask(template_id=essay.template.id, item_id=essay.items["causes"].id) is not None


def test_lease_task_is_a_heartbeat_for_its_grader_alone(essay: Scene) -> None:
    essay.graded(ESSAY_ANSWERS)
    task = GradingTask.objects.get()
    other = person("Alan")
    lease_task(task_id=task.id, grader=essay.grader, at=NOON)

    longer = lease_task(task_id=task.id, grader=essay.grader, at=NOON + SECOND)
    with pytest.raises(LeaseLost):
        lease_task(task_id=task.id, grader=other, at=NOON + LEASE)
    release_task(task_id=task.id, grader=other)
    release_task(task_id=task.id, grader=essay.grader)

    assert longer.leased_until == NOON + SECOND + LEASE
    assert lease_task(task_id=task.id, grader=other, at=NOON).leased_by == other


def test_lease_task_of_a_graded_one_is_lost(essay: Scene, grade: Any) -> None:
    grade()

    with pytest.raises(LeaseLost):
        lease_task(task_id=GradingTask.objects.get().id, grader=essay.grader, at=NOON)


def test_two_learners_of_one_cohort_are_graded_apart(essay: Scene) -> None:
    second = Scene(
        essay.version, essay.cohort, learner_of(essay.cohort, "Bo"), essay.grader, essay.items
    )

    first_attempt, second_attempt = essay.graded(RIGHT), second.graded(WRONG)

    assert [result_of(first_attempt).score, result_of(second_attempt).score] == [6, 0]
