"""A course says which assessment each of its assessment items is, or is not published."""

from __future__ import annotations

import pytest

from apps.assessment.selectors.placing import unplaced_items
from apps.assessment.services import place_assessment
from apps.core.versions import NotPublishable, publish
from apps.programs.models import ItemType
from tests.assessment.factories import published_assessment
from tests.programs.factories import AUTHORED, Item, draft_course, next_draft

pytestmark = pytest.mark.django_db

MODULES = {"all": (Item("read"), Item("quiz", ItemType.ASSESSMENT), Item("z", ItemType.ASSESSMENT))}


def test_unplaced_items_are_named_in_course_order() -> None:
    draft = draft_course(modules=MODULES)

    place_assessment(
        module_item=draft.items.get(key="z"), assessment_version=published_assessment()
    )

    assert [(found.code, found.key) for found in unplaced_items(draft.id)] == [
        ("assessment-not-placed", "quiz")
    ]


def test_a_course_with_an_unplaced_assessment_is_not_published() -> None:
    draft = draft_course(modules=MODULES)

    with pytest.raises(NotPublishable) as refused:
        publish(version=draft, actor=None, at=AUTHORED)

    assert [(error["field"], error["code"]) for error in refused.value.errors] == [
        ("quiz", "assessment-not-placed"),
        ("z", "assessment-not-placed"),
    ]


def test_a_course_is_published_once_everything_is_placed_and_so_is_its_next_version() -> None:
    draft = draft_course(modules=MODULES)
    quiz = published_assessment()
    for key in ("quiz", "z"):
        place_assessment(module_item=draft.items.get(key=key), assessment_version=quiz)

    first = publish(version=draft, actor=None, at=AUTHORED)
    second = publish(version=next_draft(first), actor=None, at=AUTHORED)

    assert (first.number, second.number) == (1, 2)
