from __future__ import annotations

from decimal import Decimal

import pytest

from apps.assessment.rules.rubrics import (
    CriterionSpec,
    LevelChoice,
    LevelSpec,
    RubricIncomplete,
    RubricSpec,
    choices_as_json,
    rubric_score,
)

RUBRIC = RubricSpec(
    key="report",
    title="Report",
    criteria=(
        CriterionSpec(
            "clarity",
            "Clarity",
            (LevelSpec("poor", "Poor", Decimal(0)), LevelSpec("good", "Good", Decimal("2.5"))),
        ),
        CriterionSpec(
            "depth",
            "Depth",
            (LevelSpec("thin", "Thin", Decimal(1)), LevelSpec("deep", "Deep", Decimal(5))),
        ),
    ),
)
CHOICES = {"clarity": LevelChoice("good", "Well told."), "depth": LevelChoice("thin")}


def test_rubric_score_adds_the_chosen_levels() -> None:
    assert rubric_score(RUBRIC, CHOICES) == Decimal("3.5")
    assert RUBRIC.max_points == Decimal("7.5")


def test_rubric_score_refuses_choices_that_do_not_fit() -> None:
    with pytest.raises(RubricIncomplete) as refused:
        rubric_score(RUBRIC, {"clarity": LevelChoice("superb"), "humour": LevelChoice("good")})

    assert [(fault.criterion, fault.code) for fault in refused.value.faults] == [
        ("humour", "unknown-criterion"),
        ("clarity", "unknown-level"),
        ("depth", "criterion-open"),
    ]


def test_choices_as_json_keeps_the_points_of_that_day() -> None:
    assert choices_as_json(RUBRIC, CHOICES) == [
        {"criterion": "clarity", "level": "good", "points": "2.5", "comment": "Well told."},
        {"criterion": "depth", "level": "thin", "points": "1", "comment": ""},
    ]
