"""How a learner stands in one enrolment: requirements, courses, sessions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from apps.assessment.selectors.agendas import Placed, placed_assessments
from apps.cohorts.models import AttendanceRecord, CohortEnrollment, CohortSession, CourseProgress
from apps.cohorts.selectors import AttendanceSummary, attendance_summary
from apps.core.ports import Gate
from apps.pages.selectors.learning import (
    CourseCard,
    content_gate,
    course_card,
    is_present,
    items_of,
)
from apps.programs.selectors import PinnedCourse, pinned_courses
from apps.requirements.explanation import Action, ActionCode
from apps.requirements.selectors.gates import may_open_items
from apps.requirements.selectors.statuses import (
    RequirementStatus,
    RequirementStatusTree,
    statuses,
)
from apps.requirements.statuses import MET


@dataclass(frozen=True)
class Step:
    """Something to do next, with the page where it is done, if there is one."""

    action: Action
    url: str


@dataclass(frozen=True)
class Branch:
    """A requirement with those that are its parts."""

    requirement: RequirementStatus
    members: tuple[Branch, ...]


@dataclass(frozen=True)
class Standing:
    """One set of requirements, as a tree."""

    tree: RequirementStatusTree
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Meeting:
    """A session of the cohort, and what was recorded of the learner there."""

    session: CohortSession
    record: AttendanceRecord | None


@dataclass(frozen=True)
class ProgressView:
    """How somebody stands; `steps` are None when nothing can be done any more, or not yet."""

    gate: Gate
    courses: tuple[CourseCard, ...]
    steps: tuple[Step, ...] | None
    standings: tuple[Standing, ...]
    meetings: tuple[Meeting, ...]
    attendance: AttendanceSummary

    @property
    def is_all_met(self) -> bool:
        """Whether nothing is left: of each set its root, or all of it, is met."""
        return all(
            requirement.status in MET
            for standing in self.standings
            for requirement in (
                [standing.tree.root] if standing.tree.root else standing.tree.requirements
            )
        )


def progress_view(enrollment: CohortEnrollment, *, at: datetime) -> ProgressView:
    """Return everything that one enrolment's page shows."""
    courses = pinned_courses([enrollment.cohort.program_version_id])[
        enrollment.cohort.program_version_id
    ]
    known = {row.course_id: row for row in CourseProgress.objects.filter(enrollment=enrollment)}
    trees = statuses(enrollment.id, at=at) if enrollment.enrolled_at else []
    gate = content_gate(enrollment)
    can_act = gate.allowed and is_present(enrollment)
    return ProgressView(
        gate=gate,
        courses=tuple(course_card(course, known.get(course.course_id)) for course in courses),
        steps=_steps(trees, enrollment.id, courses, at) if can_act else None,
        standings=tuple(_standing(tree) for tree in trees),
        meetings=tuple(_meetings(enrollment)),
        attendance=attendance_summary([enrollment.id])[enrollment.id],
    )


def _steps(
    trees: Sequence[RequirementStatusTree],
    enrollment_id: UUID,
    courses: Sequence[PinnedCourse],
    at: datetime,
) -> tuple[Step, ...]:
    """Return what to do now for all sets, each thing once and nothing that another set locks."""
    actions = {
        (action.code, action.target_id, action.target_key) if action.target_id else action: action
        for tree in trees
        for action in tree.next_actions
    }
    items = [item for course in courses for _module, item in items_of(course)]
    gates = may_open_items(enrollment_id, [item.id for item in items], at=at) if actions else {}
    placed = placed_assessments([item.id for item in items]) if actions else {}
    return tuple(
        Step(action, _url(action, enrollment_id, courses))
        for action in actions.values()
        if _is_open(_places(action, courses, placed), gates)
    )


def _places(
    action: Action, courses: Sequence[PinnedCourse], placed: Mapping[UUID, Placed]
) -> list[UUID]:
    """Return the items at which something is to be done; none for what is done elsewhere."""
    if action.code == ActionCode.TAKE_ASSESSMENT:
        return [item for item, at in placed.items() if at.template_id == action.target_id]
    return [
        item.id
        for course in courses
        if course.course_id == action.target_id
        for module, item in items_of(course)
        if action.target_key in ("", module.key, item.key)
    ]


def _is_open(places: Collection[UUID], gates: Mapping[UUID, Gate]) -> bool:
    return not places or any(gates[item].allowed for item in places)


def _standing(tree: RequirementStatusTree) -> Standing:
    by_key = {requirement.key: requirement for requirement in tree.requirements}
    below = {key for requirement in tree.requirements for key in requirement.members}
    return Standing(
        tree=tree,
        branches=tuple(
            _branch(requirement, by_key)
            for requirement in tree.requirements
            if requirement.key not in below
        ),
    )


def _branch(requirement: RequirementStatus, by_key: Mapping[str, RequirementStatus]) -> Branch:
    """Return the requirement and its parts; publishing refuses cycles, so this ends."""
    members = tuple(_branch(by_key[key], by_key) for key in requirement.members)
    return Branch(requirement, members)


def _url(action: Action, enrollment_id: UUID, courses: Sequence[PinnedCourse]) -> str:
    course = next((course for course in courses if course.course_id == action.target_id), None)
    match action.code:
        case ActionCode.TAKE_ASSESSMENT | ActionCode.AWAIT_RESULT:
            return reverse("pages:assessment", args=[enrollment_id, action.target_id])
        case ActionCode.ATTEND_SESSIONS:
            return "#sessions"
        case ActionCode.COMPLETE_ITEM if course is not None:
            found = (i.id for _module, i in items_of(course) if i.key == action.target_key)
            item_id = next(found, None)
            if item_id is not None:
                return reverse("pages:item", args=[enrollment_id, item_id])
        case ActionCode.COMPLETE_COURSE | ActionCode.COMPLETE_MODULE if course is not None:
            return reverse("pages:course", args=[enrollment_id, course.slug])
    return ""


def _meetings(enrollment: CohortEnrollment) -> list[Meeting]:
    records = {
        record.session_id: record
        for record in AttendanceRecord.objects.filter(enrollment=enrollment).current()
    }
    sessions = CohortSession.objects.filter(cohort_id=enrollment.cohort_id)
    return [Meeting(session, records.get(session.id)) for session in sessions]
