"""A learner's own enrolments, and the courses and items inside one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from apps.assessment.models import AssessmentPlacement
from apps.cohorts.models import CohortEnrollment, CohortStatus, CourseProgress, EnrollmentState
from apps.cohorts.selectors import completed_items
from apps.contacts.selectors import of_person
from apps.core.ports import OPEN, Gate
from apps.core.problems import NotFound
from apps.programs.models import ModuleItem
from apps.programs.selectors import OutlineItem, OutlineModule, PinnedCourse, pinned_courses
from apps.requirements.selectors.gates import may_open_item, may_open_items


@dataclass(frozen=True)
class CourseCard:
    """A course of an enrolment, and how far the learner is in it."""

    course: PinnedCourse
    percent: int
    status: str


@dataclass(frozen=True)
class ItemEntry:
    """An item in a course's outline, as it stands for one learner."""

    item: OutlineItem
    completed_at: datetime | None
    gate: Gate


@dataclass(frozen=True)
class ModuleEntry:
    title: str
    items: tuple[ItemEntry, ...]


@dataclass(frozen=True)
class CourseView:
    """A course of an enrolment's program, with what is done and what is locked."""

    course: PinnedCourse
    modules: tuple[ModuleEntry, ...]
    progress: CourseProgress | None


@dataclass(frozen=True)
class ItemView:
    """One item with its place in the course."""

    item: ModuleItem
    course: PinnedCourse
    module: OutlineModule
    completed_at: datetime | None
    gate: Gate
    previous: OutlineItem | None
    following: OutlineItem | None


def own_enrollment(contact_id: UUID, enrollment_id: UUID) -> CohortEnrollment:
    """Return the person's own enrolment, under any of their aliases; raises NotFound."""
    enrollment = (
        CohortEnrollment.objects.filter(of_person(contact_id), pk=enrollment_id)
        .select_related("cohort__program_version__definition")
        .first()
    )
    if enrollment is None:
        raise NotFound
    return enrollment


def content_gate(enrollment: CohortEnrollment) -> Gate:
    """Return whether the learner may see the content: while taking part, and afterwards."""
    if enrollment.state == EnrollmentState.WAITLISTED:
        return Gate(False, "waitlisted", _("You are on the waiting list."))
    if enrollment.state == EnrollmentState.INVITED:
        return Gate(False, "invited", _("You are invited, but not enrolled yet."))
    if enrollment.state == EnrollmentState.WITHDRAWN:
        return Gate(False, "withdrawn", _("You left this cohort."))
    if enrollment.cohort.status == CohortStatus.PLANNED:
        return Gate(False, "not-begun", _("This cohort has not begun yet."))
    if enrollment.cohort.status == CohortStatus.CANCELLED:
        return Gate(False, "cancelled", _("This cohort was cancelled."))
    return OPEN


def is_present(enrollment: CohortEnrollment) -> bool:
    """Return whether this enrolment takes part, or still can."""
    is_over = enrollment.cohort.status in (CohortStatus.ENDED, CohortStatus.CANCELLED)
    return enrollment.is_active and not is_over


def course_card(course: PinnedCourse, progress: CourseProgress | None) -> CourseCard:
    """Return the course with its progress; without a row nothing has begun."""
    if progress is None:
        return CourseCard(course, percent=0, status="not_started")
    return CourseCard(course, percent=progress.percent_complete, status=progress.status)


def course_view(enrollment: CohortEnrollment, slug: str, *, at: datetime) -> CourseView:
    """Return a course of the enrolment's program; raises NotFound."""
    courses = pinned_courses([enrollment.cohort.program_version_id])
    course = next(
        (c for c in courses[enrollment.cohort.program_version_id] if c.slug == slug), None
    )
    if course is None:
        raise NotFound
    done = completed_items([enrollment.id]).get(enrollment.id, {})
    gates = may_open_items(enrollment.id, [item.id for _module, item in items_of(course)], at=at)
    return CourseView(
        course=course,
        modules=tuple(
            ModuleEntry(
                title=module.title,
                items=tuple(
                    ItemEntry(item, done.get(item.id), gates[item.id]) for item in module.items
                ),
            )
            for module in course.modules
        ),
        progress=CourseProgress.objects.filter(
            enrollment=enrollment, course_id=course.course_id
        ).first(),
    )


def item_view(enrollment: CohortEnrollment, item_id: UUID, *, at: datetime) -> ItemView:
    """Return an item of the enrolment's courses; raises NotFound."""
    item = ModuleItem.objects.filter(
        pk=item_id, version__pinned_by__version_id=enrollment.cohort.program_version_id
    ).first()
    if item is None:
        raise NotFound
    courses = pinned_courses([enrollment.cohort.program_version_id])
    course = next(
        c
        for c in courses[enrollment.cohort.program_version_id]
        if c.course_version_id == item.version_id
    )
    in_order = list(items_of(course))
    place = next(number for number, (_, other) in enumerate(in_order) if other.id == item.id)
    done = completed_items([enrollment.id]).get(enrollment.id, {})
    return ItemView(
        item=item,
        course=course,
        module=in_order[place][0],
        completed_at=done.get(item.id),
        gate=may_open_item(enrollment.id, item.id, at=at),
        previous=in_order[place - 1][1] if place else None,
        following=in_order[place + 1][1] if place + 1 < len(in_order) else None,
    )


def items_of(course: PinnedCourse) -> Iterator[tuple[OutlineModule, OutlineItem]]:
    """Yield the items of a course in order, each with its module."""
    for module in course.modules:
        for item in module.items:
            yield module, item


def placed_template_id(item_id: UUID) -> UUID | None:
    """Return the assessment that an assessment item stands for."""
    template_id: UUID | None = (
        AssessmentPlacement.objects.filter(module_item_id=item_id)
        .values_list("assessment_version__definition_id", flat=True)
        .first()
    )
    return template_id
