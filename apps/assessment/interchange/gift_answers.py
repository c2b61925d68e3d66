"""The part of a GIFT question between its braces.

Source: the GIFT format's documentation (docs.moodle.org, "GIFT format"); where it is
silent, what Moodle's own importer does, unless that would be a guess: then the question
is refused.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import pairwise

from apps.assessment.interchange.gift_text import (
    WHITESPACE,
    Change,
    RefusedError,
    feedback_text,
    plain_text,
    quoted,
    rich_text,
    split_feedback,
)
from apps.assessment.interchange.items import (
    Answers,
    Choices,
    ItemKind,
    MatchPair,
    NumericAnswer,
    NumericAnswers,
    Option,
    Pairs,
    RichText,
    TextAnswer,
    TextAnswers,
    TextFormat,
    TrueFalse,
)
from apps.assessment.interchange.weights import (
    FULL,
    NOTHING,
    SUM_TOLERANCE,
    MalformedWeightError,
    is_rounded,
    positive_sum,
    split_weight,
)

MAX_ANSWERS = 1_000
MAX_NUMBER_CHARS = 60
MAX_EXPONENT = 100

_TRUE = ("T", "TRUE")
_FALSE = ("F", "FALSE")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_MARK = re.compile(r"[~=]")
_OPEN_TAG = re.compile(r"<[A-Za-z][^<>]*\Z")


@dataclass(frozen=True, slots=True)
class ReadAnswers:
    """What the braces hold, and what was read otherwise than written."""

    kind: ItemKind
    answers: Answers | None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """One answer as written behind its mark (`~`, `=`, or none for the only answer)."""

    mark: str
    text: str
    offset: int


def read_answers(body: str, *, offset: int, text_format: TextFormat) -> ReadAnswers:
    """Return the kind and answers in `body`, which begins at `offset` of the question.

    Raises RefusedError.
    """
    start = body.lstrip(WHITESPACE)
    if not start:
        return ReadAnswers(ItemKind.ESSAY, None)
    if start.startswith("#"):
        skipped = len(body) - len(start) + 1
        return _read_numeric(body[skipped:], offset=offset + skipped, text_format=text_format)
    reader = _reader_for(body)
    if reader is _read_true_false:
        return _read_true_false([_Part("", body, offset)], text_format)
    return reader(_parts(body, offset=offset), text_format)


def _reader_for(body: str) -> Callable[[Sequence[_Part], TextFormat], ReadAnswers]:
    if "~" in body:
        return _read_choices
    if "=" in body and "->" in body:
        return _read_matching
    if body.partition("#")[0].strip(WHITESPACE).upper() in _TRUE + _FALSE:
        return _read_true_false
    return _read_short_text


def _parts(body: str, *, offset: int) -> list[_Part]:
    marks = [match.start() for match in _MARK.finditer(body)]
    if len(marks) > MAX_ANSWERS:
        raise RefusedError(
            "too-many-answers",
            f"The question has {len(marks)} answers; at most {MAX_ANSWERS} can be read.",
            offset=offset,
        )
    if not marks:
        return [_Part("", body, offset)]
    if body[: marks[0]].strip(WHITESPACE):
        raise RefusedError(
            "text-before-answers",
            f"{quoted(body[: marks[0]])} stands before the first = or ~.",
            offset=offset,
        )
    ends = [*marks[1:], len(body)]
    parts = [
        _Part(body[mark], body[mark + 1 : end], offset + mark + 1)
        for mark, end in zip(marks, ends, strict=True)
    ]
    _refuse_marks_in_tags(parts)
    return parts


def _refuse_marks_in_tags(parts: Sequence[_Part]) -> None:
    for before, part in pairwise(parts):
        if part.text.startswith(('"', "'")) and _OPEN_TAG.search(before.text):
            raise RefusedError(
                "unescaped-mark-in-tag",
                "The = of an HTML attribute must be written \\= inside the answers.",
                offset=part.offset,
            )


def _read_choices(parts: Sequence[_Part], text_format: TextFormat) -> ReadAnswers:
    changes: list[Change] = []
    options = [_option(part, text_format=text_format, changes=changes) for part in parts]
    if len(options) < 2:
        raise RefusedError("too-few-options", "A choice needs two options.", offset=parts[0].offset)
    right = [part for part in parts if part.mark == "="]
    if len(right) > 1:
        changes.append(
            Change(
                "several-right-options",
                f"{len(right)} options are marked =: the learner picks one, and each of them "
                "earns the full mark. Weights like ~%50% would ask for all of them.",
                right[1].offset,
            )
        )
    if not right:
        _refuse_wrong_sum(options, offset=parts[0].offset)
    kind = ItemKind.MULTIPLE_CHOICE if right else ItemKind.MULTIPLE_RESPONSE
    return ReadAnswers(kind, Choices(tuple(options)), tuple(changes))


def _option(part: _Part, *, text_format: TextFormat, changes: list[Change]) -> Option:
    weight, fraction, rest = _weight(part, changes=changes)
    if part.mark == "=":
        if weight is not None and fraction != FULL:
            raise RefusedError(
                "weight-on-right-option",
                f"An option marked = is worth 100 %; {weight} contradicts it. "
                "Partial credit is written ~%50%.",
                offset=part.offset,
            )
        if weight is not None:
            changes.append(
                Change("weight-dropped", "The 100 % behind = was left out.", part.offset)
            )
        fraction = FULL
    answer, feedback = split_feedback(rest, default=text_format)
    text = rich_text(answer, default=text_format)
    if not text.text:
        raise RefusedError("empty-option", "An option has no text.", offset=part.offset)
    return Option(text, fraction, feedback)


def _refuse_wrong_sum(options: Sequence[Option], *, offset: int) -> None:
    total = positive_sum(option.fraction for option in options)
    if total == NOTHING:
        raise RefusedError(
            "no-right-answer",
            "No option is right: mark one with =, or give weights like ~%50%.",
            offset=offset,
        )
    if abs(total - FULL) > SUM_TOLERANCE:
        raise RefusedError(
            "weights-do-not-sum",
            f"The positive weights sum to {(total * 100).normalize():f} %, not to 100 %.",
            offset=offset,
        )


def _read_true_false(parts: Sequence[_Part], text_format: TextFormat) -> ReadAnswers:
    (part,) = parts
    key, *comments = part.text.split("#", 2)
    word = key.strip(WHITESPACE)
    if word not in _TRUE + _FALSE:
        raise RefusedError(
            "true-false-case",
            f"{quoted(word)} is neither the key of a true/false question (T, TRUE, F, FALSE in "
            "capitals) nor marked with = as a short answer.",
            offset=part.offset,
        )
    # The first feedback is for the wrong answer, the second for the right one.
    wrong, right = (
        feedback_text(comment, default=text_format) for comment in (*comments, "", "")[:2]
    )
    answers = (
        TrueFalse(True, true_feedback=right, false_feedback=wrong)
        if word in _TRUE
        else TrueFalse(False, true_feedback=wrong, false_feedback=right)
    )
    return ReadAnswers(ItemKind.TRUE_FALSE, answers)


def _read_short_text(parts: Sequence[_Part], text_format: TextFormat) -> ReadAnswers:
    changes: list[Change] = []
    answers = []
    for part in parts:
        weight, fraction, rest = _weight(part, changes=changes)
        answer, feedback = split_feedback(rest, default=text_format)
        pattern = rich_text(answer, default=text_format).text
        if not pattern:
            raise RefusedError("empty-answer", "An answer has no text.", offset=part.offset)
        answers.append(TextAnswer(pattern, FULL if weight is None else fraction, feedback))
    _refuse_without_full_answer([answer.fraction for answer in answers], offset=parts[0].offset)
    return ReadAnswers(ItemKind.SHORT_TEXT, TextAnswers(tuple(answers)), tuple(changes))


def _read_matching(parts: Sequence[_Part], text_format: TextFormat) -> ReadAnswers:
    pairs = [_pair(part, text_format=text_format) for part in parts]
    if len(pairs) < 2:
        raise RefusedError("too-few-pairs", "Matching needs two pairs.", offset=parts[0].offset)
    if not any(pair.prompt.text for pair in pairs):
        raise RefusedError(
            "no-right-answer", "No pair has a text before ->.", offset=parts[0].offset
        )
    return ReadAnswers(ItemKind.MATCHING, Pairs(tuple(pairs)))


def _pair(part: _Part, *, text_format: TextFormat) -> MatchPair:
    if "#" in part.text or part.text.lstrip(WHITESPACE).startswith("%"):
        raise RefusedError(
            "pair-with-extras",
            "Matching pairs take neither feedback nor weights; write \\# for the character.",
            offset=part.offset,
        )
    prompt, arrow, answer = part.text.partition("->")
    if not arrow:
        raise RefusedError(
            "pair-without-arrow",
            f"{quoted(part.text)} has no ->, unlike other answers of this question.",
            offset=part.offset,
        )
    if not plain_text(answer):
        raise RefusedError("empty-answer", "Nothing stands behind ->.", offset=part.offset)
    return MatchPair(rich_text(prompt, default=text_format), plain_text(answer))


def _read_numeric(body: str, *, offset: int, text_format: TextFormat) -> ReadAnswers:
    body, tilde, otherwise = body.partition("~")
    changes: list[Change] = []
    answers = []
    parts = [
        part for part in _parts(body, offset=offset) if part.mark or part.text.strip(WHITESPACE)
    ]
    for part in parts:
        weight, fraction, rest = _weight(part, changes=changes)
        written, feedback = split_feedback(rest, default=text_format)
        answers.append(
            _numeric_answer(
                plain_text(written),
                fraction=FULL if weight is None else fraction,
                feedback=feedback,
                offset=part.offset,
            )
        )
    _refuse_without_full_answer([answer.fraction for answer in answers], offset=offset)
    if tilde:
        place = offset + len(body) + 1
        answers.append(_any_number(otherwise, offset=place, text_format=text_format))
    return ReadAnswers(ItemKind.NUMERIC, NumericAnswers(tuple(answers)), tuple(changes))


def _numeric_answer(
    written: str, *, fraction: Decimal, feedback: RichText | None, offset: int
) -> NumericAnswer:
    if written == "*":
        return NumericAnswer(None, None, fraction, feedback=feedback)
    low, dots, high = written.partition("..")
    if dots:
        interval = _number(low, offset=offset), _number(high, offset=offset)
        if interval[0] > interval[1]:
            raise RefusedError(
                "range-reversed", f"The range {quoted(written)} is empty.", offset=offset
            )
        return NumericAnswer(*interval, fraction, feedback=feedback)
    middle, colon, margin = written.partition(":")
    value = _number(middle, offset=offset)
    if not colon:
        return NumericAnswer(value, value, fraction, value=value, feedback=feedback)
    tolerance = _number(margin, offset=offset)
    if tolerance < 0:
        raise RefusedError(
            "negative-tolerance", f"The tolerance of {quoted(written)} is negative.", offset=offset
        )
    with localcontext(prec=2 * (MAX_NUMBER_CHARS + MAX_EXPONENT)):
        low_end, high_end = value - tolerance, value + tolerance
    return NumericAnswer(
        low_end, high_end, fraction, value=value, tolerance=tolerance, feedback=feedback
    )


def _any_number(raw: str, *, offset: int, text_format: TextFormat) -> NumericAnswer:
    answer, feedback = split_feedback(raw, default=text_format)
    if answer.strip(WHITESPACE) or "~" in raw or feedback is None:
        raise RefusedError(
            "bad-wrong-answer",
            "In a numeric question ~ only introduces feedback for all other numbers: ~#feedback.",
            offset=offset,
        )
    return NumericAnswer(None, None, NOTHING, feedback=feedback)


def _number(written: str, *, offset: int) -> Decimal:
    text = written.strip(WHITESPACE)
    if len(text) <= MAX_NUMBER_CHARS and _NUMBER.fullmatch(text):
        number = Decimal(text)
        if number == 0 or abs(number.adjusted()) <= MAX_EXPONENT:
            return number
    raise RefusedError("bad-number", f"{quoted(text)} is not a number.", offset=offset)


def _weight(part: _Part, *, changes: list[Change]) -> tuple[str | None, Decimal, str]:
    try:
        weight, fraction, rest = split_weight(part.text.lstrip(WHITESPACE))
    except MalformedWeightError as error:
        raise RefusedError(
            "bad-weight",
            f"{quoted(str(error))} is no weight: write a number from -100 to 100 with a decimal "
            "point between the percent signs.",
            offset=part.offset,
        ) from error
    if weight is not None and is_rounded(weight, fraction):
        exact = f"{(fraction * 100).normalize():f}"
        message = f"{weight.strip('%')} % is read as {exact} %, the nearest common fraction."
        if all(change.message != message for change in changes):
            changes.append(Change("weight-rounded", message, part.offset))
    return weight, fraction, rest


def _refuse_without_full_answer(fractions: Sequence[Decimal], *, offset: int) -> None:
    if FULL not in fractions:
        raise RefusedError("no-right-answer", "No answer is worth 100 %.", offset=offset)
