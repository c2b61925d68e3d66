"""What the database itself refuses, one test a constraint."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from apps.assessment.models import (
    Accommodation,
    AssessmentAttempt,
    AssessmentItem,
    AssessmentPlacement,
    AssessmentResponse,
    AssessmentResult,
    AssessmentTemplate,
    AssessmentVersion,
    AssessmentWindow,
    BankItem,
    GradingEvent,
    GradingTask,
    QuestionBank,
    ResponseRevision,
    ResultRelease,
    Rubric,
    RubricCriterion,
    RubricLevel,
)
from apps.assessment.vocabulary import AttemptStatus, GradingKind, Kind, TaskState
from tests.assessment.factories import (
    RIGHT,
    WITH_ESSAY,
    Scene,
    draft_assessment,
    learner_of,
    published_assessment,
    result_of,
    scene,
)
from tests.cohorts.factories import NOON, person
from tests.programs.factories import Item, draft_course

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@contextmanager
def refused(reason: str) -> Any:
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        yield
    assert reason in str(error.value)


Refused = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def it() -> Scene:
    return scene(WITH_ESSAY)


def attempt_fields(it: Scene, **changes: Any) -> dict[str, Any]:
    return {
        "enrollment": it.enrollment,
        "contact": it.learner,
        "template": it.template,
        "version": it.version,
        "attempt_no": 9,
        "started_at": NOON,
        "seed": "s",
        "item_order": [],
        "policy": {},
        **changes,
    }


def event_fields(attempt: AssessmentAttempt, it: Scene, **changes: Any) -> dict[str, Any]:
    return {
        "attempt": attempt,
        "item": it.items["causes"],
        "version": it.version,
        "contact": it.learner,
        "revision": 1,
        "kind": GradingKind.MANUAL,
        "score": Decimal(1),
        "max_score": Decimal(4),
        "grader": it.grader,
        **changes,
    }


def test_a_second_open_attempt_is_refused(it: Scene) -> None:
    it.start()

    with refused("attempt_one_open_per_learner"):
        AssessmentAttempt.objects.create(**attempt_fields(it))


def test_an_attempt_number_counts_once(it: Scene) -> None:
    it.submit(it.start())

    with refused("attempt_number_once"):
        AssessmentAttempt.objects.create(**attempt_fields(it, attempt_no=1))
    with refused("attempt_number_from_one"):
        AssessmentAttempt.objects.create(**attempt_fields(it, attempt_no=0))


def test_an_attempt_of_another_learners_enrolment_is_refused(it: Scene) -> None:
    with refused("attempt_enrollment_of_its_learner"):
        AssessmentAttempt.objects.create(**attempt_fields(it, contact=person("Bo")))


def test_an_attempt_at_another_templates_version_is_refused(it: Scene) -> None:
    with refused("attempt_version_of_its_template"):
        AssessmentAttempt.objects.create(
            **attempt_fields(it, version=published_assessment(slug="other"))
        )


def test_an_attempt_at_a_draft_is_refused(it: Scene) -> None:
    draft = draft_assessment(slug="draft")

    with refused("the assessment is a draft"):
        AssessmentAttempt.objects.create(
            **attempt_fields(it, version=draft, template=draft.definition)
        )


@pytest.mark.parametrize(
    "change",
    [
        {"status": "submitted"},
        {"status": "graded", "submitted_at": NOON},
        {"status": "void"},
        {"submitted_at": NOON},
        {"status": "expired"},
    ],
)
def test_a_status_without_its_times_is_refused(it: Scene, change: dict[str, Any]) -> None:
    with refused("attempt_status_has_its_times"):
        AssessmentAttempt.objects.create(**attempt_fields(it, **change))


def test_an_attempt_that_ends_before_it_starts_is_refused(it: Scene) -> None:
    for change in (
        {"ends_at": NOON, "accepts_until": NOON},
        {"ends_at": NOON + SECOND, "accepts_until": NOON},
        {"ends_at": NOON + SECOND},
    ):
        with refused("attempt_ends_after_it_starts"):
            AssessmentAttempt.objects.create(**attempt_fields(it, **change))


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ("in_progress", {"status": "graded", "submitted_at": NOON, "graded_at": NOON}),
        ("submitted", {"status": "in_progress", "submitted_at": None}),
        ("graded", {"status": "submitted", "graded_at": None}),
        ("void", {"status": "submitted", "voided_at": None, "submitted_at": NOON}),
    ],
)
def test_a_status_moves_one_way(it: Scene, before: str, change: dict[str, Any]) -> None:
    attempt = {
        "in_progress": it.start,
        "submitted": lambda: it.submit(it.start()),
        "graded": lambda: it.graded(RIGHT),
        "void": lambda: AssessmentAttempt.objects.create(
            **attempt_fields(it, status="void", voided_at=NOON)
        ),
    }[before]()

    with refused("cannot become"):
        AssessmentAttempt.objects.filter(pk=attempt.pk).update(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"started_at": NOON + SECOND},
        {"ends_at": NOON + SECOND, "accepts_until": NOON + SECOND},
        {"attempt_no": 5},
        {"seed": "other"},
        {"item_order": []},
        {"policy": {}},
    ],
)
def test_what_an_attempt_was_taken_under_is_frozen(it: Scene, change: dict[str, Any]) -> None:
    attempt = it.start()

    with refused("what it was taken under is frozen"):
        AssessmentAttempt.objects.filter(pk=attempt.pk).update(**change)


def test_when_an_attempt_was_submitted_is_frozen(it: Scene) -> None:
    attempt = it.submit(it.start())

    with refused("when it was submitted is frozen"):
        AssessmentAttempt.objects.filter(pk=attempt.pk).update(submitted_at=NOON - SECOND)


@pytest.mark.parametrize(
    "table",
    ["assessment_attempts", "assessment_responses", "grading_tasks", "accommodations"],
)
def test_lifecycle_rows_cannot_be_deleted(table: str) -> None:
    with refused("permission denied"), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608


def test_a_response_to_an_item_of_another_version_is_refused(it: Scene) -> None:
    attempt = it.start()
    other = published_assessment(slug="other")
    fields = {"attempt": attempt, "sequence": 1, "saved_at": NOON, "item": other.items.first()}

    with refused("response_item_of_its_version"):
        AssessmentResponse.objects.create(**fields, version=it.version)
    with refused("response_attempt_of_its_version"):
        AssessmentResponse.objects.create(**fields, version=other)


def test_one_response_an_item_and_one_revision_a_sequence(it: Scene) -> None:
    attempt = it.start()
    it.answer(attempt, {"pi": "3"})
    response = AssessmentResponse.objects.get()

    with refused("response_one_per_item"):
        AssessmentResponse.objects.create(
            attempt=attempt,
            item=it.items["pi"],
            version=it.version,
            sequence=2,
            saved_at=NOON,
        )
    with refused("responserevision_sequence_once"):
        ResponseRevision.objects.create(response=response, sequence=1, saved_at=NOON)


def test_a_response_keeps_an_invalid_value_only_with_its_fault(it: Scene) -> None:
    fields = {
        "attempt": it.start(),
        "item": it.items["pi"],
        "version": it.version,
        "sequence": 1,
        "saved_at": NOON,
    }

    for change in ({"fault": "unreadable-number"}, {"invalid_value": "three"}):
        with refused("response_fault_keeps_its_value"):
            AssessmentResponse.objects.create(**fields, **change)


@pytest.mark.parametrize("score", ["-0.000001", "4.000001"])
def test_a_score_outside_0_and_the_maximum_is_refused(it: Scene, score: str) -> None:
    attempt = it.graded(RIGHT)

    with refused("gradingevent_score_within_maximum"):
        GradingEvent.objects.create(**event_fields(attempt, it, score=Decimal(score)))


def test_a_score_where_there_is_none_and_none_where_one_is_needed_are_refused(it: Scene) -> None:
    attempt = it.graded(RIGHT)
    void = {"kind": GradingKind.VOID, "item": None, "reason": "Copied"}

    with refused("gradingevent_score_within_maximum"):
        GradingEvent.objects.create(**event_fields(attempt, it, **void))
    with refused("gradingevent_score_within_maximum"):
        GradingEvent.objects.create(**event_fields(attempt, it, score=None))


def test_two_writers_of_one_revision_are_refused(it: Scene) -> None:
    attempt = it.graded({**RIGHT, "causes": "Rain"})
    override = event_fields(attempt, it, kind=GradingKind.OVERRIDE, item=None, reason="Board")
    GradingEvent.objects.create(**event_fields(attempt, it))
    GradingEvent.objects.create(**override)

    with refused("gradingevent_revision_once"):
        GradingEvent.objects.create(**event_fields(attempt, it))
    with refused("gradingevent_revision_once"):
        GradingEvent.objects.create(**override)


def test_grading_ones_own_attempt_is_refused(it: Scene) -> None:
    attempt = it.graded(RIGHT)

    with refused("gradingevent_not_ones_own_work"):
        GradingEvent.objects.create(**event_fields(attempt, it, revision=2, grader=it.learner))
    with refused("gradingevent_attempt_of_its_learner"):
        GradingEvent.objects.create(
            **event_fields(attempt, it, revision=2, grader=it.learner, contact=it.grader)
        )


def test_a_grading_event_about_another_version_is_refused(it: Scene) -> None:
    attempt = it.graded(RIGHT)
    other = published_assessment(slug="other")

    with refused("gradingevent_item_of_its_version"):
        GradingEvent.objects.create(**event_fields(attempt, it, item=other.items.first()))
    with refused("gradingevent_attempt_of_its_version"):
        GradingEvent.objects.create(
            **event_fields(attempt, it, item=other.items.first(), version=other)
        )


def test_a_grading_event_names_who_what_and_why(it: Scene) -> None:
    attempt = it.graded({**RIGHT, "causes": "Rain"})
    auto = {"kind": GradingKind.AUTO, "engine_version": "1"}

    for change, constraint in (
        ({"grader": None}, "gradingevent_person_named"),
        (auto, "gradingevent_person_named"),
        ({**auto, "grader": None, "engine_version": ""}, "gradingevent_engine_named"),
        ({"item": None}, "gradingevent_kind_has_its_subject"),
        ({"kind": GradingKind.OVERRIDE, "reason": "x"}, "gradingevent_kind_has_its_subject"),
        ({"kind": "guess"}, "gradingevent_kind_has_its_subject"),
        ({"kind": GradingKind.OVERRIDE, "item": None}, "gradingevent_reason_given"),
    ):
        with refused(constraint):
            GradingEvent.objects.create(**event_fields(attempt, it, **change))


def test_grading_tasks_keep_their_version_and_state(it: Scene) -> None:
    attempt = it.graded({**RIGHT, "causes": "Rain"})
    other = published_assessment(slug="other")
    fields = {"attempt": attempt, "item": it.items["pi"], "version": it.version}

    for change, constraint in (
        ({"item": it.items["causes"]}, "gradingtask_one_per_item"),
        ({"item": other.items.first()}, "gradingtask_item_of_its_version"),
        ({"item": other.items.first(), "version": other}, "gradingtask_attempt_of_its_version"),
        ({"state": TaskState.DONE}, "gradingtask_state_has_its_times"),
        ({"closed_at": NOON}, "gradingtask_state_has_its_times"),
        ({"leased_until": NOON}, "gradingtask_lease_whole"),
    ):
        with refused(constraint):
            GradingTask.objects.create(**{**fields, **change})


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"revision": 1}, "assessmentresult_revision_once"),
        ({"score": Decimal(11)}, "assessmentresult_scores_within_maximum"),
        ({"raw": Decimal(-1)}, "assessmentresult_scores_within_maximum"),
        ({"penalty": Decimal(11)}, "assessmentresult_scores_within_maximum"),
        ({"override": Decimal(1)}, "assessmentresult_scores_within_maximum"),
        ({"percent": Decimal("100.01")}, "assessmentresult_percent_within_0_and_100"),
        ({"is_final": False}, "assessmentresult_only_a_final_one_passes"),
        ({"is_void": True}, "assessmentresult_a_void_one_is_not_final"),
    ],
)
def test_an_impossible_result_is_refused(
    it: Scene, change: dict[str, Any], constraint: str
) -> None:
    stored = result_of(it.graded(RIGHT))
    fields = {
        field.attname: getattr(stored, field.attname)
        for field in AssessmentResult._meta.concrete_fields
        if field.name not in ("id", "recorded_at")
    }

    with refused(constraint):
        AssessmentResult.objects.create(**{**fields, "revision": 2, "passed": True, **change})


def test_a_release_is_of_a_cohort_or_of_an_attempt(it: Scene) -> None:
    both = {"cohort": it.cohort, "attempt": it.start()}

    for subject in (both, {}):
        with refused("resultrelease_of_a_cohort_or_an_attempt"):
            ResultRelease.objects.create(
                template=it.template, is_released=True, actor=it.grader, **subject
            )


def test_a_window_is_one_a_cohort_and_its_times_are_in_order(it: Scene) -> None:
    fields = {"cohort": it.cohort, "template": it.template}
    AssessmentWindow.objects.create(**fields)

    with refused("window_one_per_cohort_and_template"):
        AssessmentWindow.objects.create(**fields)
    AssessmentWindow.objects.all().delete()
    for change in (
        {"opens_at": NOON, "due_at": NOON},
        {"opens_at": NOON, "closes_at": NOON},
        {"due_at": NOON, "closes_at": NOON - SECOND},
    ):
        with refused("window_times_in_order"):
            AssessmentWindow.objects.create(**fields, **change)
    for change in ({"attempts_allowed": 0}, {"time_limit_seconds": 0}):
        with refused("window_limits_positive"):
            AssessmentWindow.objects.create(**fields, **change)


def test_an_accommodation_is_one_at_a_time_within_reason_and_not_for_oneself(it: Scene) -> None:
    fields = {"contact": it.learner, "granted_by": it.grader, "reason": "Dyslexia"}
    Accommodation.objects.create(**fields)
    Accommodation.objects.create(**fields, template=it.template)

    with refused("accommodation_one_live_per_learner"):
        Accommodation.objects.create(**fields)
    with refused("accommodation_multiplier_in_range"):
        Accommodation.objects.create(**fields, ended_at=NOON, time_multiplier=Decimal("0.5"))
    with refused("accommodation_not_for_oneself"):
        Accommodation.objects.create(**{**fields, "ended_at": NOON, "granted_by": it.learner})


def test_a_published_assessment_and_its_parts_are_frozen(it: Scene) -> None:
    parts = (Rubric, RubricCriterion, RubricLevel, AssessmentItem)

    for model in parts:
        with refused("its version is published"):
            model.objects.filter(version=it.version).update(key="changed")
        with refused("its version is published"):
            model.objects.filter(version=it.version).delete()
    with refused("is frozen"):
        AssessmentVersion.objects.filter(pk=it.version.pk).update(pass_percent=0)


def test_parts_of_a_rubric_and_items_stay_within_their_version() -> None:
    draft = draft_assessment(WITH_ESSAY)
    other = draft_assessment(WITH_ESSAY, slug="other")
    rubric, criterion = other.rubrics.get(), other.rubric_criteria.first()

    with refused("rubriccriterion_rubric_of_its_version"):
        RubricCriterion.objects.create(version=draft, key="x", rubric=rubric, title="X")
    with refused("rubriclevel_criterion_of_its_version"):
        RubricLevel.objects.create(
            version=draft, key="x", criterion=criterion, title="X", points=Decimal(1)
        )
    with refused("assessmentitem_rubric_of_its_version"):
        draft.items.filter(key="causes").update(rubric=rubric)
    with refused("rubriclevel_points_not_negative"):
        draft.rubric_levels.update(points=Decimal(-1))


def test_a_placement_is_of_an_item_of_its_course_and_of_no_draft() -> None:
    course = draft_course("one", {"all": [Item("quiz", "assessment")]})
    other = draft_course("two", {"all": [Item("quiz", "assessment")]})
    fields = {"version": course, "key": "quiz", "module_item": course.items.get()}
    published = published_assessment()
    AssessmentPlacement.objects.create(**fields, assessment_version=published)

    with refused("placement_one_per_module_item"):
        AssessmentPlacement.objects.create(
            **{**fields, "key": "again"}, assessment_version=published
        )
    with refused("placement_item_of_its_version"):
        AssessmentPlacement.objects.create(
            version=course,
            key="foreign",
            module_item=other.items.get(),
            assessment_version=published,
        )
    with refused("the assessment is a draft"):
        AssessmentPlacement.objects.update(assessment_version=draft_assessment(slug="draft"))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"pass_percent": Decimal("100.01")}, "assessmentversion_percents_in_range"),
        ({"late_cap_percent": Decimal(-1)}, "assessmentversion_percents_in_range"),
        ({"percent_places": 5}, "assessmentversion_places_in_range"),
        ({"attempts_allowed": 0}, "assessmentversion_limits_positive"),
        ({"time_limit_seconds": 0}, "assessmentversion_limits_positive"),
        ({"result_policy": "average"}, "assessmentversion_policies_known"),
        ({"release_policy": "never"}, "assessmentversion_policies_known"),
    ],
)
def test_impossible_terms_are_refused(change: dict[str, Any], constraint: str) -> None:
    with refused(constraint):
        draft_assessment(**change)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"kind": "riddle"}, "kind_known"),
        ({"scoring_rule": "luck"}, "rule_known"),
        ({"kind": Kind.ESSAY, "graded_by": "engine"}, "essay_graded_by_a_person"),
        ({"points": Decimal(-1)}, "points_in_range"),
        ({"points": Decimal(10001)}, "points_in_range"),
    ],
)
def test_impossible_questions_are_refused(change: dict[str, Any], constraint: str) -> None:
    fields = {
        "key": "q",
        "kind": Kind.TRUE_FALSE,
        "scoring_rule": "all_or_nothing",
        "graded_by": "engine",
        "prompt_markdown": "?",
        **change,
    }
    bank = QuestionBank.objects.create(slug="bank", title="Bank")

    with refused(f"assessmentitem_{constraint}"):
        AssessmentItem.objects.create(version=draft_assessment(), position=9, **fields)
    with refused(f"bankitem_{constraint}"):
        BankItem.objects.create(bank=bank, **fields)


def test_a_bank_holds_a_key_once_and_a_sensible_difficulty() -> None:
    bank = QuestionBank.objects.create(slug="bank", title="Bank")
    fields = {
        "bank": bank,
        "key": "q",
        "kind": Kind.TRUE_FALSE,
        "scoring_rule": "all_or_nothing",
        "graded_by": "engine",
        "prompt_markdown": "?",
    }
    BankItem.objects.create(**fields)

    with refused("bankitem_key_once_per_bank"):
        BankItem.objects.create(**fields)
    with refused("bankitem_difficulty_in_range"):
        BankItem.objects.create(**{**fields, "key": "r"}, difficulty=6)


def test_a_template_has_a_known_type_and_scoring_model() -> None:
    for change, constraint in (
        ({"type": "riddle"}, "assessmenttemplate_type_known"),
        ({"scoring_model": "luck"}, "assessmenttemplate_scoring_model_known"),
    ):
        with refused(constraint):
            AssessmentTemplate.objects.create(slug="t", title="T", **change)


def test_clean_names_what_is_wrong_with_a_key() -> None:
    item = AssessmentItem(kind=Kind.TRUE_FALSE, key_data={"correct": "yes"})

    with pytest.raises(ValidationError) as refusal:
        item.clean()

    assert refusal.value.message_dict == {"key_data": ["correct: true or false is expected here."]}
    assert (item.scoring_rule, item.graded_by) == ("all_or_nothing", "engine")


def test_two_learners_have_one_open_attempt_each(it: Scene) -> None:
    second = Scene(it.version, it.cohort, learner_of(it.cohort, "Bo"), it.grader, it.items)

    it.start()
    second.start()

    assert AssessmentAttempt.objects.filter(status=AttemptStatus.IN_PROGRESS).count() == 2
