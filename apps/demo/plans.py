"""What is to be taught, asked and required, as plain values; `authoring` makes it real.

The demo's organisations are written as these, and so is the program that `run_cohort` makes from
somebody's own question file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from apps.assessment.vocabulary import ResultPolicy, ScoringModel, TemplateType


@dataclass(frozen=True)
class Lesson:
    """A text to read, in a Markdown file named after its key."""

    key: str
    title: str
    minutes: int


@dataclass(frozen=True)
class External:
    """Something to read or see on somebody else's site."""

    key: str
    title: str
    url: str
    minutes: int
    is_required: bool = False


@dataclass(frozen=True)
class Task:
    """The place of an assessment in a course; its key is the assessment's slug."""

    key: str
    title: str
    minutes: int


Item = Lesson | External | Task


@dataclass(frozen=True)
class Module:
    key: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class CoursePlan:
    """A course; `texts` is the folder of its lessons."""

    slug: str
    title: str
    description: str
    modules: tuple[Module, ...]
    texts: Path | None = None
    is_required: bool = True


@dataclass(frozen=True)
class Level:
    title: str
    points: Decimal
    description: str = ""


@dataclass(frozen=True)
class Criterion:
    key: str
    title: str
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class RubricPlan:
    key: str
    title: str
    criteria: tuple[Criterion, ...]

    @property
    def points(self) -> Decimal:
        best = (max(level.points for level in criterion.levels) for criterion in self.criteria)
        return sum(best, Decimal())


@dataclass(frozen=True)
class AssessmentPlan:
    """An assessment made of questions of the bank: those of `category`, or `keys` if given.

    `rubrics` says, by the key of a question, how people score it; the question is then worth the
    rubric's points. `points` changes what others are worth. Times are in seconds.
    """

    slug: str
    title: str
    type: TemplateType = TemplateType.QUIZ
    scoring_model: ScoringModel = ScoringModel.AUTO
    category: str = ""
    keys: tuple[str, ...] = ()
    instructions: str = ""
    pass_percent: Decimal = Decimal(60)
    attempts_allowed: int | None = None
    time_limit_seconds: int | None = None
    grace_seconds: int = 0
    result_policy: ResultPolicy = ResultPolicy.HIGHEST
    shuffle_items: bool = False
    points: Mapping[str, Decimal] = field(default_factory=dict)
    rubrics: Mapping[str, RubricPlan] = field(default_factory=dict)


@dataclass(frozen=True)
class Need:
    """One requirement. What it names are slugs and keys; `after` and `members` are keys of needs.

    A group needs all its members unless it says how many, or how many credits.
    """

    key: str
    title: str
    kind: str
    course: str = ""
    module: str = ""
    item: str = ""
    assessment: str = ""
    min_percent: Decimal | None = None
    attendance_percent: Decimal | None = None
    capability: str = ""
    min_count: int | None = None
    min_credits: Decimal | None = None
    credits: Decimal | None = None
    members: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    is_root: bool = False


@dataclass(frozen=True)
class CertificatePlan:
    """What is awarded to whoever meets the program's certification set."""

    slug: str
    title: str
    type: str
    description: str
    criteria: str
    is_automatic: bool = True
    validity_days: int | None = None
    letters: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProgramPlan:
    """A program with everything that a cohort of it needs."""

    slug: str
    title: str
    description: str
    courses: tuple[CoursePlan, ...]
    assessments: tuple[AssessmentPlan, ...]
    progression: tuple[Need, ...]
    certification: tuple[Need, ...]
    certificate: CertificatePlan
