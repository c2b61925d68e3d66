"""What a learner finds on the start page: a fixed number of statements for any number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.assessment.selectors.overviews import (
    DueDate,
    OpenAttempt,
    ReleasedResult,
    due_dates,
    open_attempts,
    released_results,
)
from apps.cohorts.models import (
    CohortEnrollment,
    CohortSession,
    CohortStatus,
    CourseProgress,
    EnrollmentState,
)
from apps.cohorts.selectors import completed_items, own_enrollments
from apps.core.ports import Gate
from apps.credentials.selectors.awards import HeldAward, held_awards
from apps.pages.selectors.learning import CourseCard, content_gate, course_card, items_of
from apps.programs.selectors import OutlineItem, PinnedCourse, pinned_courses
from apps.requirements.selectors.gates import may_open_items_of

AHEAD = timedelta(days=14)
LISTED = 6


@dataclass(frozen=True)
class NextItem:
    course: PinnedCourse
    item: OutlineItem


@dataclass(frozen=True)
class EnrollmentCard:
    """One enrolment with its courses.

    `following` is the next item that is open; None while all that is left (`steps_left`) is
    locked, and outside the time of taking part.
    """

    enrollment: CohortEnrollment
    gate: Gate
    courses: tuple[CourseCard, ...]
    steps_left: int
    following: NextItem | None


@dataclass(frozen=True)
class Dashboard:
    """The start page. `present` takes part now or will, `past` is over."""

    present: tuple[EnrollmentCard, ...]
    past: tuple[EnrollmentCard, ...]
    attempts: tuple[OpenAttempt, ...]
    due: tuple[DueDate, ...]
    sessions: tuple[CohortSession, ...]
    results: tuple[ReleasedResult, ...]
    awards: tuple[HeldAward, ...]


def dashboard(contact_id: UUID, *, at: datetime) -> Dashboard:
    """Return everything that concerns this person at `at`."""
    enrollments = own_enrollments(contact_id)
    ids = [enrollment.id for enrollment in enrollments]
    cards = _cards(enrollments, at)
    present = tuple(card for card in cards if _is_present(card.enrollment))
    active = [card.enrollment for card in present if card.gate.allowed]
    return Dashboard(
        present=present,
        past=tuple(card for card in cards if not _is_present(card.enrollment)),
        attempts=tuple(open_attempts(ids, at=at)),
        due=tuple(due_dates(active, after=at, before=at + AHEAD)),
        sessions=tuple(_sessions(active, at)),
        results=tuple(released_results(ids, at=at)[:LISTED]),
        awards=tuple(held_awards(contact_id, at=at)[:LISTED]),
    )


def _is_present(enrollment: CohortEnrollment) -> bool:
    is_over = enrollment.cohort.status in (CohortStatus.ENDED, CohortStatus.CANCELLED)
    return enrollment.is_active and not is_over


def _cards(enrollments: Sequence[CohortEnrollment], at: datetime) -> list[EnrollmentCard]:
    pinned = pinned_courses({e.cohort.program_version_id for e in enrollments})
    done = completed_items([enrollment.id for enrollment in enrollments])
    progress: dict[UUID, dict[UUID, CourseProgress]] = defaultdict(dict)
    for row in CourseProgress.objects.filter(enrollment__in=enrollments):
        progress[row.enrollment_id][row.course_id] = row
    steps = {
        enrollment.id: _steps(
            pinned[enrollment.cohort.program_version_id], done.get(enrollment.id, {})
        )
        for enrollment in enrollments
        if enrollment.state == EnrollmentState.ENROLLED and content_gate(enrollment).allowed
    }
    gates = may_open_items_of(
        {enrollment_id: [s.item.id for s in own] for enrollment_id, own in steps.items()}, at=at
    )
    return [
        EnrollmentCard(
            enrollment=enrollment,
            gate=content_gate(enrollment),
            courses=tuple(
                course_card(course, progress[enrollment.id].get(course.course_id))
                for course in pinned[enrollment.cohort.program_version_id]
            ),
            steps_left=len(steps.get(enrollment.id, ())),
            following=next(
                (
                    step
                    for step in steps.get(enrollment.id, ())
                    if gates[enrollment.id][step.item.id].allowed
                ),
                None,
            ),
        )
        for enrollment in enrollments
    ]


def _steps(courses: Sequence[PinnedCourse], done: Collection[UUID]) -> list[NextItem]:
    """Return what is not complete: the required items in order, then the others."""
    left = [
        NextItem(course, item)
        for course in courses
        for _module, item in items_of(course)
        if item.id not in done
    ]
    return sorted(left, key=lambda step: not step.item.is_required)


def _sessions(enrollments: Sequence[CohortEnrollment], at: datetime) -> Sequence[CohortSession]:
    return list(
        CohortSession.objects.filter(
            cohort__in={enrollment.cohort_id for enrollment in enrollments},
            cancelled_at=None,
            ends_at__gte=at,
            starts_at__lt=at + AHEAD,
        ).select_related("cohort")[:LISTED]
    )
