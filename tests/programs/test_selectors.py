from __future__ import annotations

from typing import Any

import pytest

from apps.programs.models import CourseModule, ModuleItem
from apps.programs.selectors import OutlineItem, OutlineModule, outline, pinned_courses
from tests.programs.factories import Item, published_course, published_program

pytestmark = pytest.mark.django_db


def test_outline_is_in_order() -> None:
    version = published_course(modules={"b": (Item("z"), Item("y", "external", False)), "a": ()})
    ids = dict(ModuleItem.objects.filter(version=version).values_list("key", "id"))
    modules = dict(CourseModule.objects.filter(version=version).values_list("key", "id"))

    assert outline(version.id) == [
        OutlineModule(
            id=modules["b"],
            key="b",
            title="B",
            position=1,
            items=(
                OutlineItem(ids["z"], "z", "lesson", "Z", 1, True, None),
                OutlineItem(ids["y"], "y", "external", "Y", 2, False, None),
            ),
        ),
        OutlineModule(id=modules["a"], key="a", title="A", position=2, items=()),
    ]


@pytest.mark.parametrize("size", [1, 12])
def test_outline_takes_two_queries(size: int, django_assert_num_queries: Any) -> None:
    modules = {f"m{n}": [Item(f"i{n}-{k}") for k in range(size)] for n in range(size)}
    version = published_course(modules=modules)

    with django_assert_num_queries(2):
        found = outline(version.id)

    assert sum(len(module.items) for module in found) == size * size


def test_pinned_courses_of_many_programs_take_three_queries(django_assert_num_queries: Any) -> None:
    one, two = published_course("one"), published_course("two")
    both = published_program(two, one, slug="both")
    single = published_program(one, slug="single")

    with django_assert_num_queries(3):
        found = pinned_courses([both.id, single.id])

    assert {
        program: [(course.slug, course.course_version_id) for course in courses]
        for program, courses in found.items()
    } == {both.id: [("two", two.id), ("one", one.id)], single.id: [("one", one.id)]}
