"""Grading: by the engine first, then by people. Every grade is an event, never an update."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResponse,
    AssessmentResult,
    GradingEvent,
    GradingTask,
)
from apps.assessment.questions.items import ItemSpec, JsonValue
from apps.assessment.questions.numbers import SCORE_PLACES, plain
from apps.assessment.rules.rubrics import (
    LevelChoice,
    RubricIncomplete,
    choices_as_json,
    rubric_score,
)
from apps.assessment.rules.scoring import needs_person, score_response
from apps.assessment.selectors.papers import Paper, published_paper
from apps.assessment.services.attempts import NoSuchAttempt, NoSuchItem
from apps.assessment.services.results import settle_result
from apps.assessment.vocabulary import (
    AUTOMATIC_KINDS,
    AttemptStatus,
    GradingKind,
    TaskState,
)
from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.contacts.services import lock_learner
from apps.core.problems import Conflict, Forbidden, Invalid
from apps.core.revisions import RevisionConflict, append_revision

SCORING_ENGINE = "assessment-scoring/1"


class OwnWork(Forbidden):
    code = "own-work"
    title = "Nobody grades their own work."


class NotGradable(Conflict):
    code = "not-gradable"
    title = "Only an attempt that was handed in, and is not void, can be graded."


class ScoreOutOfRange(Invalid):
    code = "score-out-of-range"
    title = "The score is not between 0 and the maximum."


class ReasonMissing(Invalid):
    code = "reason-missing"
    title = "A reason must be given."


class RubricNotComplete(Invalid):
    code = "rubric-incomplete"
    title = "The chosen levels do not fit the rubric."


@transaction.atomic(savepoint=False)
def grade_attempt(attempt_id: UUID, *, at: datetime) -> None:
    """Score by the engine what it can, open tasks for the rest, and settle the result.

    Done again it changes nothing. An attempt that was voided meanwhile is left alone.
    """
    attempt = locked_attempt(attempt_id)
    if attempt.status != AttemptStatus.SUBMITTED:
        return
    paper = published_paper(attempt.version_id)
    values = dict(
        AssessmentResponse.objects.filter(attempt=attempt).values_list("item_id", "value")
    )
    events = list(GradingEvent.objects.filter(attempt=attempt))
    graded = {event.item_id for event in events}
    open_items = [item for item in paper.items_of(attempt.item_order) if item.id not in graded]
    by_person = [item for item in open_items if needs_person(item, values.get(item.id))]
    by_engine = [item for item in open_items if item not in by_person]
    events += GradingEvent.objects.bulk_create(
        _automatic_event(attempt, item, values.get(item.id)) for item in by_engine
    )
    if by_person:
        GradingTask.objects.bulk_create(
            (
                GradingTask(attempt=attempt, item_id=item.id, version_id=attempt.version_id)
                for item in by_person
            ),
            ignore_conflicts=True,
        )
    settle_result(attempt, actor=None, at=at, events=events)


def _automatic_event(attempt: AssessmentAttempt, item: ItemSpec, value: JsonValue) -> GradingEvent:
    scored = score_response(item, value)
    return GradingEvent(
        attempt=attempt,
        item_id=item.id,
        version_id=attempt.version_id,
        contact_id=attempt.contact_id,
        revision=1,
        kind=GradingKind.AUTO,
        score=scored.score,
        max_score=item.points,
        details={"value": value, "matched": [*scored.matched]},
        engine_version=SCORING_ENGINE,
    )


def locked_attempt(attempt_id: UUID) -> AssessmentAttempt:
    """Return the attempt, read under its learner's lock. Raises NoSuchAttempt."""
    contact_id = (
        AssessmentAttempt.objects.filter(id=attempt_id).values_list("contact_id", flat=True).first()
    )
    if contact_id is None:
        raise NoSuchAttempt
    lock_learner(contact_id)
    return AssessmentAttempt.objects.select_related("enrollment").get(id=attempt_id)


@transaction.atomic
def record_grade(
    *,
    attempt_id: UUID,
    item_id: UUID,
    grader: Contact,
    score: Decimal,
    expected_revision: int,
    at: datetime,
    feedback: str = "",
    reason: str = "",
) -> AssessmentResult:
    """Return the result after a person gave an item its points.

    `expected_revision` is the item's newest grading event that the grader saw (0: none). Raises
    NoSuchAttempt, NoSuchItem, OwnWork, NotGradable, ScoreOutOfRange, ReasonMissing when a person's
    grade is changed without saying why, and RevisionConflict when somebody was quicker.
    """
    attempt, item, _ = _gradable(attempt_id, item_id, grader)
    return _record_item_grade(
        attempt,
        item,
        grader=grader,
        expected_revision=expected_revision,
        reason=reason,
        at=at,
        kind=GradingKind.MANUAL,
        score=checked_score(score, maximum=item.points),
        feedback=feedback,
    )


@transaction.atomic
def record_rubric_grade(
    *,
    attempt_id: UUID,
    item_id: UUID,
    grader: Contact,
    choices: Mapping[str, LevelChoice],
    expected_revision: int,
    at: datetime,
    feedback: str = "",
    reason: str = "",
) -> AssessmentResult:
    """Return the result after a person chose a level for every criterion of the item's rubric.

    Raises what record_grade raises, and RubricNotComplete.
    """
    attempt, item, paper = _gradable(attempt_id, item_id, grader)
    if item.rubric_id is None:
        raise RubricNotComplete(detail="This item has no rubric.")
    rubric = paper.rubrics[item.rubric_id]
    try:
        score = rubric_score(rubric, choices)
    except RubricIncomplete as incomplete:
        raise RubricNotComplete(
            errors=[
                {"field": fault.criterion, "code": fault.code, "message": fault.message}
                for fault in incomplete.faults
            ]
        ) from incomplete
    return _record_item_grade(
        attempt,
        item,
        grader=grader,
        expected_revision=expected_revision,
        reason=reason,
        at=at,
        kind=GradingKind.RUBRIC,
        score=checked_score(score, maximum=item.points),
        feedback=feedback,
        rubric_levels=choices_as_json(rubric, choices),
    )


def _gradable(
    attempt_id: UUID, item_id: UUID, grader: Contact
) -> tuple[AssessmentAttempt, ItemSpec, Paper]:
    """Return what a person is about to grade, or raise why they may not."""
    attempt = locked_attempt(attempt_id)
    paper = published_paper(attempt.version_id)
    item = next((i for i in paper.items_of(attempt.item_order) if i.id == item_id), None)
    if item is None:
        raise NoSuchItem
    check_grader(attempt, grader)
    return attempt, item, paper


def check_grader(attempt: AssessmentAttempt, person: Contact) -> None:
    """Raise OwnWork or NotGradable unless this person may grade this attempt now."""
    if is_own_work(actor_id=person.id, learner_id=attempt.contact_id):
        raise OwnWork
    if attempt.status not in (AttemptStatus.SUBMITTED, AttemptStatus.GRADED):
        raise NotGradable


def checked_score(score: Decimal, *, maximum: Decimal) -> Decimal:
    """Return a score a person gave. Raises ScoreOutOfRange, also for more than six decimals."""
    exponent = score.normalize().as_tuple().exponent
    is_exact = isinstance(exponent, int) and -exponent <= SCORE_PLACES
    if not is_exact or not 0 <= score <= maximum:
        message = f"From 0 to {plain(maximum)}, with {SCORE_PLACES} decimals at most."
        raise ScoreOutOfRange(
            detail=message,
            errors=[{"field": "score", "code": ScoreOutOfRange.code, "message": message}],
        )
    return score


def _record_item_grade(
    attempt: AssessmentAttempt,
    item: ItemSpec,
    *,
    grader: Contact,
    expected_revision: int,
    reason: str,
    at: datetime,
    **fields: Any,
) -> AssessmentResult:
    newest = GradingEvent.objects.filter(attempt=attempt, item_id=item.id).order_by("-revision")
    seen = newest.first()
    if (seen.revision if seen else 0) != expected_revision:
        raise RevisionConflict(expected_revision=expected_revision)
    if seen is not None and seen.kind not in AUTOMATIC_KINDS and not reason.strip():
        raise ReasonMissing(detail="A person has graded this item: say why it is changed.")
    append_revision(
        GradingEvent,
        expected=expected_revision,
        attempt=attempt,
        item_id=item.id,
        version_id=attempt.version_id,
        contact_id=attempt.contact_id,
        max_score=item.points,
        grader=grader,
        reason=reason.strip(),
        **fields,
    )
    GradingTask.objects.filter(attempt=attempt, item_id=item.id, state=TaskState.OPEN).update(
        state=TaskState.DONE, closed_at=at, leased_by=None, leased_until=None
    )
    return settle_result(attempt, actor=grader, at=at)
