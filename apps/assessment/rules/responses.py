"""What a learner may answer to an item: the value in its one stored form, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.assessment.questions.items import (
    ChoiceKey,
    EssayKey,
    ItemSpec,
    JsonValue,
    NumericKey,
    ShortTextKey,
    TrueFalseKey,
)
from apps.assessment.questions.keys import MAX_ESSAY_CHARACTERS
from apps.assessment.questions.numbers import MAX_NUMBER_LENGTH, read_typed_number
from apps.assessment.vocabulary import Kind

MAX_SHORT_TEXT: Final = 1_000
MAX_KEPT_INVALID: Final = 2_000


@dataclass(frozen=True, slots=True)
class ResponseFault:
    """Why a value is no answer to its item: a stable code and a sentence."""

    code: str
    message: str


class ResponseRefused(ValueError):
    """A value of a shape that no page of ours sends for this kind of item."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.fault = ResponseFault(code, message)


@dataclass(frozen=True, slots=True)
class CheckedResponse:
    """A value as it is kept. With a fault it is kept and shown, but not graded.

    `value` None is an answer taken back.
    """

    value: JsonValue
    fault: ResponseFault | None = None


def check_response(item: ItemSpec, value: JsonValue) -> CheckedResponse:
    """Return `value` in the form that is stored and scored.

    A learner's slip (letters where a number is asked, an essay that is too long) comes back with a
    fault, so that the last valid answer stays the one that is graded. Raises ResponseRefused for
    what only a broken client sends: another type, an unknown option, NULs, sizes beyond reason.
    """
    if value is None:
        return CheckedResponse(None)
    match item.answer_key:
        case ChoiceKey() as key:
            if item.kind == Kind.MULTIPLE_CHOICE:
                return CheckedResponse(_one_option(key, value))
            return CheckedResponse(_options(key, value))
        case TrueFalseKey():
            return CheckedResponse(_boolean(value))
        case NumericKey():
            return _number(value)
        case ShortTextKey():
            return _short_text(value)
        case EssayKey() as essay:
            return _essay(essay, value)


def is_blank(value: JsonValue) -> bool:
    """Return whether a stored value is no answer at all."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _one_option(key: ChoiceKey, value: JsonValue) -> str:
    if not isinstance(value, str):
        raise ResponseRefused("not-an-option", "The key of one option is expected.")
    if value not in {option.key for option in key.options}:
        raise ResponseRefused("unknown-option", "The item has no such option.")
    return value


def _options(key: ChoiceKey, value: JsonValue) -> JsonValue:
    if not isinstance(value, list):
        raise ResponseRefused("not-options", "A list of the keys of options is expected.")
    ticked = [entry for entry in value if isinstance(entry, str)]
    known = {option.key for option in key.options}
    if len(ticked) != len(value) or not known.issuperset(ticked):
        raise ResponseRefused("unknown-option", "The item has no such option.")
    if len(set(ticked)) != len(ticked):
        raise ResponseRefused("option-repeated", "An option is named twice.")
    in_order: JsonValue = [option.key for option in key.options if option.key in ticked]
    return in_order


def _boolean(value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise ResponseRefused("not-a-boolean", "true or false is expected.")
    return value


def _number(value: JsonValue) -> CheckedResponse:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ResponseRefused("not-a-number", "A number, or the text of one, is expected.")
    text = value if isinstance(value, str) else repr(value)
    _refuse_beyond(text, MAX_KEPT_INVALID)
    text = text.strip()
    if text and read_typed_number(text) is None:
        message = f"“{text[:MAX_NUMBER_LENGTH]}” cannot be read as a number."
        return CheckedResponse(text, ResponseFault("unreadable-number", message))
    return CheckedResponse(text or None)


def _short_text(value: JsonValue) -> CheckedResponse:
    text = _text(value)
    _refuse_beyond(text, MAX_SHORT_TEXT)
    if len(text.splitlines()) > 1:
        return CheckedResponse(
            text, ResponseFault("several-lines", "The answer must be a single line.")
        )
    return CheckedResponse(text if text.strip() else None)


def _essay(key: EssayKey, value: JsonValue) -> CheckedResponse:
    text = _text(value)
    _refuse_beyond(text, MAX_ESSAY_CHARACTERS)
    if key.maximum_characters is not None and len(text) > key.maximum_characters:
        message = f"At most {key.maximum_characters} characters are possible; it has {len(text)}."
        return CheckedResponse(text, ResponseFault("too-long", message))
    return CheckedResponse(text if text.strip() else None)


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise ResponseRefused("not-text", "Text is expected.")
    return value


def _refuse_beyond(text: str, limit: int) -> None:
    if "\x00" in text:
        raise ResponseRefused("nul", "A NUL character cannot be stored.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ResponseRefused("not-unicode", "Half of a surrogate pair cannot be stored.")
    if len(text) > limit:
        raise ResponseRefused("too-long", f"At most {limit} characters can be kept.")
