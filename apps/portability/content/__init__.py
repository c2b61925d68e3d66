"""What a package says, as plain values: the same whether read from rows or from a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.portability.content.assessments import (
    Assessment,
    AssessmentContent,
    Bank,
    BankQuestion,
    Criterion,
    Edition,
    Level,
    Question,
    QuestionSource,
    Rubric,
)
from apps.portability.content.courses import Course, CourseContent, Item, Module, Placement
from apps.portability.content.programs import (
    Certification,
    CertificationContent,
    Edge,
    Node,
    Pin,
    Program,
    ProgramContent,
    RequirementsContent,
    RequirementSet,
)
from apps.portability.vocabulary import PackageKind, PartKind

Part = Course | Assessment | Bank | Program | RequirementSet | Certification

__all__ = [
    "Assessment",
    "AssessmentContent",
    "Bank",
    "BankQuestion",
    "Certification",
    "CertificationContent",
    "Course",
    "CourseContent",
    "Criterion",
    "Edge",
    "Edition",
    "Item",
    "Level",
    "Module",
    "Node",
    "PackageContent",
    "Part",
    "Pin",
    "Placement",
    "Program",
    "ProgramContent",
    "Question",
    "QuestionSource",
    "RequirementSet",
    "RequirementsContent",
    "Rubric",
    "kind_of",
    "path_of",
]

KINDS: dict[type, PartKind] = {
    Course: PartKind.COURSE,
    Assessment: PartKind.ASSESSMENT,
    Bank: PartKind.BANK,
    Program: PartKind.PROGRAM,
    RequirementSet: PartKind.REQUIREMENT_SET,
    Certification: PartKind.CERTIFICATION,
}


def kind_of(part: Part) -> PartKind:
    return KINDS[type(part)]


def path_of(part: Part) -> str:
    """Return the path of the part's file in a package."""
    return f"{kind_of(part).folder}/{part.slug}.json"


@dataclass(frozen=True)
class PackageContent:
    """Everything in one package; each tuple in the order of its slugs."""

    kind: PackageKind
    root: str
    courses: tuple[Course, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    banks: tuple[Bank, ...] = ()
    programs: tuple[Program, ...] = ()
    requirement_sets: tuple[RequirementSet, ...] = ()
    certifications: tuple[Certification, ...] = field(default=())

    def parts(self) -> Iterator[Part]:
        """Yield the parts in the order of imports: each after those that it refers to."""
        yield from self.banks
        # An assessment may belong to a course, and a course places assessments: the course's
        # identity comes with the assessment, its content afterwards.
        yield from self.assessments
        yield from self.courses
        yield from self.programs
        yield from self.requirement_sets
        yield from self.certifications

    @property
    def root_part(self) -> Course | Program:
        """Return what the package is about; raises StopIteration where that is missing."""
        among: tuple[Course | Program, ...] = (
            self.courses if self.kind == PackageKind.COURSE else self.programs
        )
        return next(part for part in among if part.slug == self.root)
