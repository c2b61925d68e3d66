"""The character level of GIFT: escapes, text formats, feedback, and refusals with a place."""

from dataclasses import dataclass

from apps.assessment.interchange.items import RichText, TextFormat

# What PHP's trim() removes: unlike str.strip() it keeps the no-break spaces authors put in.
WHITESPACE = " \t\n\r\v\0"

_FORMATS = tuple((f"[{text_format.value}]", text_format) for text_format in TextFormat)

# An escaped character becomes a lone surrogate while the text is taken apart. Decoded text
# cannot contain one, so no input can forge an escape.
_STAND_INS = tuple(
    (escape, chr(0xDC00 + ord(char)), char)
    for escape, char in (
        ("\\\\", "\\"),
        ("\\:", ":"),
        ("\\#", "#"),
        ("\\=", "="),
        ("\\{", "{"),
        ("\\}", "}"),
        ("\\~", "~"),
        ("\\n", "\n"),
    )
)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was read otherwise than written, at an offset of the question."""

    code: str
    message: str
    offset: int


class RefusedError(Exception):
    """A question cannot be read. `offset` is where, in the question's text."""

    def __init__(self, code: str, message: str, *, offset: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset


def hide_escapes(text: str) -> str:
    """Return `text` with each escaped character replaced by one stand-in character."""
    if "\\" not in text:
        return text
    # The escaped backslash goes first: in `\\=` the equals sign is not escaped.
    for escape, stand_in, _ in _STAND_INS:
        text = text.replace(escape, stand_in)
    return text


def show_escapes(text: str) -> str:
    """Return `text` with the stand-ins replaced by what they stand for; same length."""
    if text.isascii():
        return text
    for _, stand_in, char in _STAND_INS:
        text = text.replace(stand_in, char)
    return text


def plain_text(raw: str) -> str:
    """Return the trimmed text of a part that has no format of its own."""
    return show_escapes(raw).strip(WHITESPACE)


def rich_text(raw: str, *, default: TextFormat) -> RichText:
    """Return the trimmed text and its format: `[html]` and the like in front, or `default`."""
    text_format, body = _split_format(raw.strip(WHITESPACE), default=default)
    return RichText(text=plain_text(body), format=text_format)


def prompt_text(raw: str, *, blank: int | None) -> tuple[RichText, int | None]:
    """Return the question's text and the offset in it of the blank at `raw[blank]`."""
    text_format, body = _split_format(raw.lstrip(WHITESPACE), default=TextFormat.MOODLE)
    text = show_escapes(body).lstrip(WHITESPACE)
    prompt = RichText(text=text.rstrip(WHITESPACE), format=text_format)
    return prompt, None if blank is None else blank - (len(raw) - len(text))


def split_feedback(raw: str, *, default: TextFormat) -> tuple[str, RichText | None]:
    """Return what stands before the first `#`, and the feedback behind it."""
    answer, mark, comment = raw.partition("#")
    if not mark:
        return answer, None
    return answer, feedback_text(comment, default=default)


def feedback_text(raw: str, *, default: TextFormat) -> RichText | None:
    """Return a feedback, or None for an empty one."""
    feedback = rich_text(raw, default=default)
    return feedback if feedback.text else None


def quoted(raw: str) -> str:
    """Return the beginning of a part for use in a message."""
    words = " ".join(show_escapes(raw[:200]).split())
    return f"“{words[:40]}…”" if len(words) > 40 else f"“{words}”"


def _split_format(text: str, *, default: TextFormat) -> tuple[TextFormat, str]:
    if text.startswith("["):
        for prefix, text_format in _FORMATS:
            if text.startswith(prefix):
                return text_format, text[len(prefix) :]
    return default, text
