"""A ruling on a whole attempt: another score, or void. Always with a reason, as an event."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResult,
    GradingEvent,
    GradingTask,
)
from apps.assessment.questions.numbers import plain
from apps.assessment.selectors.papers import published_paper
from apps.assessment.services.grading import (
    OwnWork,
    ReasonMissing,
    check_grader,
    checked_score,
    locked_attempt,
)
from apps.assessment.services.results import settle_result
from apps.assessment.vocabulary import AttemptStatus, GradingKind, TaskState
from apps.contacts.models import Contact
from apps.contacts.selectors import is_own_work
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict
from apps.core.revisions import append_revision


class ItemsOpen(Conflict):
    code = "items-open"
    title = "Some items have no grade yet."


@transaction.atomic
def override_result(
    *,
    attempt_id: UUID,
    actor: Contact,
    score: Decimal,
    reason: str,
    expected_revision: int,
    at: datetime,
) -> AssessmentResult:
    """Return the result after a person set the score of the whole attempt, lateness included.

    `expected_revision` counts the events about the attempt as a whole. Raises NoSuchAttempt,
    OwnWork, NotGradable, ScoreOutOfRange, ReasonMissing, RevisionConflict.
    """
    attempt = locked_attempt(attempt_id)
    check_grader(attempt, actor)
    maximum = _maximum(attempt)
    _append_about_attempt(
        attempt,
        kind=GradingKind.OVERRIDE,
        actor=actor,
        reason=reason,
        expected_revision=expected_revision,
        score=checked_score(score, maximum=maximum),
        max_score=maximum,
    )
    record_admin_action(
        actor=actor,
        action="assessment.result_overridden",
        entity=attempt,
        details={"score": plain(score), "reason": reason},
    )
    return settle_result(attempt, actor=actor, at=at)


@transaction.atomic
def withdraw_override(
    *, attempt_id: UUID, actor: Contact, reason: str, expected_revision: int, at: datetime
) -> AssessmentResult:
    """Return the result as its items add up again.

    Raises what override_result raises, and ItemsOpen: a decided attempt can't fall back to one
    that waits for grades.
    """
    attempt = locked_attempt(attempt_id)
    check_grader(attempt, actor)
    graded = set(
        GradingEvent.objects.filter(attempt=attempt, item__isnull=False).values_list(
            "item_id", flat=True
        )
    )
    if {str(item_id) for item_id in graded} != set(attempt.item_order):
        raise ItemsOpen
    _append_about_attempt(
        attempt,
        kind=GradingKind.OVERRIDE_WITHDRAWN,
        actor=actor,
        reason=reason,
        expected_revision=expected_revision,
        score=None,
        max_score=_maximum(attempt),
    )
    record_admin_action(
        actor=actor,
        action="assessment.override_withdrawn",
        entity=attempt,
        details={"reason": reason},
    )
    return settle_result(attempt, actor=actor, at=at)


@transaction.atomic
def void_attempt(
    *, attempt_id: UUID, actor: Contact, reason: str, at: datetime
) -> AssessmentAttempt:
    """Return the attempt, declared void for a reason; its result is superseded by a void one.

    Voided again it stays as it is. Open grading tasks are cancelled. Raises NoSuchAttempt,
    OwnWork, ReasonMissing.
    """
    attempt = locked_attempt(attempt_id)
    if is_own_work(actor_id=actor.id, learner_id=attempt.contact_id):
        raise OwnWork
    if attempt.status == AttemptStatus.VOID:
        return attempt
    newest = GradingEvent.objects.filter(attempt=attempt, item=None).order_by("-revision").first()
    _append_about_attempt(
        attempt,
        kind=GradingKind.VOID,
        actor=actor,
        reason=reason,
        expected_revision=newest.revision if newest else 0,
        score=None,
        max_score=_maximum(attempt),
    )
    AssessmentAttempt.objects.filter(id=attempt.id).update(status=AttemptStatus.VOID, voided_at=at)
    attempt.status, attempt.voided_at = AttemptStatus.VOID, at
    GradingTask.objects.filter(attempt=attempt, state=TaskState.OPEN).update(
        state=TaskState.CANCELLED, closed_at=at, leased_by=None, leased_until=None
    )
    record_admin_action(
        actor=actor, action="assessment.attempt_voided", entity=attempt, details={"reason": reason}
    )
    settle_result(attempt, actor=actor, at=at)
    return attempt


def _maximum(attempt: AssessmentAttempt) -> Decimal:
    points = published_paper(attempt.version_id).result_terms.points
    return sum((points[item] for item in attempt.item_order), Decimal(0))


def _append_about_attempt(
    attempt: AssessmentAttempt,
    *,
    kind: str,
    actor: Contact,
    reason: str,
    expected_revision: int,
    score: Decimal | None,
    max_score: Decimal,
) -> None:
    if not reason.strip():
        raise ReasonMissing(
            errors=[{"field": "reason", "code": "blank", "message": ReasonMissing.title}]
        )
    append_revision(
        GradingEvent,
        expected=expected_revision,
        attempt=attempt,
        item=None,
        version_id=attempt.version_id,
        contact_id=attempt.contact_id,
        kind=kind,
        score=score,
        max_score=max_score,
        grader=actor,
        reason=reason.strip(),
    )
