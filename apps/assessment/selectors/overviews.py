"""The results that learners may see, of many attempts in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from apps.assessment.models import AssessmentAttempt, AssessmentResult, ResultRelease
from apps.assessment.rules.policy import read_policy
from apps.assessment.rules.record import is_released


@dataclass(frozen=True)
class ReleasedResult:
    """A result that its learner may see. Percent is 0 to 100."""

    attempt_id: UUID
    attempt_no: int
    enrollment_id: UUID
    template_id: UUID
    title: str
    percent: Decimal
    passed: bool
    is_final: bool
    recorded_at: datetime


def released_results(enrollment_ids: Collection[UUID], *, at: datetime) -> list[ReleasedResult]:
    """Return the current result of every attempt that its learner may see at `at`, newest first.

    Void ones are left out. Two statements.
    """
    results = list(
        AssessmentResult.objects.filter(attempt__enrollment__in=list(enrollment_ids), is_void=False)
        .current()
        .select_related("attempt__template", "attempt__enrollment")
        .defer("facts")
        .order_by("-recorded_at", "-id")
    )
    decisions = _decisions([result.attempt for result in results])
    return [
        _released(result)
        for result in results
        if is_released(
            read_policy(result.attempt.policy),
            decision=decisions.get(result.attempt_id),
            is_final=result.is_final,
            at=at,
        )
    ]


def _decisions(attempts: Collection[AssessmentAttempt]) -> dict[UUID, bool]:
    """Return attempt -> the latest decision to release or hold it, its own before its cohort's."""
    rows = ResultRelease.objects.filter(
        Q(attempt__in=attempts)
        | Q(
            template__in={attempt.template_id for attempt in attempts},
            cohort__in={attempt.enrollment.cohort_id for attempt in attempts},
        )
    ).order_by("recorded_at")
    own: dict[UUID, bool] = {}
    shared: dict[tuple[UUID, UUID], bool] = {}
    for decision in rows:
        if decision.attempt_id is not None:
            own[decision.attempt_id] = decision.is_released
        elif decision.cohort_id is not None:
            shared[decision.template_id, decision.cohort_id] = decision.is_released
    decided = {
        attempt.id: shared[attempt.template_id, attempt.enrollment.cohort_id]
        for attempt in attempts
        if (attempt.template_id, attempt.enrollment.cohort_id) in shared
    }
    return decided | own


def _released(result: AssessmentResult) -> ReleasedResult:
    attempt = result.attempt
    return ReleasedResult(
        attempt_id=attempt.id,
        attempt_no=attempt.attempt_no,
        enrollment_id=attempt.enrollment_id,
        template_id=attempt.template_id,
        title=attempt.template.title,
        percent=result.percent,
        passed=result.passed,
        is_final=result.is_final,
        recorded_at=result.recorded_at,
    )
