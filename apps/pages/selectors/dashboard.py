"""What a learner finds on the start page: a fixed number of statements for any number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from apps.assessment.selectors.agendas import (
    Agenda,
    DueDate,
    OpenAttempt,
    Placed,
    agenda,
    placed_assessments,
)
from apps.assessment.selectors.overviews import ReleasedResult, released_results
from apps.cohorts.models import (
    CohortEnrollment,
    CohortSession,
    CourseProgress,
    EnrollmentState,
)
from apps.cohorts.selectors import completed_items, own_enrollments
from apps.core.ports import Gate
from apps.credentials.selectors.awards import HeldAward, held_awards
from apps.pages.selectors.learning import (
    CourseCard,
    content_gate,
    course_card,
    is_present,
    items_of,
)
from apps.programs.selectors import OutlineItem, PinnedCourse, pinned_courses
from apps.requirements.selectors.gates import may_open_items_of

AHEAD = timedelta(days=14)
LISTED = 6


@dataclass(frozen=True)
class NextItem:
    """An item that is not complete. `attempt_id` is the attempt at it that goes on.

    `is_waiting`: an assessment that was handed in; there is nothing to do until its result is
    known. `is_closed`: one that can't be taken now, whatever the requirements say.
    """

    course: PinnedCourse
    item: OutlineItem
    attempt_id: UUID | None = None
    is_waiting: bool = False
    is_closed: bool = False


@dataclass(frozen=True)
class EnrollmentCard:
    """One enrolment with its courses.

    `following` is the next item to work on; None outside the time of taking part, and while all
    that is left (`left`) waits for a result (`waiting`), is closed or locked.
    """

    enrollment: CohortEnrollment
    gate: Gate
    courses: tuple[CourseCard, ...]
    left: tuple[NextItem, ...]
    following: NextItem | None

    @property
    def is_stuck(self) -> bool:
        """Whether something is left that can't be done now and waits for no result either."""
        return self.following is None and len(self.waiting) < len(self.left)

    @property
    def waiting(self) -> tuple[NextItem, ...]:
        return tuple(step for step in self.left if step.is_waiting)


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
    results = released_results([enrollment.id for enrollment in enrollments], at=at)
    plans = agenda(enrollments, at=at)
    cards = _cards(enrollments, plans, {result.attempt_id for result in results if result.is_final})
    present = tuple(card for card in cards if is_present(card.enrollment))
    active = [card.enrollment for card in present if card.gate.allowed]
    return Dashboard(
        present=present,
        past=tuple(card for card in cards if not is_present(card.enrollment)),
        attempts=tuple(plans.running()),
        due=tuple(plans.due(active, before=at + AHEAD)),
        sessions=tuple(_sessions(active, at)),
        results=tuple(results[:LISTED]),
        awards=tuple(held_awards(contact_id, at=at)[:LISTED]),
    )


def _cards(
    enrollments: Sequence[CohortEnrollment], plans: Agenda, told: Collection[UUID]
) -> list[EnrollmentCard]:
    """Return a card for each enrolment; `told` are the attempts whose result is final and known."""
    pinned = pinned_courses({e.cohort.program_version_id for e in enrollments})
    progress: dict[UUID, dict[UUID, CourseProgress]] = defaultdict(dict)
    for row in CourseProgress.objects.filter(enrollment__in=enrollments):
        progress[row.enrollment_id][row.course_id] = row
    left = _left(enrollments, pinned, plans, told)
    gates = may_open_items_of(
        {enrollment_id: [s.item.id for s in own] for enrollment_id, own in left.items()},
        at=plans.at,
    )
    return [
        EnrollmentCard(
            enrollment=enrollment,
            gate=content_gate(enrollment),
            courses=tuple(
                course_card(course, progress[enrollment.id].get(course.course_id))
                for course in pinned[enrollment.cohort.program_version_id]
            ),
            left=left.get(enrollment.id, ()),
            following=next(
                (
                    step
                    for step in left.get(enrollment.id, ())
                    if not (step.is_waiting or step.is_closed)
                    and gates[enrollment.id][step.item.id].allowed
                ),
                None,
            ),
        )
        for enrollment in enrollments
    ]


def _left(
    enrollments: Sequence[CohortEnrollment],
    pinned: Mapping[UUID, Sequence[PinnedCourse]],
    plans: Agenda,
    told: Collection[UUID],
) -> dict[UUID, tuple[NextItem, ...]]:
    """Return enrolment -> what is not complete: required items in order, then the others."""
    done = completed_items([enrollment.id for enrollment in enrollments])
    taking_part = {
        enrollment.id: (enrollment, _incomplete(pinned, enrollment, done.get(enrollment.id, {})))
        for enrollment in enrollments
        if enrollment.state == EnrollmentState.ENROLLED and content_gate(enrollment).allowed
    }
    placed = placed_assessments(
        {step.item.id for _enrollment, steps in taking_part.values() for step in steps}
    )
    return {
        enrollment_id: tuple(
            _taken(step, enrollment, placed[step.item.id], plans, told)
            if step.item.id in placed
            else step
            for step in steps
        )
        for enrollment_id, (enrollment, steps) in taking_part.items()
    }


def _incomplete(
    pinned: Mapping[UUID, Sequence[PinnedCourse]],
    enrollment: CohortEnrollment,
    done: Collection[UUID],
) -> list[NextItem]:
    left = [
        NextItem(course, item)
        for course in pinned[enrollment.cohort.program_version_id]
        for _module, item in items_of(course)
        if item.id not in done
    ]
    return sorted(left, key=lambda step: not (step.course.is_required and step.item.is_required))


def _taken(
    step: NextItem,
    enrollment: CohortEnrollment,
    placed: Placed,
    plans: Agenda,
    told: Collection[UUID],
) -> NextItem:
    """Return the step with what has come of its assessment so far."""
    taking = plans.taking(enrollment, placed)
    return replace(
        step,
        attempt_id=taking.running,
        is_waiting=(
            taking.running is None and taking.handed_in is not None and taking.handed_in not in told
        ),
        is_closed=taking.running is None and taking.refusal is not None,
    )


def _sessions(enrollments: Sequence[CohortEnrollment], at: datetime) -> Sequence[CohortSession]:
    return list(
        CohortSession.objects.filter(
            cohort__in={enrollment.cohort_id for enrollment in enrollments},
            cancelled_at=None,
            ends_at__gte=at,
            starts_at__lt=at + AHEAD,
        ).select_related("cohort")[:LISTED]
    )
