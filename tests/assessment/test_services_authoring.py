"""Questions into drafts, assessments into courses."""

from __future__ import annotations

import pytest

from apps.assessment.models import AssessmentPlacement, BankItem, QuestionBank
from apps.assessment.services import copy_from_bank, place_assessment
from apps.assessment.services.authoring import AssessmentNotPublished, NotAnAssessmentItem
from apps.assessment.vocabulary import Kind
from apps.core.versions import NotADraft, publish
from tests.assessment.factories import draft_assessment, published_assessment
from tests.assessment.specs import ROUND_EARTH
from tests.programs.factories import AUTHORED, Item, draft_course

pytestmark = pytest.mark.django_db


def bank_items(*keys: str) -> list[BankItem]:
    bank = QuestionBank.objects.create(slug="bank", title="Bank")
    items = []
    for key in keys:
        item = BankItem(
            bank=bank,
            key=key,
            kind=Kind.TRUE_FALSE,
            title=key.title(),
            prompt_markdown=f"Is {key} true?",
            key_data=ROUND_EARTH,
        )
        item.clean()
        item.save()
        items.append(item)
    return items


def test_place_assessment_lets_an_item_stand_for_it_and_for_another() -> None:
    item = draft_course("c", {"all": [Item("quiz", "assessment")]}).items.get()
    first, second = published_assessment(), published_assessment(slug="exam")

    placed = place_assessment(module_item=item, assessment_version=first)
    again = place_assessment(module_item=item, assessment_version=second)

    assert placed == again == AssessmentPlacement.objects.get()
    assert (again.version_id, again.key, again.assessment_version) == (
        item.version_id,
        "quiz",
        second,
    )


def test_place_assessment_refuses_lessons_drafts_and_frozen_courses() -> None:
    course = draft_course("c", {"all": [Item("quiz", "assessment"), Item("intro")]})
    quiz, intro = course.items.get(key="quiz"), course.items.get(key="intro")
    published = published_assessment()

    with pytest.raises(NotAnAssessmentItem):
        place_assessment(module_item=intro, assessment_version=published)
    with pytest.raises(AssessmentNotPublished):
        place_assessment(module_item=quiz, assessment_version=draft_assessment(slug="draft"))
    place_assessment(module_item=quiz, assessment_version=published)
    publish(version=course, actor=None, at=AUTHORED)
    with pytest.raises(NotADraft):
        place_assessment(module_item=quiz, assessment_version=published)


def test_copy_from_bank_adds_items_at_the_end_with_free_keys() -> None:
    draft = draft_assessment()
    items = bank_items("flat", "earth")

    copies = copy_from_bank(version=draft, items=items)

    assert [(copy.key, copy.position, copy.bank_item) for copy in copies] == [
        ("flat", 5, items[0]),
        ("earth-2", 6, items[1]),
    ]
    assert (copies[0].key_data, copies[0].scoring_rule) == (items[0].key_data, "all_or_nothing")
    assert publish(version=draft, actor=None, at=AUTHORED).items.count() == 6


def test_copy_from_bank_refuses_a_published_version() -> None:
    with pytest.raises(NotADraft):
        copy_from_bank(version=published_assessment(), items=bank_items("flat"))
