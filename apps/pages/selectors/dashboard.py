"""What a learner finds on the start page: a fixed number of statements for any number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
from apps.pages.selectors.learning import CourseCard, content_gate, course_card, items_of
from apps.programs.selectors import OutlineItem, PinnedCourse, pinned_courses

AHEAD = timedelta(days=14)
LISTED = 6


@dataclass(frozen=True)
class NextItem:
    course: PinnedCourse
    item: OutlineItem


@dataclass(frozen=True)
class EnrollmentCard:
    """One enrolment with its courses; `following` is the next thing to do there."""

    enrollment: CohortEnrollment
    gate: Gate
    courses: tuple[CourseCard, ...]
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


def dashboard(contact_id: UUID, *, at: datetime) -> Dashboard:
    """Return everything that concerns this person at `at`."""
    enrollments = own_enrollments(contact_id)
    ids = [enrollment.id for enrollment in enrollments]
    cards = _cards(enrollments)
    present = tuple(card for card in cards if _is_present(card.enrollment))
    active = [card.enrollment for card in present if card.gate.allowed]
    return Dashboard(
        present=present,
        past=tuple(card for card in cards if not _is_present(card.enrollment)),
        attempts=tuple(open_attempts(ids, at=at)),
        due=tuple(due_dates(active, after=at, before=at + AHEAD)),
        sessions=tuple(_sessions(active, at)),
        results=tuple(released_results(ids, at=at)[:LISTED]),
    )


def _is_present(enrollment: CohortEnrollment) -> bool:
    is_over = enrollment.cohort.status in (CohortStatus.ENDED, CohortStatus.CANCELLED)
    return enrollment.is_active and not is_over


def _cards(enrollments: Sequence[CohortEnrollment]) -> list[EnrollmentCard]:
    pinned = pinned_courses({e.cohort.program_version_id for e in enrollments})
    done = completed_items([enrollment.id for enrollment in enrollments])
    progress: dict[UUID, dict[UUID, CourseProgress]] = defaultdict(dict)
    for row in CourseProgress.objects.filter(enrollment__in=enrollments):
        progress[row.enrollment_id][row.course_id] = row
    cards = []
    for enrollment in enrollments:
        courses = pinned[enrollment.cohort.program_version_id]
        gate = content_gate(enrollment)
        takes_part = gate.allowed and enrollment.state == EnrollmentState.ENROLLED
        completed = done.get(enrollment.id, {})
        cards.append(
            EnrollmentCard(
                enrollment=enrollment,
                gate=gate,
                courses=tuple(
                    course_card(c, progress[enrollment.id].get(c.course_id)) for c in courses
                ),
                following=_following(courses, set(completed)) if takes_part else None,
            )
        )
    return cards


def _following(courses: Sequence[PinnedCourse], done: set[UUID]) -> NextItem | None:
    """Return the first required item that is not complete, else the first of any kind."""
    left = [
        NextItem(course, item)
        for course in courses
        for _module, item in items_of(course)
        if item.id not in done
    ]
    return next((step for step in left if step.item.is_required), left[0] if left else None)


def _sessions(enrollments: Sequence[CohortEnrollment], at: datetime) -> Sequence[CohortSession]:
    return list(
        CohortSession.objects.filter(
            cohort__in={enrollment.cohort_id for enrollment in enrollments},
            cancelled_at=None,
            ends_at__gte=at,
            starts_at__lt=at + AHEAD,
        ).select_related("cohort")[:LISTED]
    )
