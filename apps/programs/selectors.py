"""Reads that span the parts of courses and programs, each in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from apps.programs.models import CourseModule, ModuleItem, ProgramCourse


@dataclass(frozen=True)
class OutlineItem:
    """One item as a table of contents shows it, without its text."""

    id: UUID
    key: str
    type: str
    title: str
    position: int
    is_required: bool
    estimated_minutes: int | None


@dataclass(frozen=True)
class OutlineModule:
    """One module with its items in order."""

    id: UUID
    key: str
    title: str
    position: int
    items: tuple[OutlineItem, ...]


@dataclass(frozen=True)
class PinnedCourse:
    """A course as one program version pins it, with its outline."""

    program_version_id: UUID
    course_id: UUID
    course_version_id: UUID
    slug: str
    title: str
    position: int
    is_required: bool
    modules: tuple[OutlineModule, ...]


def outline(course_version_id: UUID) -> list[OutlineModule]:
    """Return the modules of a course version in order, each with its items: two queries."""
    return outlines([course_version_id])[course_version_id]


def outlines(course_version_ids: Collection[UUID]) -> dict[UUID, list[OutlineModule]]:
    """Return the outline of every course version asked for: two queries for any number of them."""
    items: dict[UUID, list[OutlineItem]] = defaultdict(list)
    for item in (
        ModuleItem.objects.filter(version_id__in=course_version_ids)
        .order_by("position", "key")
        .defer("body_markdown", "url")
    ):
        items[item.module_id].append(
            OutlineItem(
                id=item.id,
                key=item.key,
                type=item.type,
                title=item.title,
                position=item.position,
                is_required=item.is_required,
                estimated_minutes=item.estimated_minutes,
            )
        )
    modules: dict[UUID, list[OutlineModule]] = {wanted: [] for wanted in course_version_ids}
    for module in CourseModule.objects.filter(version_id__in=course_version_ids).order_by(
        "position", "key"
    ):
        modules[module.version_id].append(
            OutlineModule(
                id=module.id,
                key=module.key,
                title=module.title,
                position=module.position,
                items=tuple(items[module.id]),
            )
        )
    return modules


def pinned_courses(program_version_ids: Collection[UUID]) -> dict[UUID, list[PinnedCourse]]:
    """Return the courses of every program version asked for, in order: three queries in all."""
    pins = list(
        ProgramCourse.objects.filter(version_id__in=program_version_ids)
        .select_related("course_version__definition")
        .order_by("position", "key")
    )
    contents = outlines({pin.course_version_id for pin in pins})
    courses: dict[UUID, list[PinnedCourse]] = {wanted: [] for wanted in program_version_ids}
    for pin in pins:
        course = pin.course_version.definition
        courses[pin.version_id].append(
            PinnedCourse(
                program_version_id=pin.version_id,
                course_id=course.id,
                course_version_id=pin.course_version_id,
                slug=course.slug,
                title=course.title,
                position=pin.position,
                is_required=pin.is_required,
                modules=tuple(contents[pin.course_version_id]),
            )
        )
    return courses
