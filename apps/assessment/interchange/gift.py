"""A reader of GIFT, Moodle's plain-text question format.

Source: docs.moodle.org, "GIFT format". One question per block, blocks parted by blank
lines. Each block is read on its own: what cannot be read with certainty is refused with
its line and a reason, and the other questions of the file are read all the same.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from apps.assessment.interchange.gift_answers import ReadAnswers, read_answers
from apps.assessment.interchange.gift_text import (
    WHITESPACE,
    Change,
    RefusedError,
    feedback_text,
    hide_escapes,
    plain_text,
    prompt_text,
)
from apps.assessment.interchange.items import BLANK, Item, ItemKind
from apps.assessment.interchange.report import (
    CategoryLine,
    FileProblem,
    ImportReport,
    Note,
    QuestionReport,
)
from apps.core.encoding import DecodedText, UndecodableTextError, decode_text

MAX_BYTES = 10 * 1024 * 1024
MAX_QUESTIONS = 10_000
MAX_QUESTION_CHARS = 1_000_000
MAX_PARTS = 50_000

_CATEGORY = "$CATEGORY:"
_BLANK_LINES = re.compile(r"\n[ \t\v]*\n[ \t\v\n]*")
_TRAILING_COMMENT = re.compile(r"[ \t]*//[^\n]*")
# Moodle: inside [id:…] and [tag:…] a closing bracket is escaped. Neither may hold an opening
# bracket here, so that a hostile comment costs linear time; what is missed is reported.
_ID = re.compile(r"\[id:((?:\\\]|[^\[\]\x00-\x1f\x7f]){1,255})\]")
_TAG = re.compile(r"\[tag:((?:\\\]|[^\[\]<>`\x00-\x1f\x7f]){1,255})\]")


@dataclass(frozen=True, slots=True)
class _Source:
    """A question's text without comment lines; `lines` are the numbers of those kept."""

    text: str
    lines: tuple[int, ...]
    comments: str = ""

    def line_at(self, offset: int) -> int:
        return self.lines[min(self.text.count("\n", 0, offset), len(self.lines) - 1)]


def read_gift(data: bytes, *, encoding: str | None = None) -> ImportReport:
    """Return what became of every question in `data`, in order. Never raises.

    The encoding is detected unless one of `encoding.ENCODINGS` is given. Time is linear in
    the size; a file beyond MAX_BYTES, MAX_QUESTIONS or MAX_PARTS (answers) is refused whole.
    """
    if len(data) > MAX_BYTES:
        megabytes = MAX_BYTES // (1024 * 1024)
        problem = FileProblem("file-too-large", f"The file is larger than {megabytes} MB.")
        return ImportReport(encoding=None, problem=problem)
    try:
        decoded = decode_text(data, encoding=encoding)
    except UndecodableTextError as error:
        problem = FileProblem("unknown-encoding", f"The file cannot be read as text: {error}.")
        return ImportReport(encoding=None, problem=problem)
    blocks = []
    for block in _blocks(decoded.text):
        blocks.append(block)
        if len(blocks) > MAX_QUESTIONS:
            return _failed(
                decoded,
                "too-many-questions",
                f"The file has more than {MAX_QUESTIONS:,} questions. Split it.",
            )
    if not blocks:
        return _failed(decoded, "no-questions", "The file is empty.")
    return _read_blocks(blocks, decoded)


def _failed(decoded: DecodedText, code: str, message: str) -> ImportReport:
    return ImportReport(
        encoding=decoded.encoding,
        encoding_guessed=decoded.guessed,
        problem=FileProblem(code, message),
    )


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every run of lines that are not blank."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = len(text) - len(text.lstrip(WHITESPACE))
    line = 1 + text.count("\n", 0, start)
    end = len(text.rstrip(WHITESPACE))
    for separator in _BLANK_LINES.finditer(text, start, end):
        yield line, text[start : separator.start()]
        line += text.count("\n", start, separator.end())
        start = separator.end()
    if start < end:
        yield line, text[start:end]


def _read_blocks(blocks: list[tuple[int, str]], decoded: DecodedText) -> ImportReport:
    questions: list[QuestionReport] = []
    categories: list[CategoryLine] = []
    category: str | None = None
    parts = 0
    for line, text in blocks:
        if len(text) > MAX_QUESTION_CHARS or "\0" in text:
            questions.append(_unreadable(line, text))
            # Whatever category that was, the questions behind it are not in the one before.
            category = None if text.startswith(_CATEGORY) else category
            continue
        named, source = _split_categories(_source(line, text))
        parts += len(named) + source.text.count("~") + source.text.count("=")
        if parts > MAX_PARTS:
            message = f"The file has more than {MAX_PARTS:,} answers and categories. Split it."
            return _failed(decoded, "too-many-answers", message)
        if named:
            category = named[-1].path or None
            categories.extend(name for name in named if name.path)
            questions.extend(_unnamed(name) for name in named if not name.path)
        if source.text:
            questions.append(_read_question(source, category=category, glued=bool(named)))
    return ImportReport(
        encoding=decoded.encoding,
        encoding_guessed=decoded.guessed,
        questions=tuple(questions),
        categories=tuple(categories),
    )


def _unnamed(category: CategoryLine) -> QuestionReport:
    note = Note("empty-category", "$CATEGORY: names no category.", category.line)
    return QuestionReport(category.line, None, refusal=note)


def _unreadable(line: int, text: str) -> QuestionReport:
    if "\0" in text:
        line_of_nul = line + text.count("\n", 0, text.index("\0"))
        note = Note("control-character", "The question contains a NUL character.", line_of_nul)
    else:
        message = f"The question is longer than {MAX_QUESTION_CHARS:,} characters."
        note = Note("question-too-long", message, line)
    return QuestionReport(line, None, refusal=note)


def _source(line: int, text: str) -> _Source:
    kept: list[str] = []
    numbers: list[int] = []
    comments: list[str] = []
    for number, row in enumerate(text.split("\n"), start=line):
        if row.lstrip(WHITESPACE).startswith("//"):
            comments.append(row)
        else:
            kept.append(row)
            numbers.append(number)
    # No kept row is blank, so trimming removes no line.
    body = hide_escapes("\n".join(kept)).strip(WHITESPACE)
    return _Source(body, tuple(numbers) or (line,), "\n".join(comments))


def _split_categories(source: _Source) -> tuple[list[CategoryLine], _Source]:
    """Return the category lines at the top, and what follows them without a blank line."""
    if not source.text.startswith(_CATEGORY):
        return [], source
    rows = [row.lstrip(WHITESPACE) for row in source.text.split("\n")]
    named = [
        CategoryLine(line, plain_text(row[len(_CATEGORY) :]))
        for line, row in zip(
            source.lines, takewhile(lambda row: row.startswith(_CATEGORY), rows), strict=False
        )
    ]
    rest = "\n".join(source.text.split("\n")[len(named) :]).strip(WHITESPACE)
    lines = source.lines[len(named) :] or source.lines
    return named, _Source(rest, lines, source.comments)


def _read_question(source: _Source, *, category: str | None, glued: bool) -> QuestionReport:
    line = source.lines[0]
    try:
        item, changes = _item(source, category=category)
    except RefusedError as refused:
        note = Note(refused.code, refused.message, source.line_at(refused.offset))
        return QuestionReport(line, None, refusal=note)
    if glued:
        message = "A blank line is missing between $CATEGORY: and the question."
        changes = (Change("missing-blank-line", message, 0), *changes)
    notes = tuple(
        Note(change.code, change.message, source.line_at(change.offset)) for change in changes
    )
    return QuestionReport(line, item, changes=notes)


def _item(source: _Source, *, category: str | None) -> tuple[Item, tuple[Change, ...]]:
    text = source.text
    title, start = _title(text)
    braces = _braces(text, start=start)
    opening, closing = braces or (len(text), len(text))
    tail_start, changes = _tail(text, closing=closing)
    head, tail = text[start:opening], text[tail_start:]
    _refuse_glued_questions(head, offset=start)
    _refuse_glued_questions(tail, offset=tail_start)
    has_blank = bool(tail.strip(WHITESPACE))
    prompt, blank_at = prompt_text(
        head + BLANK + tail if has_blank else head, blank=len(head) if has_blank else None
    )
    if not prompt.text:
        raise RefusedError("no-prompt", "The question has no text.", offset=start)
    read = ReadAnswers(ItemKind.DESCRIPTION, None)
    general = ""
    if braces is not None:
        given, general = _split_general_feedback(text[opening + 1 : closing])
        read = read_answers(given, offset=opening + 1, text_format=prompt.format)
    external_id, tags, lost = _id_and_tags(source.comments)
    item = Item(
        kind=read.kind,
        prompt=prompt,
        answers=read.answers,
        title=title,
        blank_at=blank_at,
        general_feedback=feedback_text(general, default=prompt.format),
        category=category,
        external_id=external_id,
        tags=tags,
    )
    return item, (*changes, *read.changes, *lost)


def _title(text: str) -> tuple[str | None, int]:
    """Return the title and where the question begins behind it."""
    if not text.startswith("::"):
        return None, 0
    end = text.find("::", 2)
    if end < 0:
        raise RefusedError("title-not-closed", "The title opens with :: but does not close.")
    return plain_text(text[2:end]) or None, end + 2


def _braces(text: str, *, start: int) -> tuple[int, int] | None:
    """Return where the answers open and close; None for a description."""
    opening, closing = text.find("{", start), text.find("}", start)
    if opening < 0 and closing < 0:
        return None
    if closing < 0:
        raise RefusedError(
            "unbalanced-braces",
            "The answers open with { but no } closes them. A blank line ends a question.",
            offset=opening,
        )
    if opening < 0 or closing < opening:
        raise RefusedError("unbalanced-braces", "A } stands before any {.", offset=closing)
    again = text.find("{", opening + 1)
    if 0 <= again < closing:
        message = "A { stands inside the answers; write \\{ for the character."
        raise RefusedError("nested-braces", message, offset=again)
    if again >= 0:
        message = "A second { follows. Is a blank line missing between two questions?"
        raise RefusedError("second-answers", message, offset=again)
    extra = text.find("}", closing + 1)
    if extra >= 0:
        message = "A second } follows; write \\} for the character."
        raise RefusedError("unbalanced-braces", message, offset=extra)
    return opening, closing


def _tail(text: str, *, closing: int) -> tuple[int, tuple[Change, ...]]:
    """Return where the sentence goes on behind the answers, past a comment on their line."""
    comment = _TRAILING_COMMENT.match(text, closing + 1)
    if comment is None:
        return closing + 1, ()
    message = "The comment behind the answers was left out."
    return comment.end(), (Change("trailing-comment", message, closing),)


def _refuse_glued_questions(part: str, *, offset: int) -> None:
    for mark in ("::", _CATEGORY):
        at = part.find("\n" + mark)
        if at >= 0:
            raise RefusedError(
                "missing-blank-line",
                f"A line begins with {mark} inside the question. Is a blank line missing "
                "before it?",
                offset=offset + at + 1,
            )


def _split_general_feedback(body: str) -> tuple[str, str]:
    given, separator, general = body.rpartition("####")
    return (given, general) if separator else (body, "")


def _id_and_tags(comments: str) -> tuple[str | None, tuple[str, ...], tuple[Change, ...]]:
    if "[" not in comments:
        return None, (), ()
    found, marked = _ID.search(comments), _TAG.findall(comments)
    changes: tuple[Change, ...] = ()
    if ("[id:" in comments and found is None) or comments.count("[tag:") != len(marked):
        message = "An [id:…] or [tag:…] in the comments could not be read and was left out."
        changes = (Change("unreadable-tag", message, 0),)
    tags = dict.fromkeys(tag.replace("\\]", "]").strip() for tag in marked)
    external_id = found.group(1).replace("\\]", "]").strip() if found else ""
    return external_id or None, tuple(tag for tag in tags if tag), changes
