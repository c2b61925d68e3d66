"""The answer key of an item as JSON: read with every fault named, written in one way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.assessment.questions.items import (
    RULES_OF_KIND,
    AnswerKey,
    ChoiceKey,
    EssayKey,
    JsonValue,
    NumericAnswer,
    NumericKey,
    Option,
    ShortTextKey,
    TextAnswer,
    TrueFalseKey,
)
from apps.assessment.questions.numbers import (
    EXACT,
    MAX_EXACT_LENGTH,
    MAX_NUMBER_LENGTH,
    ONE,
    ZERO,
    plain,
    read_number,
)
from apps.assessment.vocabulary import GradedBy, Kind, Rule

MAX_OPTIONS: Final = 100
MAX_TEXT: Final = 10_000
MAX_PATTERN: Final = 1_000
MAX_ESSAY_CHARACTERS: Final = 100_000
MAX_FRACTION_PLACES: Final = 7
# Shares such as a third are written with few digits in every exchange format.
FULL_MARKS_TOLERANCE: Final = Decimal("0.01")
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}\Z")


@dataclass(frozen=True, slots=True)
class KeyFault:
    """One thing wrong with an answer key: where, a stable code, a sentence."""

    path: str
    code: str
    message: str


class KeyRefused(ValueError):
    """An answer key that cannot be scored by; `faults` names everything wrong with it."""

    def __init__(self, faults: list[KeyFault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


class _Reader:
    """Collects every fault of one JSON object instead of stopping at the first."""

    def __init__(self, data: JsonValue, *, path: str, faults: list[KeyFault]) -> None:
        self.path = path
        self.faults = faults
        self.data: dict[str, JsonValue] = data if isinstance(data, dict) else {}
        self._known: set[str] = set()
        if not isinstance(data, dict):
            self.refuse("", "not-an-object", "An object is expected here.")

    def refuse(self, name: str, code: str, message: str) -> None:
        path = f"{self.path}.{name}".strip(".") if name else self.path
        self.faults.append(KeyFault(path or "key_data", code, message))

    def take(self, name: str) -> JsonValue:
        self._known.add(name)
        return self.data.get(name)

    def text(self, name: str, *, required: bool = False, limit: int = MAX_TEXT) -> str:
        value = self.take(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str):
            self.refuse(name, "not-text", "Text is expected here.")
            return ""
        if required and not value.strip():
            self.refuse(name, "blank", "This may not be empty.")
        if len(value) > limit:
            self.refuse(name, "too-long", f"At most {limit} characters are possible here.")
        if "\x00" in value:
            self.refuse(name, "nul", "A NUL character cannot be stored.")
        return value

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        value = self.take(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            self.refuse(name, "not-a-boolean", "true or false is expected here.")
            return False
        return value

    def count(self, name: str, *, limit: int) -> int | None:
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
            self.refuse(name, "not-a-count", f"A whole number from 1 to {limit} is expected here.")
            return None
        return value

    def number(
        self, name: str, *, default: Decimal | None = None, longest: int = MAX_NUMBER_LENGTH
    ) -> Decimal:
        value = self.take(name)
        if value is None and default is not None:
            return default
        number = None
        if isinstance(value, str):
            number = read_number(value, longest=longest)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = read_number(repr(value))
        if number is None:
            self.refuse(name, "not-a-number", "A number is expected here.")
            return ZERO
        return number

    def number_or_open(self, name: str) -> Decimal | None:
        if name in self.data and self.data[name] is None:
            self.take(name)
            return None
        return self.number(name, longest=MAX_EXACT_LENGTH)

    def fraction(self, *, lowest: Decimal) -> Decimal:
        value = self.number("fraction")
        if not lowest <= value <= ONE:
            self.refuse(
                "fraction", "fraction-range", f"The share must be from {plain(lowest)} to 1."
            )
        exponent = value.normalize(EXACT).as_tuple().exponent
        if isinstance(exponent, int) and -exponent > MAX_FRACTION_PLACES:
            self.refuse(
                "fraction",
                "fraction-places",
                f"At most {MAX_FRACTION_PLACES} decimal places are kept.",
            )
        return value

    def rows(self, name: str, *, fewest: int) -> Iterator[_Reader]:
        value = self.take(name)
        if not isinstance(value, list):
            self.refuse(name, "not-a-list", "A list is expected here.")
            return
        if not fewest <= len(value) <= MAX_OPTIONS:
            self.refuse(
                name, "list-length", f"From {fewest} to {MAX_OPTIONS} entries are possible here."
            )
        path = f"{self.path}.{name}".strip(".")
        seen: set[str] = set()
        for index, entry in enumerate(value[:MAX_OPTIONS]):
            row = _Reader(entry, path=f"{path}[{index}]", faults=self.faults)
            row.key_among(seen)
            yield row

    def key_among(self, seen: set[str]) -> None:
        key = self.take("key")
        if not isinstance(key, str) or not _KEY.match(key):
            self.refuse(
                "key", "bad-key", "A key is 1 to 50 small letters, digits, hyphens, underscores."
            )
        elif key in seen:
            self.refuse("key", "key-repeated", f"The key “{key}” is used twice.")
        else:
            seen.add(key)

    @property
    def key(self) -> str:
        value = self.data.get("key")
        return value if isinstance(value, str) else ""

    def finish(self) -> None:
        for name in sorted(set(self.data) - self._known):
            self.refuse(name, "unknown-member", "This member is not known here.")


def read_key(kind: str, rule: str, data: JsonValue) -> AnswerKey:
    """Return the answer key that `data` spells for an item of `kind` scored by `rule`.

    Raises KeyRefused with every fault: wrong types, unknown members, repeated keys, no way to earn
    full marks, a rule that the kind does not have.
    """
    reader = _READERS.get(kind)
    if reader is None:
        raise KeyRefused([KeyFault("kind", "unknown-kind", f"“{kind}” is no kind of item.")])
    faults: list[KeyFault] = []
    if rule not in RULES_OF_KIND[kind]:
        known = ", ".join(RULES_OF_KIND[kind])
        message = f"{kind} is scored by {known}, not by “{rule}”."
        faults.append(KeyFault("scoring_rule", "unknown-rule", message))
    top = _Reader(data, path="", faults=faults)
    key = reader(top, rule)
    top.finish()
    if faults:
        raise KeyRefused(faults)
    return key


def default_rule(kind: str) -> str:
    """Return the rule by which items of `kind` are scored unless their author says otherwise."""
    return next(iter(RULES_OF_KIND.get(kind, ())), "")


def default_grader(kind: str) -> str:
    """Return who scores items of `kind` unless their author says otherwise."""
    return GradedBy.PERSON if kind == Kind.ESSAY else GradedBy.ENGINE


def _read_single_choice(top: _Reader, rule: str) -> ChoiceKey:
    key = _read_options(top, rule, lowest=ZERO)
    _need_full_marks(top, "options", [option.fraction for option in key.options])
    return key


def _read_multiple_response(top: _Reader, rule: str) -> ChoiceKey:
    key = _read_options(top, rule, lowest=-ONE)
    earned = sum((option.fraction for option in key.options if option.fraction > 0), ZERO)
    if not earned:
        top.refuse("options", "no-correct-option", "No option is correct.")
    elif rule == Rule.FRACTIONS and abs(earned - ONE) > FULL_MARKS_TOLERANCE:
        top.refuse(
            "options",
            "shares-not-whole",
            f"The shares of the correct options add up to {plain(earned)}, not to 1.",
        )
    return key


def _read_options(top: _Reader, rule: str, *, lowest: Decimal) -> ChoiceKey:
    options = []
    for row in top.rows("options", fewest=2):
        options.append(
            Option(
                key=row.key,
                text=row.text("text", required=True),
                fraction=row.fraction(lowest=lowest),
                feedback=row.text("feedback"),
            )
        )
        row.finish()
    return ChoiceKey(options=tuple(options), shuffle=top.flag("shuffle", default=True))


def _read_true_false(top: _Reader, rule: str) -> TrueFalseKey:
    return TrueFalseKey(
        correct=top.flag("correct"),
        feedback_true=top.text("feedback_true"),
        feedback_false=top.text("feedback_false"),
    )


def _read_numeric(top: _Reader, rule: str) -> NumericKey:
    answers = []
    for row in top.rows("answers", fewest=1):
        minimum, maximum = _interval(row)
        answers.append(
            NumericAnswer(
                key=row.key,
                minimum=minimum,
                maximum=maximum,
                fraction=row.fraction(lowest=ZERO),
                feedback=row.text("feedback"),
            )
        )
        row.finish()
    _need_full_marks(top, "answers", [answer.fraction for answer in answers])
    return NumericKey(tuple(answers))


def _interval(row: _Reader) -> tuple[Decimal | None, Decimal | None]:
    """Read `value` with a `tolerance`, or `minimum` and `maximum`, of which null is open."""
    if "value" in row.data:
        value, tolerance = row.number("value"), row.number("tolerance", default=ZERO)
        if tolerance < 0:
            row.refuse("tolerance", "negative-tolerance", "A tolerance is not negative.")
        return EXACT.subtract(value, tolerance), EXACT.add(value, tolerance)
    minimum, maximum = row.number_or_open("minimum"), row.number_or_open("maximum")
    if minimum is not None and maximum is not None and minimum > maximum:
        row.refuse("maximum", "empty-range", "The maximum is below the minimum.")
    return minimum, maximum


def _read_short_text(top: _Reader, rule: str) -> ShortTextKey:
    answers = []
    for row in top.rows("answers", fewest=1):
        answers.append(
            TextAnswer(
                key=row.key,
                pattern=row.text("pattern", required=True, limit=MAX_PATTERN),
                fraction=row.fraction(lowest=ZERO),
                feedback=row.text("feedback"),
            )
        )
        row.finish()
    _need_full_marks(top, "answers", [answer.fraction for answer in answers])
    return ShortTextKey(
        answers=tuple(answers),
        case_sensitive=top.flag("case_sensitive", default=False),
        collapse_spaces=top.flag("collapse_spaces", default=False),
    )


def _read_essay(top: _Reader, rule: str) -> EssayKey:
    return EssayKey(
        maximum_characters=top.count("maximum_characters", limit=MAX_ESSAY_CHARACTERS),
        minimum_words=top.count("minimum_words", limit=MAX_ESSAY_CHARACTERS),
        guidance=top.text("guidance"),
    )


def _need_full_marks(top: _Reader, name: str, fractions: list[Decimal]) -> None:
    if fractions and max(fractions) != ONE:
        top.refuse(name, "no-full-marks", "No answer earns full marks.")


_READERS: Final[Mapping[str, Callable[[_Reader, str], AnswerKey]]] = {
    Kind.MULTIPLE_CHOICE: _read_single_choice,
    Kind.MULTIPLE_RESPONSE: _read_multiple_response,
    Kind.TRUE_FALSE: _read_true_false,
    Kind.NUMERIC: _read_numeric,
    Kind.SHORT_TEXT: _read_short_text,
    Kind.ESSAY: _read_essay,
}


def key_as_json(key: AnswerKey) -> dict[str, JsonValue]:
    """Return the JSON that `read_key` reads back as the same key; numbers are exact text."""
    match key:
        case ChoiceKey():
            return {"options": [_option(o) for o in key.options], "shuffle": key.shuffle}
        case TrueFalseKey():
            return {
                "correct": key.correct,
                "feedback_true": key.feedback_true,
                "feedback_false": key.feedback_false,
            }
        case NumericKey():
            return {"answers": [_numeric_answer(answer) for answer in key.answers]}
        case ShortTextKey():
            return {
                "answers": [_text_answer(answer) for answer in key.answers],
                "case_sensitive": key.case_sensitive,
                "collapse_spaces": key.collapse_spaces,
            }
        case EssayKey():
            return {
                "maximum_characters": key.maximum_characters,
                "minimum_words": key.minimum_words,
                "guidance": key.guidance,
            }


def _option(option: Option) -> JsonValue:
    return {
        "key": option.key,
        "text": option.text,
        "fraction": plain(option.fraction),
        "feedback": option.feedback,
    }


def _numeric_answer(answer: NumericAnswer) -> JsonValue:
    return {
        "key": answer.key,
        "minimum": None if answer.minimum is None else plain(answer.minimum),
        "maximum": None if answer.maximum is None else plain(answer.maximum),
        "fraction": plain(answer.fraction),
        "feedback": answer.feedback,
    }


def _text_answer(answer: TextAnswer) -> JsonValue:
    return {
        "key": answer.key,
        "pattern": answer.pattern,
        "fraction": plain(answer.fraction),
        "feedback": answer.feedback,
    }
