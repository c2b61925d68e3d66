"""Assessments and question banks in a package."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class QuestionSource:
    """The bank's question that an item was copied from."""

    bank: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an item of an assessment and a question of a bank have in common."""

    key: str
    kind: str
    prompt_markdown: str
    title: str = ""
    points: Decimal = Decimal(1)
    key_data: JsonObject = field(default_factory=dict)
    scoring_rule: str = ""
    graded_by: str = ""
    feedback_markdown: str = ""


@dataclass(frozen=True, kw_only=True)
class Question(Asked):
    """One item of an assessment."""

    position: int
    rubric: str | None = None
    bank_item: QuestionSource | None = None


@dataclass(frozen=True, kw_only=True)
class BankQuestion(Asked):
    """One question of a bank; `source` tells where the bank has it from."""

    category: str = ""
    tags: tuple[str, ...] = ()
    difficulty: int | None = None
    source: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Level:
    key: str
    title: str
    points: Decimal
    position: int
    description: str = ""


@dataclass(frozen=True)
class Criterion:
    key: str
    title: str
    position: int
    description: str = ""
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True)
class Rubric:
    key: str
    title: str
    description: str = ""
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AssessmentContent:
    """What a version of an assessment asks, and on which terms."""

    instructions_markdown: str = ""
    pass_percent: Decimal = Decimal(60)
    percent_places: int = 2
    attempts_allowed: int | None = None
    time_limit_seconds: int | None = None
    grace_seconds: int = 0
    late_percent_per_day: Decimal = Decimal(0)
    late_cap_percent: Decimal = Decimal(100)
    late_cut_off_days: int | None = None
    result_policy: str = "highest"
    release_policy: str = "immediately"
    shuffle_items: bool = False
    shuffle_options: bool = True
    rubrics: tuple[Rubric, ...] = ()
    items: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Edition:
    """One of the versions that the package's courses place, numbered from 1, older ones first."""

    edition: int
    content: AssessmentContent


@dataclass(frozen=True, kw_only=True)
class Assessment:
    slug: str
    title: str
    origin: str
    editions: tuple[Edition, ...]
    type: str = "quiz"
    scoring_model: str = "auto"
    course: str | None = None


@dataclass(frozen=True)
class Bank:
    """The questions of a bank that the package's assessments were copied from."""

    slug: str
    title: str
    origin: str
    questions: tuple[BankQuestion, ...]
    description: str = ""
