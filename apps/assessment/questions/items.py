"""What one item of a version asks and what counts as right: frozen values, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias
from uuid import UUID

from apps.assessment.vocabulary import Kind, Rule

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None


# The first rule of a kind is its default.
RULES_OF_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    Kind.MULTIPLE_CHOICE: (Rule.FRACTIONS,),
    Kind.MULTIPLE_RESPONSE: (Rule.PER_OPTION, Rule.ALL_OR_NOTHING, Rule.FRACTIONS),
    Kind.TRUE_FALSE: (Rule.ALL_OR_NOTHING,),
    Kind.NUMERIC: (Rule.FIRST_MATCH,),
    Kind.SHORT_TEXT: (Rule.FIRST_MATCH,),
    Kind.ESSAY: (Rule.PERSON,),
}
KINDS: Final = tuple(RULES_OF_KIND)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to tick. `fraction` is the share of the points it is worth, from -1 to 1."""

    key: str
    text: str
    fraction: Decimal
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceKey:
    """The options of a multiple choice or multiple response item, in the author's order."""

    options: tuple[Option, ...]
    shuffle: bool = True

    @property
    def correct(self) -> frozenset[str]:
        return frozenset(option.key for option in self.options if option.fraction > 0)


@dataclass(frozen=True, slots=True)
class TrueFalseKey:
    correct: bool
    feedback_true: str = ""
    feedback_false: str = ""


@dataclass(frozen=True, slots=True)
class NumericAnswer:
    """A closed interval of numbers that earns `fraction`; a tolerance is written as one.

    An end that is None is open: both None match any number, for the feedback on all the others.
    """

    key: str
    minimum: Decimal | None
    maximum: Decimal | None
    fraction: Decimal
    feedback: str = ""

    def holds(self, number: Decimal) -> bool:
        above = self.minimum is None or self.minimum <= number
        return above and (self.maximum is None or number <= self.maximum)


@dataclass(frozen=True, slots=True)
class NumericKey:
    """Intervals in the author's order; the first that holds the number counts."""

    answers: tuple[NumericAnswer, ...]


@dataclass(frozen=True, slots=True)
class TextAnswer:
    r"""A pattern that earns `fraction`: `*` stands for any text, `\*` for an asterisk."""

    key: str
    pattern: str
    fraction: Decimal
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class ShortTextKey:
    """Patterns in the author's order; the first that matches the whole answer counts."""

    answers: tuple[TextAnswer, ...]
    case_sensitive: bool = False
    collapse_spaces: bool = False


@dataclass(frozen=True, slots=True)
class EssayKey:
    """What is asked of a text that a person reads; `maximum_characters` is refused when saving."""

    maximum_characters: int | None = None
    minimum_words: int | None = None
    guidance: str = ""


AnswerKey: TypeAlias = ChoiceKey | TrueFalseKey | NumericKey | ShortTextKey | EssayKey


@dataclass(frozen=True, slots=True)
class ItemSpec:
    """One item of a published version, with everything that showing and scoring it needs."""

    id: UUID
    version_id: UUID
    key: str
    kind: str
    title: str
    prompt_markdown: str
    points: Decimal
    position: int
    rule: str
    graded_by: str
    answer_key: AnswerKey
    feedback: str = ""
    rubric_id: UUID | None = None
