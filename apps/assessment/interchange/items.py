"""Neutral items: what a question file said, before any table of ours is chosen for it.

Scores are fractions of the item's full mark, `Decimal` in -1..1, exactly as the source
scores them. Texts are as the author wrote them, unescaped, never sanitised: whoever shows
them must treat them as hostile.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

BLANK = "_____"


class ItemKind(StrEnum):
    MULTIPLE_CHOICE = "multiple_choice"
    MULTIPLE_RESPONSE = "multiple_response"
    TRUE_FALSE = "true_false"
    NUMERIC = "numeric"
    SHORT_TEXT = "short_text"
    ESSAY = "essay"
    MATCHING = "matching"
    DESCRIPTION = "description"


class TextFormat(StrEnum):
    """How a text is written. `moodle` is HTML in which line breaks count as `<br>`."""

    HTML = "html"
    MOODLE = "moodle"
    PLAIN = "plain"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class RichText:
    """A text and the format it was written in."""

    text: str
    format: TextFormat = TextFormat.MOODLE


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice; picking it adds `fraction` of the full mark."""

    text: RichText
    fraction: Decimal
    feedback: RichText | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The options in the author's order.

    One is picked in a multiple choice and its fraction is the score. In a multiple
    response any number are picked and the score is their sum, cut to 0..1; the positive
    fractions sum to 1 within `weights.SUM_TOLERANCE` (three thirds are 0.9999999).
    """

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class TrueFalse:
    """The right answer, and what is said to the learner who answered true or false."""

    is_true: bool
    true_feedback: RichText | None = None
    false_feedback: RichText | None = None


@dataclass(frozen=True, slots=True)
class NumericAnswer:
    """A closed interval of accepted numbers, worth `fraction`.

    `low` and `high` always hold the interval; both None means any number (the feedback
    for everything not matched before). `value` and `tolerance` keep how it was written:
    `3:2` is value 3, tolerance 2; `3` has no tolerance; `1..5` has neither.
    """

    low: Decimal | None
    high: Decimal | None
    fraction: Decimal
    value: Decimal | None = None
    tolerance: Decimal | None = None
    feedback: RichText | None = None


@dataclass(frozen=True, slots=True)
class NumericAnswers:
    """Tried in order: the first interval that holds the response decides."""

    answers: tuple[NumericAnswer, ...]


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """A pattern and its worth: `*` stands for any run of characters, `\\*` for an asterisk."""

    pattern: str
    fraction: Decimal
    feedback: RichText | None = None


@dataclass(frozen=True, slots=True)
class TextAnswers:
    """Tried in order against the whole trimmed response: the first match decides."""

    answers: tuple[TextAnswer, ...]
    case_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class MatchPair:
    """A prompt and its right answer; an empty prompt makes the answer a distractor."""

    prompt: RichText
    answer: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs; each one with a prompt is worth an equal share of the full mark."""

    pairs: tuple[MatchPair, ...]


Answers = Choices | TrueFalse | NumericAnswers | TextAnswers | Pairs


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a file. `answers` is None for an essay and a description.

    `blank_at` is the offset of `BLANK` in the prompt's text when the answer belongs in
    the middle of the sentence (the missing-word format).
    """

    kind: ItemKind
    prompt: RichText
    answers: Answers | None = None
    title: str | None = None
    blank_at: int | None = None
    general_feedback: RichText | None = None
    category: str | None = None
    external_id: str | None = None
    tags: tuple[str, ...] = ()
