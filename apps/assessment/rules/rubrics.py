"""Scoring by rubric: a level for every criterion, the points of the levels added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.assessment.questions.items import JsonValue
from apps.assessment.questions.numbers import ZERO, plain
from apps.assessment.rules.canonical import facts_hash


@dataclass(frozen=True, slots=True)
class LevelSpec:
    key: str
    title: str
    points: Decimal
    description: str = ""


@dataclass(frozen=True, slots=True)
class CriterionSpec:
    key: str
    title: str
    levels: tuple[LevelSpec, ...]
    description: str = ""

    @property
    def max_points(self) -> Decimal:
        return max((level.points for level in self.levels), default=ZERO)


@dataclass(frozen=True, slots=True)
class RubricSpec:
    key: str
    title: str
    criteria: tuple[CriterionSpec, ...]
    description: str = ""

    @property
    def max_points(self) -> Decimal:
        return sum((criterion.max_points for criterion in self.criteria), ZERO)


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """The level a grader chose for one criterion, and what they say about it."""

    level: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class RubricFault:
    criterion: str
    code: str
    message: str


class RubricIncomplete(ValueError):
    """Choices that do not fit the rubric; `faults` names each."""

    def __init__(self, faults: list[RubricFault]) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = tuple(faults)


def rubric_score(rubric: RubricSpec, choices: Mapping[str, LevelChoice]) -> Decimal:
    """Return the sum of the chosen levels' points.

    Raises RubricIncomplete for a criterion without a choice, an unknown criterion or level.
    """
    known = {criterion.key for criterion in rubric.criteria}
    faults = [
        RubricFault(key, "unknown-criterion", f"The rubric has no criterion “{key}”.")
        for key in sorted(set(choices) - known)
    ]
    total = ZERO
    for criterion in rubric.criteria:
        choice = choices.get(criterion.key)
        points = {level.key: level.points for level in criterion.levels}
        if choice is None:
            message = f"“{criterion.title}” has no level yet."
            faults.append(RubricFault(criterion.key, "criterion-open", message))
        elif choice.level not in points:
            message = f"“{criterion.title}” has no level “{choice.level}”."
            faults.append(RubricFault(criterion.key, "unknown-level", message))
        else:
            total += points[choice.level]
    if faults:
        raise RubricIncomplete(faults)
    return total


def choices_as_json(rubric: RubricSpec, choices: Mapping[str, LevelChoice]) -> JsonValue:
    """Return what a grading event keeps: each criterion's level, its points then, the comment."""
    return [
        {
            "criterion": criterion.key,
            "level": level.key,
            "points": plain(level.points),
            "comment": choices[criterion.key].comment,
        }
        for criterion in rubric.criteria
        for level in criterion.levels
        if level.key == choices[criterion.key].level
    ]


def rubric_fingerprint(rubric: RubricSpec) -> str:
    """Return what tells one state of a rubric from another."""
    return facts_hash(
        [
            rubric.key,
            rubric.title,
            rubric.description,
            [
                [
                    criterion.key,
                    criterion.title,
                    criterion.description,
                    [
                        [level.key, level.title, plain(level.points), level.description]
                        for level in criterion.levels
                    ],
                ]
                for criterion in rubric.criteria
            ],
        ]
    )
