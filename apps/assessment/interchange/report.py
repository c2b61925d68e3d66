"""What became of a question file: one entry for each question, in the file's order."""

from dataclasses import dataclass
from enum import StrEnum

from apps.assessment.interchange.items import Item


class Outcome(StrEnum):
    IMPORTED = "imported"
    IMPORTED_WITH_CHANGES = "imported-with-changes"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Note:
    """A stable code, a sentence for the author, and the line it speaks of (from 1)."""

    code: str
    message: str
    line: int


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """One question: its first line, and either an item or the reason why there is none."""

    line: int
    item: Item | None
    changes: tuple[Note, ...] = ()
    refusal: Note | None = None

    @property
    def outcome(self) -> Outcome:
        if self.item is None:
            return Outcome.REFUSED
        return Outcome.IMPORTED_WITH_CHANGES if self.changes else Outcome.IMPORTED


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """A category that the file names; it holds for the questions that follow."""

    line: int
    path: str


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Why nothing of a file could be read."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of a file. With a `problem` there are no questions.

    `encoding` is None only if the file could not be decoded; `encoding_guessed` says that
    the bytes themselves do not prove it, so accents deserve a look.
    """

    encoding: str | None
    encoding_guessed: bool = False
    questions: tuple[QuestionReport, ...] = ()
    categories: tuple[CategoryLine, ...] = ()
    problem: FileProblem | None = None

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(question.item for question in self.questions if question.item is not None)
