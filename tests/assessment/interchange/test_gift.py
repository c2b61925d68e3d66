from decimal import Decimal

import pytest

from apps.assessment.interchange.gift import MAX_BYTES, MAX_PARTS, MAX_QUESTIONS, read_gift
from apps.assessment.interchange.items import (
    Choices,
    Item,
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
from apps.assessment.interchange.report import (
    CategoryLine,
    FileProblem,
    ImportReport,
    Note,
    Outcome,
    QuestionReport,
)

ONE, HALF, ZERO = Decimal(1), Decimal("0.5"), Decimal(0)


def read_one(gift: str) -> QuestionReport:
    report = read_gift(gift.encode())
    assert report.problem is None
    (question,) = report.questions
    return question


def item_of(gift: str) -> Item:
    question = read_one(gift)
    assert question.item is not None, question.refusal
    return question.item


def option(text: str, fraction: Decimal | str, feedback: str | None = None) -> Option:
    said = None if feedback is None else RichText(feedback)
    return Option(RichText(text), Decimal(fraction), said)


def test_read_gift_reads_every_part_of_a_question() -> None:
    gift = """
$CATEGORY: Safety/Ladders

// [id:LAD\\]1] [tag:ladder]
// [tag:angle] [tag:ladder]
::Angle\\: the rule::[html]A ladder stands
at {
    =[plain]75 degrees#[moodle]Right\\: one in four
    ~%50%70 degrees
    ~%-25%45 degrees#Too flat \\{really\\}
    ####The 4\\:1 rule
} to the ground.
"""
    html = TextFormat.HTML

    assert read_gift(gift.encode()) == ImportReport(
        encoding="utf-8",
        categories=(CategoryLine(2, "Safety/Ladders"),),
        questions=(
            QuestionReport(
                line=6,
                item=Item(
                    kind=ItemKind.MULTIPLE_CHOICE,
                    title="Angle: the rule",
                    prompt=RichText("A ladder stands\nat _____ to the ground.", html),
                    blank_at=19,
                    answers=Choices(
                        (
                            Option(
                                RichText("75 degrees", TextFormat.PLAIN),
                                ONE,
                                RichText("Right: one in four", TextFormat.MOODLE),
                            ),
                            Option(RichText("70 degrees", html), HALF),
                            Option(
                                RichText("45 degrees", html),
                                Decimal("-0.25"),
                                RichText("Too flat {really}", html),
                            ),
                        )
                    ),
                    general_feedback=RichText("The 4:1 rule", html),
                    category="Safety/Ladders",
                    external_id="LAD]1",
                    tags=("ladder", "angle"),
                ),
            ),
        ),
    )


def test_read_gift_files_questions_under_the_category_before_them() -> None:
    report = read_gift(b"A{}\n\n$CATEGORY: one\n\nB{}\n\n\n$CATEGORY: two/three\n\nC{}\n\nD{}")

    assert [(item.prompt.text, item.category) for item in report.items] == [
        ("A", None),
        ("B", "one"),
        ("C", "two/three"),
        ("D", "two/three"),
    ]


@pytest.mark.parametrize(
    ("gift", "kind", "answers"),
    [
        ("Read this.", ItemKind.DESCRIPTION, None),
        ("Why?{}", ItemKind.ESSAY, None),
        ("Why? { \n }", ItemKind.ESSAY, None),
        ("Why?{####Because}", ItemKind.ESSAY, None),
        ("Q{T}", ItemKind.TRUE_FALSE, TrueFalse(True)),
        ("Q{ FALSE }", ItemKind.TRUE_FALSE, TrueFalse(False)),
        (
            "Q{TRUE#wrong a=b#right}",
            ItemKind.TRUE_FALSE,
            TrueFalse(True, true_feedback=RichText("right"), false_feedback=RichText("wrong a=b")),
        ),
        (
            "Q{F#wrong#right#too####general}",
            ItemKind.TRUE_FALSE,
            TrueFalse(False, true_feedback=RichText("wrong"), false_feedback=RichText("right#too")),
        ),
        (
            "Q{=yellow~red}",
            ItemKind.MULTIPLE_CHOICE,
            Choices((option("yellow", ONE), option("red", ZERO))),
        ),
        (
            "Q{~%50%a ~%50%b ~%-100%c ~d}",
            ItemKind.MULTIPLE_RESPONSE,
            Choices((option("a", HALF), option("b", HALF), option("c", "-1"), option("d", ZERO))),
        ),
        (
            "Q{~%35%a ~%65%b}",
            ItemKind.MULTIPLE_RESPONSE,
            Choices((option("a", "0.35"), option("b", "0.65"))),
        ),
        (
            "Q{~%100%a ~%d and %s#format}",
            ItemKind.MULTIPLE_RESPONSE,
            Choices((option("a", ONE), option("%d and %s", ZERO, "format"))),
        ),
        ("Q{4}", ItemKind.SHORT_TEXT, TextAnswers((TextAnswer("4", ONE),))),
        (
            "Q{=a* b\\=c#fine =%50%\\*x =%0%*#no}",
            ItemKind.SHORT_TEXT,
            TextAnswers(
                (
                    TextAnswer("a* b=c", ONE, RichText("fine")),
                    TextAnswer("\\*x", HALF),
                    TextAnswer("*", ZERO, RichText("no")),
                )
            ),
        ),
        ("Q{=true}", ItemKind.SHORT_TEXT, TextAnswers((TextAnswer("true", ONE),))),
        (
            "Q{#=%50%3:2#near =1..5 =.5e2 ~#other}",
            ItemKind.NUMERIC,
            NumericAnswers(
                (
                    NumericAnswer(
                        ONE,
                        Decimal(5),
                        HALF,
                        value=Decimal(3),
                        tolerance=Decimal(2),
                        feedback=RichText("near"),
                    ),
                    NumericAnswer(ONE, Decimal(5), ONE),
                    NumericAnswer(Decimal(50), Decimal(50), ONE, value=Decimal(50)),
                    NumericAnswer(None, None, ZERO, feedback=RichText("other")),
                )
            ),
        ),
        (
            "Q{#1e-30:1e30}",
            ItemKind.NUMERIC,
            NumericAnswers(
                (
                    NumericAnswer(
                        Decimal("-999999999999999999999999999999.999999999999999999999999999999"),
                        Decimal("1000000000000000000000000000000.000000000000000000000000000001"),
                        ONE,
                        value=Decimal("1e-30"),
                        tolerance=Decimal("1e30"),
                    ),
                )
            ),
        ),
        (
            "Q{=Canada->Ottawa =Italy -> Rome = -> Oslo}",
            ItemKind.MATCHING,
            Pairs(
                (
                    MatchPair(RichText("Canada"), "Ottawa"),
                    MatchPair(RichText("Italy"), "Rome"),
                    MatchPair(RichText(""), "Oslo"),
                )
            ),
        ),
    ],
)
def test_read_gift_reads_the_kind(gift: str, kind: ItemKind, answers: object) -> None:
    question = read_one(gift)

    assert question.outcome == Outcome.IMPORTED
    assert question.item is not None
    assert (question.item.kind, question.item.answers) == (kind, answers)


@pytest.mark.parametrize(
    ("gift", "prompt", "blank_at"),
    [
        ("Two and {=two} is four.", "Two and _____ is four.", 8),
        ("::T::{=Asia} is big.", "_____ is big.", 0),
        ("[html]{=Asia} is big.", "_____ is big.", 0),
        ("\\n [x]_____ and{=b}!", "[x]_____ and_____!", 12),
        ("Answer last {=b}", "Answer last", None),
        ("[HTML]{=b}", "[HTML]", None),
        ("\\[x\\] \\\\= \\\\n \\: \\q{}", "\\[x\\] \\= \\n : \\q", None),
        ("::A:: B : C &&035; [plain]{}", "B : C &&035; [plain]", None),
    ],
)
def test_read_gift_reads_the_prompt(gift: str, prompt: str, blank_at: int | None) -> None:
    item = item_of(gift)

    assert (item.prompt.text, item.blank_at) == (prompt, blank_at)


def test_read_gift_keeps_no_trace_of_comment_lines() -> None:
    question = read_one("// one\nWhat\n  // two\nnow? {\n=a\n//~b\n=c}")

    assert question.line == 2
    assert question.item == Item(
        kind=ItemKind.SHORT_TEXT,
        prompt=RichText("What\nnow?"),
        answers=TextAnswers((TextAnswer("a", ONE), TextAnswer("c", ONE))),
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_read_gift_counts_lines_of_every_kind(newline: str) -> None:
    text = newline.join(["", "// note", "One{T}", " \t", "", "Two{", "=a", "~%x9%,5%b", "}"])

    report = read_gift(text.encode())

    assert [question.line for question in report.questions] == [3, 6]


@pytest.mark.parametrize(
    ("gift", "changes"),
    [
        (
            "Q{~%33.33%a ~%33.33%b ~%33.34%c}",
            (
                ("weight-rounded", "33.33 % is read as 33.33333 %, the nearest common fraction."),
                ("weight-rounded", "33.34 % is read as 33.33333 %, the nearest common fraction."),
            ),
        ),
        ("Q{=%100%a ~b}", (("weight-dropped", "The 100 % behind = was left out."),)),
        (
            "Q{=a =b ~c}",
            (
                (
                    "several-right-options",
                    "2 options are marked =: the learner picks one, and each of them earns the "
                    "full mark. Weights like ~%50% would ask for all of them.",
                ),
            ),
        ),
        (
            "// [id:a[b] [tag:<i>]\nQ{=a}",
            (
                (
                    "unreadable-tag",
                    "An [id:…] or [tag:…] in the comments could not be read and was left out.",
                ),
            ),
        ),
        ("Q{=a} // old", (("trailing-comment", "The comment behind the answers was left out."),)),
        (
            "$CATEGORY: c\nQ{=a}",
            (
                (
                    "missing-blank-line",
                    "A blank line is missing between $CATEGORY: and the question.",
                ),
            ),
        ),
    ],
)
def test_read_gift_names_what_it_changed(gift: str, changes: tuple[tuple[str, str], ...]) -> None:
    question = read_one(gift)

    assert question.outcome == Outcome.IMPORTED_WITH_CHANGES
    assert tuple((note.code, note.message) for note in question.changes) == changes


def test_read_gift_reads_thirds_as_moodle_does() -> None:
    answers = item_of("Q{~%33.33%a ~%33.33333%b ~%33.3333333333%c ~%-16.67%d}").answers

    assert isinstance(answers, Choices)
    assert [str(option.fraction) for option in answers.options] == [
        "0.3333333",
        "0.3333333",
        "0.3333333",
        "-0.1666667",
    ]


@pytest.mark.parametrize(
    ("gift", "code", "line"),
    [
        ("Q{=a", "unbalanced-braces", 1),
        ("Q\n\n=a}", "unbalanced-braces", 3),
        ("Q}=a{", "unbalanced-braces", 1),
        ("Q{=a}}", "unbalanced-braces", 1),
        ("Q{\n=a {x} =b}", "nested-braces", 2),
        ("One{T}\nTwo{F}", "second-answers", 2),
        ("One{T}\n::T2::Two", "missing-blank-line", 2),
        ("One\n$CATEGORY: x", "missing-blank-line", 2),
        ("::Title without an end", "title-not-closed", 1),
        ("::Title::{T}", "no-prompt", 1),
        ("::Title::", "no-prompt", 1),
        ("$CATEGORY:  ", "empty-category", 1),
        ("Q{\n~a\n~b}", "no-right-answer", 2),
        ("Q{~%50%a ~%40%b}", "weights-do-not-sum", 1),
        ("Q{~%33%a ~%33%b ~%33%c}", "weights-do-not-sum", 1),
        ("Q{~%100%a ~%100%b}", "weights-do-not-sum", 1),
        ("Q{~%100%a}", "too-few-options", 1),
        ("Q{=a\n~ }", "empty-option", 2),
        ("Q{=a\n~#only feedback }", "empty-option", 2),
        ("Q{=a\n~b\n~%50,5%c}", "bad-weight", 3),
        ("Q{=a ~%150%b}", "bad-weight", 1),
        ("Q{=%-101%b}", "bad-weight", 1),
        ("Q{=%50%a ~b}", "weight-on-right-option", 1),
        ("Q{first\n~a =b}", "text-before-answers", 1),
        ('Q{~<img src="a.png"> =b}', "unescaped-mark-in-tag", 1),
        ("Q{true}", "true-false-case", 1),
        ("Q{False#no}", "true-false-case", 1),
        ("Q{=%50%a =%0%b}", "no-right-answer", 1),
        ("Q{=}", "empty-answer", 1),
        ("Q{=a =#b}", "empty-answer", 1),
        ("Q{#}", "no-right-answer", 1),
        ("Q{#=%50%3}", "no-right-answer", 1),
        ("Q{#three}", "bad-number", 1),
        ("Q{#\n=3,14}", "bad-number", 2),
        ("Q{#1:x}", "bad-number", 1),
        ("Q{#1..}", "bad-number", 1),
        ("Q{#NaN}", "bad-number", 1),
        ("Q{#Infinity}", "bad-number", 1),
        ("Q{#1e999}", "bad-number", 1),
        ("Q{#" + "9" * 100 + "}", "bad-number", 1),
        ("Q{#٣}", "bad-number", 1),
        ("Q{#5..1}", "range-reversed", 1),
        ("Q{#3:-1}", "negative-tolerance", 1),
        ("Q{#3 =4}", "text-before-answers", 1),
        ("Q{#3 ~4#no}", "bad-wrong-answer", 1),
        ("Q{#3 ~}", "bad-wrong-answer", 1),
        ("Q{=a->b}", "too-few-pairs", 1),
        ("Q{=a->b\n=c}", "pair-without-arrow", 2),
        ("Q{=a->b =c->}", "empty-answer", 1),
        ("Q{=a->b#no =c->d}", "pair-with-extras", 1),
        ("Q{=%50%a->b =c->d}", "pair-with-extras", 1),
        ("Q{=->b =->d}", "no-right-answer", 1),
        ("Q\nis\x00it{T}", "control-character", 2),
        ("Q{" + "~a" * 1001 + "}", "too-many-answers", 1),
        ("Q" * 1_000_001, "question-too-long", 1),
    ],
)
def test_read_gift_refuses_with_reason_and_line(gift: str, code: str, line: int) -> None:
    refusals = [
        (question.refusal.code, question.refusal.line)
        for question in read_gift(gift.encode()).questions
        if question.refusal is not None
    ]

    assert refusals == [(code, line)]


def test_read_gift_imports_the_good_questions_around_a_broken_one() -> None:
    report = read_gift(b"One{T}\n\nTwo{=\n\nThree{#}\n\nFour{F}\n")

    assert [(question.line, question.outcome.value) for question in report.questions] == [
        (1, "imported"),
        (3, "refused"),
        (5, "refused"),
        (7, "imported"),
    ]
    assert report.questions[1].refusal == Note(
        "unbalanced-braces",
        "The answers open with { but no } closes them. A blank line ends a question.",
        3,
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ("utf-8", False, "no-questions")),
        (b"\xef\xbb\xbf \n\t\n", ("utf-8", False, "no-questions")),
        (b"Q{T}\n" + b"\x81\x8d\x8f\x90\x9d" * 9, (None, False, "unknown-encoding")),
        (b"\xff\xfeQ", (None, False, "unknown-encoding")),
        (b"q" * (MAX_BYTES + 1), (None, False, "file-too-large")),
        (b"q\n\n" * (MAX_QUESTIONS + 1), ("utf-8", False, "too-many-questions")),
        (b"q{~a =b}\n\n" * 9 + b"$CATEGORY:a\n" * MAX_PARTS, ("utf-8", False, "too-many-answers")),
    ],
)
def test_read_gift_refuses_a_whole_file(
    data: bytes, expected: tuple[str | None, bool, str]
) -> None:
    report = read_gift(data)

    assert isinstance(report.problem, FileProblem)
    assert (report.encoding, report.encoding_guessed, report.problem.code) == expected
    assert report.questions == ()


def test_read_gift_says_that_windows_1252_was_guessed() -> None:
    report = read_gift("Was heißt „Größe“ – naïf?{=taille =Größe}".encode("cp1252"))

    assert (report.encoding, report.encoding_guessed) == ("windows-1252", True)
    assert [item.prompt.text for item in report.items] == ["Was heißt „Größe“ – naïf?"]


def test_read_gift_reads_the_encoding_it_is_told() -> None:
    report = read_gift("Łódź?{=Święty}".encode("cp1250"), encoding="windows-1250")

    assert (report.encoding, report.encoding_guessed) == ("windows-1250", False)
    assert [item.prompt.text for item in report.items] == ["Łódź?"]


def test_read_gift_gives_no_category_to_questions_behind_a_broken_one() -> None:
    report = read_gift(b"$CATEGORY: a\n\nA{}\n\n$CATEGORY: \n\nB{}\n\n$CATEGORY: b\0\n\nC{}")

    assert [(item.prompt.text, item.category) for item in report.items] == [
        ("A", "a"),
        ("B", None),
        ("C", None),
    ]


def test_read_gift_reads_as_many_questions_as_allowed() -> None:
    report = read_gift(b"q{T}\n\n" * MAX_QUESTIONS)

    assert len(report.items) == MAX_QUESTIONS
