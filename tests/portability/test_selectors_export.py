"""What is exported, and what can't be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.versions import new_draft, publish, retire
from apps.portability.content import Pin
from apps.portability.faults import NotExportable
from apps.portability.selectors.export import NothingPublished, export_course, export_program
from apps.programs.models import CourseVersion, Program, ProgramCourse
from apps.requirements.graph import NodeKind, NodeSpec
from tests.factories import NOON
from tests.portability.contents import ONE_COURSE, with_course
from tests.portability.test_services_imports import taken_in
from tests.programs.factories import draft_course, published_course, published_program
from tests.requirements.factories import published_set

pytestmark = pytest.mark.django_db


def test_only_what_is_published_is_exported() -> None:
    draft = draft_course("knots")

    with pytest.raises(NothingPublished):
        export_course(draft)
    version = publish(version=draft, actor=None, at=NOON)
    with pytest.raises(NothingPublished):
        export_course(retire(version=version, actor=None, at=NOON))


def test_a_program_takes_the_requirements_that_are_published() -> None:
    program = published_program(published_course("knots"), slug="sailor")
    course = CourseVersion.objects.get().definition_id
    published_set(
        program.definition,
        NodeSpec("knots", NodeKind.COURSE_COMPLETED, course=course),
    )

    content = export_program(program)

    assert [one.slug for one in content.requirement_sets] == ["ladder"]
    assert content.programs[0].content.courses == (Pin("knots", 1),)


def test_requirements_of_a_course_that_the_version_dropped_are_told() -> None:
    first = published_program(published_course("knots"), slug="sailor")
    course = CourseVersion.objects.get().definition_id
    published_set(first.definition, NodeSpec("knots", NodeKind.COURSE_COMPLETED, course=course))
    draft: Any = new_draft(definition=Program.objects.get(), actor=None, at=NOON)
    ProgramCourse.objects.filter(version=draft).delete()
    ProgramCourse.objects.create(
        version=draft, key="sails", course_version=published_course("sails"), position=1
    )
    second = publish(version=draft, actor=None, at=NOON)

    with pytest.raises(NotExportable) as caught:
        export_program(second)

    assert [(e["field"], e["code"]) for e in caught.value.errors] == [
        ("requirement-sets/ladder.json#/content/nodes/0/course", "dangling")
    ]
    assert export_program(first).root == "sailor"


def test_an_export_takes_a_constant_number_of_statements() -> None:
    taken_in(ONE_COURSE)
    small = CourseVersion.objects.get()
    with CaptureQueriesContext(connection) as few:
        export_course(small)
    [course] = ONE_COURSE.courses
    [module, *others] = course.content.modules
    many = tuple(replace(module.items[0], key=f"item-{n}", position=n + 10) for n in range(40))
    grown = replace(
        course,
        content=replace(
            course.content, modules=(replace(module, items=(*module.items, *many)), *others)
        ),
    )
    taken_in(with_course(ONE_COURSE, grown))
    large = CourseVersion.objects.get(number=2)
    with CaptureQueriesContext(connection) as more:
        export_course(large)

    assert len(few) == len(more)
