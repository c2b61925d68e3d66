"""Turning an attempt's events into its next result, and telling of the outcome."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from apps.assessment.models import AssessmentAttempt, AssessmentResult, GradingEvent
from apps.assessment.questions.numbers import ZERO, plain
from apps.assessment.rules.canonical import facts_hash
from apps.assessment.rules.policy import late_percent, read_policy
from apps.assessment.rules.results import (
    ENGINE_VERSION,
    EventFact,
    ResultFacts,
    decide_result,
)
from apps.assessment.selectors.papers import published_paper
from apps.assessment.services.attempts import record_attempt_event
from apps.assessment.vocabulary import AttemptStatus, ReleasePolicy
from apps.cohorts.events import EventType
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.core.outbox import owe
from apps.core.revisions import append_revision


def result_facts(attempt: AssessmentAttempt, events: list[GradingEvent]) -> ResultFacts:
    """Return what the attempt's result rests on, from its own row and its grading events."""
    late = ZERO
    if attempt.submitted_at is not None:
        late = late_percent(read_policy(attempt.policy), submitted_at=attempt.submitted_at)
    return ResultFacts(
        items=tuple(attempt.item_order),
        late_percent=late,
        events=tuple(
            EventFact(
                item=str(event.item_id) if event.item_id else None,
                revision=event.revision,
                kind=event.kind,
                score=event.score,
            )
            for event in events
        ),
    )


def settle_result(
    attempt: AssessmentAttempt,
    *,
    actor: Contact | None,
    at: datetime,
    events: list[GradingEvent] | None = None,
) -> AssessmentResult:
    """Return the attempt's result as its events are now, appended if anything has changed.

    A final result makes a submitted attempt graded. A changed outcome is told as a progress event
    (passed, failed, voided). The caller holds the learner's lock, and may hand over all the
    attempt's events if it has them.
    """
    if events is None:
        events = list(GradingEvent.objects.filter(attempt=attempt))
    facts = result_facts(attempt, events)
    digest = facts_hash(facts.as_json())
    before: AssessmentResult | None = (
        AssessmentResult.objects.filter(attempt=attempt).order_by("-revision").first()
    )
    if before is not None and before.facts_hash == digest:
        return before
    decided = decide_result(published_paper(attempt.version_id).result_terms, facts)
    result = append_revision(
        AssessmentResult,
        expected=before.revision if before else 0,
        attempt=attempt,
        raw=decided.raw,
        penalty=decided.penalty,
        override=decided.override,
        score=decided.score,
        max_score=decided.max_score,
        percent=decided.percent,
        passed=decided.passed,
        is_final=decided.is_final,
        is_void=decided.is_void,
        facts=facts.as_json(),
        facts_hash=digest,
        engine_version=ENGINE_VERSION,
    )
    if result.is_final and attempt.status == AttemptStatus.SUBMITTED:
        AssessmentAttempt.objects.filter(id=attempt.id).update(
            status=AttemptStatus.GRADED, graded_at=at
        )
        attempt.status, attempt.graded_at = AttemptStatus.GRADED, at
    outcome = _outcome(result)
    if outcome is not None and outcome != _outcome(before):
        record_attempt_event(attempt, outcome, actor=actor, at=at, facts=_told(result))
    else:
        owe(ADVANCE, str(attempt.enrollment_id))
    _owe_for_release(attempt, at)
    return result


def _owe_for_release(attempt: AssessmentAttempt, at: datetime) -> None:
    """Owe the learner a step for the moment from which the result may be seen and so counts."""
    policy = read_policy(attempt.policy)
    if policy.release_policy != ReleasePolicy.AFTER_DUE:
        return
    if policy.due_at is not None and policy.due_at > at:
        owe(ADVANCE, str(attempt.enrollment_id), available_at=policy.due_at)


def _outcome(result: AssessmentResult | None) -> str | None:
    """Return the progress event that tells of this result; a provisional one is not told."""
    if result is None:
        return None
    if result.is_void:
        return EventType.ASSESSMENT_VOIDED
    if not result.is_final:
        return None
    return EventType.ASSESSMENT_PASSED if result.passed else EventType.ASSESSMENT_FAILED


def _told(result: AssessmentResult) -> dict[str, str]:
    return {
        "result": str(result.id),
        "score": plain(Decimal(result.score)),
        "max_score": plain(Decimal(result.max_score)),
        "percent": plain(Decimal(result.percent)),
    }
