"""What a response earns: pure, in Decimal, by the rule that the item names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.assessment.questions.items import (
    ChoiceKey,
    EssayKey,
    ItemSpec,
    JsonValue,
    NumericKey,
    ShortTextKey,
    TrueFalseKey,
)
from apps.assessment.questions.numbers import ONE, ZERO, as_score, read_typed_number
from apps.assessment.rules.responses import is_blank
from apps.assessment.rules.textmatch import matches
from apps.assessment.vocabulary import GradedBy, Rule


@dataclass(frozen=True, slots=True)
class ItemScore:
    """Points earned, in working precision, and the keys of the options or answers that counted."""

    score: Decimal
    matched: tuple[str, ...] = ()


def needs_person(item: ItemSpec, value: JsonValue) -> bool:
    """Return whether only a person can score this. An item left blank scores 0 by itself."""
    return item.graded_by == GradedBy.PERSON and not is_blank(value)


def score_response(item: ItemSpec, value: JsonValue) -> ItemScore:
    """Return what a stored value earns by the item's rule; a blank earns nothing.

    Raises ValueError where only a person can score (see needs_person).
    """
    if is_blank(value):
        return ItemScore(ZERO)
    if item.graded_by == GradedBy.PERSON or isinstance(item.answer_key, EssayKey):
        raise ValueError(f"Item {item.key} is graded by a person.")
    fraction, matched = _earned(item, value)
    return ItemScore(as_score(min(max(fraction, ZERO), ONE) * item.points), matched)


def _earned(item: ItemSpec, value: JsonValue) -> tuple[Decimal, tuple[str, ...]]:
    match item.answer_key:
        case ChoiceKey() as key:
            ticked = value if isinstance(value, list) else [value]
            return _choice_fraction(key, item.rule, ticked), tuple(map(str, ticked))
        case TrueFalseKey() as key:
            return (ONE if value is key.correct else ZERO), (str(value).lower(),)
        case NumericKey() as key:
            return _numeric_fraction(key, str(value))
        case ShortTextKey() as key:
            return _text_fraction(key, str(value))
        case EssayKey():
            return ZERO, ()


def _choice_fraction(key: ChoiceKey, rule: str, ticked: Sequence[JsonValue]) -> Decimal:
    """Return the share earned by the ticked options.

    all_or_nothing: exactly the correct ones. per_option_floor_zero: each correct option is worth
    1/C and each wrong one costs 1/C, where C is the number of correct ones, never below 0, so that
    ticking everything does not earn full marks (Canvas's "multiple answers"). fractions: the sum
    of the options' own shares, within 0..1 (Moodle's qtype_multichoice).
    """
    if rule == Rule.FRACTIONS:
        return sum((o.fraction for o in key.options if o.key in ticked), ZERO)
    right = sum(1 for entry in ticked if entry in key.correct)
    wrong = len(ticked) - right
    if rule == Rule.ALL_OR_NOTHING:
        return ONE if right == len(key.correct) and not wrong else ZERO
    return Decimal(right - wrong) / Decimal(len(key.correct))


def _numeric_fraction(key: NumericKey, text: str) -> tuple[Decimal, tuple[str, ...]]:
    number = read_typed_number(text)
    for answer in key.answers:
        if number is not None and answer.holds(number):
            return answer.fraction, (answer.key,)
    return ZERO, ()


def _text_fraction(key: ShortTextKey, text: str) -> tuple[Decimal, tuple[str, ...]]:
    for answer in key.answers:
        if matches(
            answer.pattern,
            text,
            case_sensitive=key.case_sensitive,
            collapse_spaces=key.collapse_spaces,
        ):
            return answer.fraction, (answer.key,)
    return ZERO, ()
