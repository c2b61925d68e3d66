"""In which order the parts of a package can be taken in, and what each needs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.portability.content import (
    Assessment,
    Certification,
    Course,
    PackageContent,
    Part,
    Program,
    RequirementSet,
)
from apps.portability.vocabulary import PartKind


def definitions_first(content: PackageContent) -> Iterator[Part]:
    """Yield the parts so that each one's definition can name those before it."""
    yield from content.banks
    yield from content.courses
    yield from content.assessments
    yield from content.programs
    yield from content.requirement_sets
    yield from content.certifications


def versions_of(part: Part) -> list[tuple[int, Any]]:
    """Return the versions that the part tells, by edition."""
    if isinstance(part, Assessment):
        return [(edition.edition, edition.content) for edition in part.editions]
    assert isinstance(part, Course | Program | RequirementSet | Certification)  # noqa: S101
    return [(1, part.content)]


def dependencies(part: Part) -> set[str]:
    """Return the files of the parts without which this one can't be taken in."""
    needed: set[tuple[PartKind, str | None]] = set()
    if isinstance(part, Course):
        for module in part.content.modules:
            for item in module.items:
                if item.assessment:
                    needed.add((PartKind.ASSESSMENT, item.assessment.slug))
    elif isinstance(part, Assessment):
        needed.add((PartKind.COURSE, part.course))
        for edition in part.editions:
            for question in edition.content.items:
                if question.bank_item:
                    needed.add((PartKind.BANK, question.bank_item.bank))
    elif isinstance(part, Program):
        needed |= {(PartKind.COURSE, pin.course) for pin in part.content.courses}
    elif isinstance(part, RequirementSet):
        needed.add((PartKind.PROGRAM, part.program))
        for node in part.content.nodes:
            needed |= {(PartKind.COURSE, node.course), (PartKind.ASSESSMENT, node.assessment)}
    elif isinstance(part, Certification):
        needed |= {
            (PartKind.PROGRAM, part.program),
            (PartKind.REQUIREMENT_SET, part.content.requirement_set),
        }
    return {f"{kind.folder}/{slug}.json" for kind, slug in needed if slug is not None}
