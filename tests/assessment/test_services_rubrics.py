"""A rubric is written as a whole."""

from __future__ import annotations

from decimal import Decimal

import pytest

from apps.assessment.models import Rubric, RubricCriterion, RubricLevel
from apps.assessment.rules.rubrics import (
    CriterionSpec,
    LevelSpec,
    RubricSpec,
    rubric_fingerprint,
)
from apps.assessment.selectors.papers import rubric_spec
from apps.assessment.services import RubricChanged, save_rubric
from apps.core.versions import NotADraft
from tests.assessment.factories import WITH_ESSAY, draft_assessment, published_assessment

pytestmark = pytest.mark.django_db


def level(title: str, points: str, key: str = "") -> LevelSpec:
    return LevelSpec(key, title, Decimal(points), f"{title} work")


def criterion(title: str, *levels: LevelSpec, key: str = "") -> CriterionSpec:
    return CriterionSpec(key, title, levels, f"About {title}")


def rubric(*criteria: CriterionSpec, title: str = "Essay") -> RubricSpec:
    return RubricSpec("", title, criteria, "For graders")


def read_again(row: Rubric) -> RubricSpec:
    return rubric_spec(Rubric.objects.get(pk=row.pk))


def test_save_rubric_writes_everything_in_the_given_order() -> None:
    spec = rubric(
        criterion("Clarity", level("Poor", "0"), level("Good", "2")),
        criterion("Depth", level("Shallow", "0"), level("Deep", "3.5")),
    )

    saved = save_rubric(version=draft_assessment(), spec=spec)

    assert read_again(saved) == RubricSpec(
        "essay",
        "Essay",
        (
            CriterionSpec(
                "clarity",
                "Clarity",
                (
                    LevelSpec("clarity-poor", "Poor", Decimal(0), "Poor work"),
                    LevelSpec("clarity-good", "Good", Decimal(2), "Good work"),
                ),
                "About Clarity",
            ),
            CriterionSpec(
                "depth",
                "Depth",
                (
                    LevelSpec("depth-shallow", "Shallow", Decimal(0), "Shallow work"),
                    LevelSpec("depth-deep", "Deep", Decimal("3.5"), "Deep work"),
                ),
                "About Depth",
            ),
        ),
        "For graders",
    )
    assert read_again(saved).max_points == Decimal("5.5")


def test_save_rubric_keeps_the_rows_of_known_keys_adds_new_ones_and_lets_missing_ones_go() -> None:
    draft = draft_assessment()
    saved = save_rubric(
        version=draft,
        spec=rubric(
            criterion("Clarity", level("Poor", "0"), level("Good", "2")),
            criterion("Depth", level("Deep", "3")),
        ),
    )
    ids = dict(RubricCriterion.objects.values_list("key", "id"))
    poor = RubricLevel.objects.get(key="clarity-poor")

    save_rubric(
        version=draft,
        rubric=saved,
        spec=rubric(
            criterion("New", level("Only", "1")),
            criterion("Plain words", level("Weak", "0.5", key="clarity-poor"), key="clarity"),
            title="Essays",
        ),
    )

    assert [(one.key, one.title, one.position) for one in saved.criteria.all()] == [
        ("new", "New", 1),
        ("clarity", "Plain words", 2),
    ]
    assert RubricCriterion.objects.get(key="clarity").id == ids["clarity"]
    poor.refresh_from_db()
    assert (poor.title, poor.points, poor.position) == ("Weak", Decimal("0.5"), 1)
    assert set(RubricLevel.objects.values_list("key", flat=True)) == {"clarity-poor", "new-only"}
    saved.refresh_from_db()
    assert (saved.key, saved.title) == ("essay", "Essays")


def test_save_rubric_gives_each_part_a_key_of_its_own() -> None:
    draft = draft_assessment()
    twice = rubric(
        criterion("Clarity", level("Good", "1"), level("Good", "2")),
        criterion("Clarity", level("Good", "1")),
        criterion("明確さ", level("良い", "1")),
    )

    save_rubric(version=draft, spec=twice)
    save_rubric(version=draft, spec=rubric(criterion("Clarity")))

    assert sorted(RubricCriterion.objects.values_list("key", flat=True)) == [
        "clarity",
        "clarity-2",
        "clarity-3",
        "rubriccriterion",
    ]
    assert sorted(Rubric.objects.values_list("key", flat=True)) == ["essay", "essay-2"]
    assert len(set(RubricLevel.objects.values_list("key", flat=True))) == 4


def test_save_rubric_takes_a_key_of_another_rubric_for_new() -> None:
    draft = draft_assessment(WITH_ESSAY)
    other = draft.rubrics.get()
    before = rubric_spec(other)

    save_rubric(version=draft, spec=rubric(criterion("Stolen", key="clarity")))

    assert read_again(other) == before
    assert RubricCriterion.objects.filter(key="stolen").exists()


def test_save_rubric_refuses_a_published_version() -> None:
    version = published_assessment(WITH_ESSAY)

    with pytest.raises(NotADraft):
        save_rubric(version=version, spec=rubric())
    with pytest.raises(NotADraft):
        save_rubric(version=version, rubric=version.rubrics.get(), spec=rubric())


def test_save_rubric_refuses_what_was_changed_since_the_author_saw_it() -> None:
    draft = draft_assessment(WITH_ESSAY)
    row = draft.rubrics.get()
    seen = rubric_fingerprint(rubric_spec(row))
    save_rubric(version=draft, rubric=row, seen=seen, spec=rubric(title="First"))

    with pytest.raises(RubricChanged):
        save_rubric(version=draft, rubric=row, seen=seen, spec=rubric(title="Second"))

    assert read_again(row).title == "First"
