"""Whatever the bytes, the reader answers with a report, soon."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.interchange.gift import MAX_BYTES, read_gift
from apps.assessment.interchange.items import (
    BLANK,
    Choices,
    Item,
    ItemKind,
    NumericAnswers,
    TextAnswers,
)
from apps.assessment.interchange.report import ImportReport
from tests.pace import allowed

SECONDS = 1.0

SNIPPETS = (
    *"~=#{}:\\%*\n\r\t\0 .\"'<>[]/-",
    *("::", "\n\n", "####", "->", "//", "..", "\\\\", "\\n", "$CATEGORY:", "[html]", "[plain]"),
    *("%50%", "%-100%", "%33.33333%", "{T}", "TRUE", "F", "3:2", "1..5", "1e9", "[id:a]", "[tag:"),
    *("_____", "a", "Größe", "\ufeff", "\u2028", "<b", "&&035;", "٣"),
)
gift_like = st.lists(st.sampled_from(SNIPPETS), max_size=40).map("".join)


@given(st.binary(max_size=400))
def test_read_gift_reports_on_any_bytes(data: bytes) -> None:
    assert_well_formed(read_gift(data))


@given(gift_like, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"]))
def test_read_gift_reports_on_anything_like_gift(text: str, encoding: str) -> None:
    assert_well_formed(read_gift(text.encode(encoding)))


@given(gift_like)
def test_read_gift_reads_good_questions_whatever_stands_between(text: str) -> None:
    broken = "\n\n" + text.replace("$CATEGORY:", "") + "\n\n"

    report = read_gift(f"First{{T}}{broken}Last{{=a}}".encode())

    assert report.items[0].prompt.text == "First"
    assert report.items[-1].prompt.text == "Last"


plain = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]),
    min_size=1,
    max_size=20,
).map(lambda text: " ".join(text.split()) or "x")


def escaped(text: str) -> str:
    for char in "\\~=#{}:":
        text = text.replace(char, "\\" + char)
    return text


@given(prompt=plain, options=st.lists(st.tuples(plain, plain), min_size=2, max_size=5))
def test_read_gift_returns_what_was_escaped(prompt: str, options: list[tuple[str, str]]) -> None:
    lines = [f"~%0%[plain]{escaped(text)}#[plain]{escaped(said)}" for text, said in options]
    lines[0] = lines[0].replace("%0%", "%100%", 1)
    body = "\n".join(lines)

    report = read_gift(f"::t::[plain]{escaped(prompt)}{{{body}}}".encode())

    (item,) = report.items
    assert item.prompt.text == prompt
    assert isinstance(item.answers, Choices)
    assert [
        (option.text.text, option.feedback.text if option.feedback else None)
        for option in item.answers.options
    ] == options


@pytest.mark.parametrize(
    "unit",
    [
        "\n",
        " ",
        "{",
        "}",
        "{}",
        "~",
        "=a",
        "\\:",
        "\\\\",
        "a",
        "é",
        "//\n",
        "::",
        "\n::",
        "####",
        "[id:",
        "%9",
        "<a",
        "{=a}\n\n",
        "a\n\n \n",
        "$CATEGORY:\n",
        "// [tag:\n",
        "\0",
        "\r",
        "\t\n",
    ],
)
@pytest.mark.parametrize("head", ["", "Q{", "Q{#", "Q{~%100%a~<b ='", "// [id:"])
def test_read_gift_is_quick_on_ten_megabytes(head: str, unit: str) -> None:
    size = len(unit.encode())
    data = head.encode() + (unit * ((MAX_BYTES - len(head)) // size)).encode()

    start = time.process_time()
    report = read_gift(data)
    spent = time.process_time() - start

    assert_well_formed(report)
    assert spent < allowed(SECONDS)


@pytest.mark.parametrize(
    "block",
    [
        "$CATEGORY: a\n" * 70_000,
        "Q{" + "=3.1:2e0#é\\:" * 900 + "}",
        "Q{" + "~%33.33%a" * 900 + "}",
        "Q{~%100%a ~" + "<a<" * 90_000 + "='b'}",
        "// [id:" + "[id:a" * 99_000 + "\nQ{}",
        "Q{" + "\n//" * 99_000 + "}",
    ],
)
def test_read_gift_is_quick_on_blocks_of_allowed_size(block: str) -> None:
    data = (block + "\n\n").encode()
    data *= min(MAX_BYTES // len(data), 10_000)

    start = time.process_time()
    assert_well_formed(read_gift(data))

    assert time.process_time() - start < allowed(SECONDS)


def test_read_gift_is_quick_on_the_largest_windows_1252_file() -> None:
    data = ("Wie groß ist die Größe?{~%50%naïf ~%50%très}\n// é\n" * 200_000).encode("cp1252")

    start = time.process_time()
    report = read_gift(data[:MAX_BYTES])
    spent = time.process_time() - start

    assert report.encoding == "windows-1252"
    assert spent < allowed(SECONDS)


def assert_well_formed(report: ImportReport) -> None:
    assert report.problem is None or report.questions == ()
    for question in report.questions:
        assert (question.item is None) == (question.refusal is not None)
        notes = (*question.changes, *([question.refusal] if question.refusal else []))
        assert all(note.line >= question.line for note in notes)
        assert all(note.message.encode() for note in notes)
    for item in report.items:
        assert_storable(item)


def assert_storable(item: Item) -> None:
    """No NUL and no lone surrogate, a prompt, and scores that can be earned."""
    assert "\0" not in repr(item)
    assert str(item).encode()
    assert item.prompt.text
    assert item.prompt.text.encode()
    if item.blank_at is not None:
        assert item.prompt.text[item.blank_at :].startswith(BLANK)
    fractions = fractions_of(item)
    assert all(-1 <= fraction <= 1 for fraction in fractions)
    if item.kind == ItemKind.MULTIPLE_RESPONSE:
        earned = sum((fraction for fraction in fractions if fraction > 0), Decimal(0))
        assert abs(earned - 1) <= Decimal("0.00001")
    elif fractions:
        assert max(fractions) == 1


def fractions_of(item: Item) -> list[Decimal]:
    match item.answers:
        case Choices(options=options):
            return [option.fraction for option in options]
        case NumericAnswers(answers=numbers):
            return [number.fraction for number in numbers]
        case TextAnswers(answers=texts):
            return [text.fraction for text in texts]
        case _:
            return []
