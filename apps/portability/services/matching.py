"""Which versions here say what a package says already, so that nothing is made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from apps.assessment.models import AssessmentPlacement
from apps.assessment.questions.keys import KeyRefused
from apps.core.models import VersionStatus
from apps.core.versions import rows, version_model
from apps.portability.canonical import content_in_order
from apps.portability.content import (
    AssessmentContent,
    Certification,
    Course,
    PackageContent,
    Placement,
    Program,
    RequirementSet,
    kind_of,
)
from apps.portability.selectors.contents import (
    assessment_content,
    certification_content,
    course_content,
    program_content,
    requirements_content,
)
from apps.portability.selectors.names import Names
from apps.portability.services.definitions import Definitions
from apps.portability.vocabulary import PartKind

Read = Callable[[Any, Names], Any]
Versioned = Course | Program | RequirementSet | Certification
Ref = tuple[PartKind, str, int]
"""One version of the package: kind, short name, and for assessments the edition (else 1)."""

READERS: dict[PartKind, Read] = {
    PartKind.COURSE: course_content,
    PartKind.ASSESSMENT: assessment_content,
    PartKind.PROGRAM: program_content,
    PartKind.REQUIREMENT_SET: requirements_content,
    PartKind.CERTIFICATION: certification_content,
}
RELATED = {PartKind.CERTIFICATION: ("requirement_set",)}
_NO_PART_OF_THE_PACKAGE = "?"
_FROM_ABOVE = (
    PartKind.PROGRAM,
    PartKind.COURSE,
    PartKind.ASSESSMENT,
    PartKind.REQUIREMENT_SET,
    PartKind.CERTIFICATION,
)


def says(kind: PartKind, version: Any, content: Any, names: Names) -> bool:
    """Return whether a version here says this, with references that mean the same."""
    try:
        here = content_in_order(READERS[kind](version, names))
    except KeyRefused:
        return False
    return bool(_without_sources(here) == _without_sources(content))


def _without_sources(content: Any) -> Any:
    """Return an assessment without where its items were copied from: that is not what it asks."""
    if not isinstance(content, AssessmentContent):
        return content
    return replace(content, items=tuple(replace(i, bank_item=None) for i in content.items))


@dataclass
class Matches:
    """The versions here that say what the package says, and of these the one that is taken.

    A version that a taken one pins is taken too, retired or not; by itself only a published one
    is: nothing new may point at the others.
    """

    definitions: Definitions
    found: dict[Ref, list[Any]] = field(default_factory=dict)
    taken: dict[Ref, Any] = field(default_factory=dict)

    def look_up(self, content: PackageContent) -> None:
        """Find and choose for the whole package: from below upwards, then from above downwards."""
        for assessment in content.assessments:
            for edition in assessment.editions:
                self._find(PartKind.ASSESSMENT, assessment.slug, edition.content, edition.edition)
        others: tuple[Versioned, ...] = (
            *content.courses,
            *content.programs,
            *content.requirement_sets,
            *content.certifications,
        )
        for part in others:
            self._find(kind_of(part), part.slug, part.content)
        for kind in _FROM_ABOVE:
            self._take_published(kind)

    def names(self, made: dict[Ref, Any]) -> Names:
        """Return what versions here are called in the package, those just made included."""
        editions: dict[UUID, Placement] = {}
        course_versions: dict[UUID, str] = {}
        for refs in (self.found, {ref: [version] for ref, version in made.items()}):
            for (kind, slug, edition), versions in refs.items():
                for version in versions:
                    if kind == PartKind.ASSESSMENT:
                        editions[version.pk] = Placement(slug, edition)
                    elif kind == PartKind.COURSE:
                        course_versions[version.pk] = slug
        return Names(
            definitions={kind: self.definitions.ids(kind) for kind in PartKind},
            editions=editions,
            course_versions=course_versions,
            foreign=_NO_PART_OF_THE_PACKAGE,
        )

    def _find(self, kind: PartKind, slug: str, content: Any, edition: int = 1) -> None:
        definition = self.definitions.known.get((kind, slug))
        if definition is None or definition.is_new:
            return
        names = self.names({})
        versions = frozen_versions(kind, definition.row)
        self.found[kind, slug, edition] = [v for v in versions if says(kind, v, content, names)]

    def _take_published(self, kind: PartKind) -> None:
        for ref, versions in self.found.items():
            if ref[0] != kind or ref in self.taken:
                continue
            published = [v for v in versions if v.status == VersionStatus.PUBLISHED]
            if published:
                self._take(ref, published[0])

    def _take(self, ref: Ref, version: Any) -> None:
        self.taken[ref] = version
        if ref[0] == PartKind.PROGRAM:
            pins = version.courses.select_related("course_version__definition")
            self._take_pinned(PartKind.COURSE, (pin.course_version for pin in pins))
        elif ref[0] == PartKind.COURSE:
            placed = AssessmentPlacement.objects.filter(version=version)
            rows_placed = placed.select_related("assessment_version__definition")
            self._take_pinned(PartKind.ASSESSMENT, (row.assessment_version for row in rows_placed))

    def _take_pinned(self, kind: PartKind, versions: Iterable[Any]) -> None:
        for version in versions:
            for ref, found in self.found.items():
                if ref[0] == kind and ref not in self.taken and version in found:
                    self._take(ref, version)


def frozen_versions(kind: PartKind, definition: Any) -> list[Any]:
    """Return the definition's published and retired versions, the newest first."""
    found = rows(version_model(type(definition)), definition_id=definition.pk)
    frozen = found.filter(number__isnull=False).select_related("definition", *RELATED.get(kind, ()))
    return list(frozen.order_by("-number"))
