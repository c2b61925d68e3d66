"""Programs and courses for tests, made through the same services as everybody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.core.versions import new_draft, publish
from apps.programs.models import (
    Course,
    CourseModule,
    CourseVersion,
    ItemType,
    ModuleItem,
    Program,
    ProgramCourse,
    ProgramVersion,
)

AUTHORED = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """An item to make; external items get an address."""

    key: str
    type: str = ItemType.LESSON
    is_required: bool = True


BASICS: Mapping[str, Sequence[Item]] = {
    "start": (Item("welcome"), Item("rules")),
    "practice": (Item("video", ItemType.EXTERNAL), Item("more", is_required=False)),
}


def draft_course(
    slug: str = "first-aid", modules: Mapping[str, Sequence[Item]] = BASICS
) -> CourseVersion:
    """Return the draft of a new course with these modules and items."""
    course = Course.objects.create(slug=slug, title=slug.replace("-", " ").title())
    draft = CourseVersion.objects.create(definition=course)
    for position, (key, items) in enumerate(modules.items(), start=1):
        module = CourseModule.objects.create(
            version=draft, key=key, title=key.title(), position=position
        )
        for place, item in enumerate(items, start=1):
            ModuleItem.objects.create(
                version=draft,
                module=module,
                key=item.key,
                type=item.type,
                title=item.key.title(),
                position=place,
                is_required=item.is_required,
                url="https://example.org/" if item.type == ItemType.EXTERNAL else "",
            )
    return draft


def published_course(
    slug: str = "first-aid", modules: Mapping[str, Sequence[Item]] = BASICS
) -> CourseVersion:
    """Return version 1 of a new course."""
    return publish(version=draft_course(slug, modules), actor=None, at=AUTHORED)


def draft_program(*courses: CourseVersion, slug: str = "responder") -> ProgramVersion:
    """Return the draft of a new program that pins these course versions."""
    program = Program.objects.create(slug=slug, title=slug.title())
    draft = ProgramVersion.objects.create(definition=program)
    for position, version in enumerate(courses, start=1):
        ProgramCourse.objects.create(
            version=draft,
            key=version.definition.slug,
            course_version=version,
            position=position,
        )
    return draft


def published_program(*courses: CourseVersion, slug: str = "responder") -> ProgramVersion:
    """Return version 1 of a new program that pins these course versions, or one new course."""
    pinned = courses or (published_course(),)
    return publish(version=draft_program(*pinned, slug=slug), actor=None, at=AUTHORED)


def next_draft(version: CourseVersion) -> CourseVersion:
    """Return a new draft of the same course, a copy of its newest version."""
    draft = new_draft(definition=version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, CourseVersion)
    return draft
