"""What learners see of many assessments at once, in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from apps.assessment.models import (
    Accommodation,
    AssessmentAttempt,
    AssessmentResult,
    AssessmentWindow,
    ResultRelease,
)
from apps.assessment.rules.policy import (
    AccommodationTerms,
    VersionTerms,
    WindowTerms,
    effective_policy,
    read_policy,
)
from apps.assessment.rules.record import is_released
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.models import CohortEnrollment


@dataclass(frozen=True)
class OpenAttempt:
    """An attempt that goes on. `ends_at` None: without a time limit."""

    attempt_id: UUID
    enrollment_id: UUID
    title: str
    ends_at: datetime | None


@dataclass(frozen=True)
class DueDate:
    """When an assessment is due for one enrolment, its accommodation counted in."""

    enrollment_id: UUID
    template_id: UUID
    title: str
    due_at: datetime


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


def open_attempts(enrollment_ids: Collection[UUID], *, at: datetime) -> list[OpenAttempt]:
    """Return the attempts that still take answers, the one that ends first at the top."""
    attempts = AssessmentAttempt.objects.filter(
        Q(accepts_until=None) | Q(accepts_until__gte=at),
        enrollment__in=list(enrollment_ids),
        status=AttemptStatus.IN_PROGRESS,
    ).order_by("ends_at", "id")
    return [
        OpenAttempt(*row)
        for row in attempts.values_list("id", "enrollment_id", "template__title", "ends_at")
    ]


def due_dates(
    enrollments: Sequence[CohortEnrollment], *, after: datetime, before: datetime
) -> list[DueDate]:
    """Return what is due between two moments and was not handed in, the earliest first.

    Three statements. An accommodation moves a due time later, so every window that is due before
    `before` is looked at.
    """
    windows: dict[UUID, list[AssessmentWindow]] = defaultdict(list)
    for window in AssessmentWindow.objects.filter(
        cohort__in={enrollment.cohort_id for enrollment in enrollments}, due_at__lt=before
    ).select_related("template"):
        windows[window.cohort_id].append(window)
    granted = _accommodations({enrollment.contact_id for enrollment in enrollments})
    handed_in = _handed_in(enrollments)
    found = []
    for enrollment in enrollments:
        for window in windows[enrollment.cohort_id]:
            learner = enrollment.contact_id
            terms = granted.get((learner, window.template_id)) or granted.get((learner, None))
            due_at = _due_at(window, terms)
            is_open = (enrollment.id, window.template_id) not in handed_in
            if is_open and due_at is not None and after <= due_at < before:
                found.append(
                    DueDate(enrollment.id, window.template_id, window.template.title, due_at)
                )
    return sorted(found, key=lambda due: (due.due_at, due.title))


def _due_at(window: AssessmentWindow, granted: AccommodationTerms | None) -> datetime | None:
    terms = WindowTerms(opens_at=window.opens_at, due_at=window.due_at, closes_at=window.closes_at)
    return effective_policy(VersionTerms(), terms, granted).due_at


def _accommodations(
    contact_ids: Collection[UUID],
) -> dict[tuple[UUID | None, UUID | None], AccommodationTerms]:
    """Return (learner, template or None for all) -> what is granted; the newest counts."""
    rows = Accommodation.objects.filter(
        Q(contact__in=contact_ids) | Q(contact__merged_into__in=contact_ids), ended_at=None
    ).order_by("created_at")
    granted: dict[tuple[UUID | None, UUID | None], AccommodationTerms] = {}
    for row in rows.select_related("contact"):
        is_own = row.contact_id in contact_ids
        learner = row.contact_id if is_own else row.contact.merged_into_id
        granted[learner, row.template_id] = AccommodationTerms(
            time_multiplier=row.time_multiplier, extra_attempts=row.extra_attempts
        )
    return granted


def _handed_in(enrollments: Iterable[CohortEnrollment]) -> set[tuple[UUID, UUID]]:
    attempts = AssessmentAttempt.objects.filter(
        enrollment__in=list(enrollments),
        status__in=(AttemptStatus.SUBMITTED, AttemptStatus.GRADED),
    )
    return set(attempts.values_list("enrollment_id", "template_id"))


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
