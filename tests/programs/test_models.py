from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.core.versions import NotPublishable, PublicationProblem, diff, publish
from apps.programs.models import CourseModule, CourseVersion, ItemType, ModuleItem, ProgramCourse
from tests.programs.factories import (
    AUTHORED,
    Item,
    draft_course,
    draft_program,
    next_draft,
    published_course,
    published_program,
)

pytestmark = pytest.mark.django_db


def problems(version: CourseVersion) -> list[tuple[str, str]]:
    return [(problem.code, problem.key) for problem in version.publication_problems()]


def test_publish_course_without_items_is_refused() -> None:
    draft = draft_course(modules={"start": ()})

    with pytest.raises(NotPublishable) as refused:
        publish(version=draft, actor=None, at=AUTHORED)

    assert refused.value.errors == [
        {"field": "", "code": "no-items", "message": "The course has no item yet."}
    ]


def test_publication_problems_of_a_course_name_each_part() -> None:
    draft = draft_course(
        modules={
            "start": (Item("a", is_required=False), Item("b", is_required=False)),
            "end": (Item("link", ItemType.EXTERNAL, is_required=False),),
        }
    )
    ModuleItem.objects.filter(version=draft, key="b").update(position=1)
    CourseModule.objects.filter(version=draft, key="end").update(position=1)
    ModuleItem.objects.filter(version=draft, key="link").update(url="javascript:alert(1)")

    assert problems(draft) == [
        ("no-required-item", ""),
        ("position-taken", "start"),
        ("position-taken", "b"),
        ("url-missing", "link"),
    ]


@pytest.mark.parametrize(
    "url", ["", "ftp://example.org/", "//example.org/", "https://", "http://u:p@example.org/", "x"]
)
def test_publication_problems_of_an_external_item_want_a_web_address(url: str) -> None:
    draft = draft_course()
    ModuleItem.objects.filter(version=draft, key="video").update(url=url)

    assert problems(draft) == [("url-missing", "video")]


def test_publish_program_pins_published_courses_only() -> None:
    draft = draft_program(published_course("one"), draft_course("two"))

    assert draft.publication_problems() == [
        PublicationProblem(
            "course-not-published", "“two” pins a course version that is not published.", "two"
        )
    ]


def test_publish_program_without_courses_is_refused() -> None:
    assert draft_program().publication_problems() == [
        PublicationProblem("no-courses", "The program has no course yet.")
    ]


def test_program_has_a_course_once() -> None:
    course = published_course()
    draft = draft_program(course)

    with pytest.raises(IntegrityError, match="programcourse_key_once_per_version"):
        ProgramCourse.objects.create(
            version=draft, key="first-aid", course_version=course, position=2
        )


def test_item_in_a_module_of_another_version_is_refused() -> None:
    draft, other = draft_course("one"), draft_course("two")
    item = ModuleItem.objects.filter(version=draft).first()
    assert item is not None
    item.module = CourseModule.objects.filter(version=other).first()

    with pytest.raises(IntegrityError, match="moduleitem_module_of_its_version"):
        item.save()


def test_item_of_unknown_type_is_refused() -> None:
    draft = draft_course()

    with pytest.raises(IntegrityError, match="moduleitem_type_known"):
        ModuleItem.objects.filter(version=draft).update(type="poem")


def test_provenance_without_its_course_is_refused() -> None:
    course = published_course().definition
    course.catalog_version_id = course.id

    with pytest.raises(IntegrityError, match="course_provenance_names_its_course"):
        course.save()


def test_published_course_is_frozen_with_its_parts() -> None:
    version = published_course()
    item = ModuleItem.objects.filter(version=version).first()
    module = CourseModule.objects.filter(version=version).first()
    assert item is not None
    assert module is not None

    for write in (
        lambda: CourseVersion.objects.filter(pk=version.pk).update(summary="new"),
        lambda: ModuleItem.objects.filter(pk=item.pk).update(title="new"),
        lambda: ModuleItem.objects.filter(pk=item.pk).delete(),
        lambda: CourseModule.objects.filter(pk=module.pk).update(title="new"),
        lambda: CourseModule.objects.create(version=version, key="late", title="L", position=9),
    ):
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            write()


def test_published_program_keeps_its_pins() -> None:
    version = published_program()

    with pytest.raises(DatabaseError, match="refused"):
        ProgramCourse.objects.filter(version=version).update(is_required=False)


def test_next_draft_copies_modules_and_items_and_compares_by_key() -> None:
    version = published_course()
    draft = next_draft(version)
    assert not diff(version, draft)

    ModuleItem.objects.filter(version=draft, key="rules").update(title="The rules")

    (change,) = diff(version, draft).changes
    assert (change.part, change.key, change.outcome) == ("module item", "rules", "changed")
    assert [(f.field, f.old, f.new) for f in change.fields] == [("title", "Rules", "The rules")]
