"""What an assessment must be before it may be published."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.assessment.models import AssessmentTemplate, AssessmentVersion
from apps.assessment.publication import CriterionShape, ItemShape, RubricShape, version_faults
from apps.assessment.vocabulary import Kind, Rule, ScoringModel
from apps.core.versions import NotPublishable, diff, new_draft, publish
from tests.assessment.factories import WITH_ESSAY, draft_assessment, published_assessment
from tests.assessment.specs import ESSAY, ROUND_EARTH
from tests.programs.factories import AUTHORED

HALVES = (Decimal(0), Decimal(2))
RUBRIC = RubricShape("r", (CriterionShape("clarity", HALVES), CriterionShape("depth", HALVES)))


def item(**changes: Any) -> ItemShape:
    return ItemShape(
        **{
            "key": "earth",
            "kind": Kind.TRUE_FALSE,
            "rule": Rule.ALL_OR_NOTHING,
            "key_data": ROUND_EARTH,
            "points": Decimal(4),
            "position": 1,
            "graded_by": "engine",
            **changes,
        }
    )


ESSAY_ITEM = item(
    key="causes", kind=Kind.ESSAY, rule=Rule.PERSON, key_data=ESSAY, graded_by="person", position=2
)


def codes(model: str, items: list[ItemShape], *rubrics: RubricShape) -> list[tuple[str, str]]:
    return [(fault.code, fault.key) for fault in version_faults(model, items, rubrics)]


def test_version_faults_of_sound_assessments_are_none() -> None:
    with_rubric = item(graded_by="person", rubric="r")

    assert codes(ScoringModel.AUTO, [item()]) == []
    assert codes(ScoringModel.MIXED, [item(), ESSAY_ITEM]) == []
    assert codes(ScoringModel.MANUAL, [ESSAY_ITEM]) == []
    assert codes(ScoringModel.RUBRIC, [with_rubric], RUBRIC) == []


def test_version_faults_need_items_and_points() -> None:
    assert codes(ScoringModel.AUTO, []) == [("no-items", "")]
    assert codes(ScoringModel.AUTO, [item(points=Decimal(0))]) == [("no-points", "")]


def test_version_faults_name_items_at_fault() -> None:
    items = [item(), item(key="again"), item(key="broken", position=3, key_data={})]

    assert codes(ScoringModel.AUTO, items) == [
        ("position-taken", "again"),
        ("not-a-boolean", "broken"),
    ]


@pytest.mark.parametrize(
    ("model", "shape", "code"),
    [
        (ScoringModel.AUTO, ESSAY_ITEM, "needs-a-person"),
        (ScoringModel.MANUAL, item(), "not-scored-by-a-person"),
        (ScoringModel.RUBRIC, ESSAY_ITEM, "rubric-missing"),
        (ScoringModel.MIXED, item(rubric="r"), "rubric-without-a-person"),
    ],
)
def test_version_faults_hold_the_template_to_its_scoring_model(
    model: str, shape: ItemShape, code: str
) -> None:
    assert (code, shape.key) in codes(model, [shape])


def test_version_faults_want_a_rubric_that_can_be_used() -> None:
    thin = RubricShape("r", (CriterionShape("clarity", (Decimal(3),)),))
    graded = item(graded_by="person", rubric="r")

    assert codes(ScoringModel.RUBRIC, [graded], thin) == [
        ("levels-missing", "clarity"),
        ("rubric-points-differ", "earth"),
    ]
    assert codes(ScoringModel.RUBRIC, [graded], RubricShape("r", ())) == [
        ("no-criteria", "r"),
        ("rubric-points-differ", "earth"),
    ]


@pytest.mark.django_db
def test_publish_refuses_a_draft_with_faults() -> None:
    template = AssessmentTemplate.objects.create(slug="empty", title="Empty")
    draft = AssessmentVersion.objects.create(definition=template)

    with pytest.raises(NotPublishable) as refused:
        publish(version=draft, actor=None, at=AUTHORED)

    assert [error["code"] for error in refused.value.errors] == ["no-items"]


@pytest.mark.django_db
def test_publish_and_the_next_draft_keep_items_rubrics_and_keys() -> None:
    first = published_assessment(WITH_ESSAY)

    draft = new_draft(definition=first.definition, actor=None, at=AUTHORED)

    assert isinstance(draft, AssessmentVersion)
    assert not diff(first, draft)
    essay = draft.items.get(key="causes")
    assert essay.rubric == draft.rubrics.get()
    assert [c.levels.count() for c in draft.rubrics.get().criteria.all()] == [2, 2]
    essay.points = Decimal(5)
    essay.save()
    assert [(change.part, change.key) for change in diff(first, draft).changes] == [
        ("assessment item", "causes")
    ]


@pytest.mark.django_db
def test_a_draft_without_its_rubric_names_the_item() -> None:
    draft = draft_assessment(WITH_ESSAY)
    AssessmentTemplate.objects.update(scoring_model=ScoringModel.RUBRIC)
    draft.definition.refresh_from_db()

    problems = {problem.key: problem.code for problem in draft.publication_problems()}

    assert problems == dict.fromkeys(("capital", "primes", "earth", "pi"), "rubric-missing")
