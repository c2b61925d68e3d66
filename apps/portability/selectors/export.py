"""Published versions as the content of a package."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from apps.assessment.models import AssessmentTemplate, AssessmentVersion, BankItem, QuestionBank
from apps.core.models import Definition, Version, VersionStatus
from apps.core.versions import rows, version_model
from apps.credentials.models import CertificationTemplate, CertificationTemplateVersion
from apps.portability import content as package
from apps.portability.canonical import in_order
from apps.portability.content import PackageContent, Placement
from apps.portability.faults import NotExportable
from apps.portability.references import reference_faults
from apps.portability.selectors.contents import (
    assessment_content,
    bank_questions,
    certification_content,
    course_content,
    program_content,
    requirements_content,
    told,
)
from apps.portability.selectors.names import Names, origin_of, origins_of
from apps.portability.vocabulary import PackageKind, PartKind
from apps.programs.models import Course, CourseVersion, ProgramVersion
from apps.requirements.models import RequirementNode, RequirementSet, RequirementSetVersion

FROZEN = (VersionStatus.PUBLISHED, VersionStatus.RETIRED)


class NothingPublished(NotExportable):
    code = "nothing-published"
    title = "Only published versions are exported."


def export_course(version: CourseVersion) -> PackageContent:
    """Return a published course version with its assessments, as a package says it.

    Raises NothingPublished for a draft or a retired version.
    """
    _demand_published(version)
    found = _Found(courses=[version])
    return _packaged(PackageKind.COURSE, version.definition.slug, found)


def export_program(version: ProgramVersion) -> PackageContent:
    """Return a published program version with everything that belongs to the program.

    Courses and assessments are those that the version leads to; of requirements and
    certifications the newest published versions. Raises NothingPublished, and NotExportable when
    the requirements name what the version no longer has.
    """
    _demand_published(version)
    pinned = CourseVersion.objects.filter(pinned_by__version=version).select_related("definition")
    certifications = _newest(
        CertificationTemplateVersion,
        CertificationTemplate.objects.filter(program_id=version.definition_id, archived_at=None),
        "definition__program",
        "requirement_set",
    )
    asked = [one.requirement_set_id for one in certifications]
    own = Q(program_id=version.definition_id, archived_at=None) | Q(id__in=asked)
    found = _Found(
        courses=list(pinned),
        programs=[version],
        requirement_sets=_newest(
            RequirementSetVersion, RequirementSet.objects.filter(own), "definition__program"
        ),
        certifications=certifications,
    )
    return _packaged(PackageKind.PROGRAM, version.definition.slug, found)


def newest_published(definition: Definition) -> Any:
    """Return the newest published version; raises NothingPublished."""
    versions = rows(version_model(type(definition)), definition_id=definition.pk)
    found = versions.filter(status=VersionStatus.PUBLISHED).order_by("-number").first()
    if found is None:
        raise NothingPublished(detail=f"Of “{definition}” nothing is published.")
    return found


def _demand_published(version: Version) -> None:
    if version.status != VersionStatus.PUBLISHED:
        raise NothingPublished(detail=f"“{version}” is {version.status}.")


def _newest(model: type[Version], definitions: models.QuerySet[Any], *related: str) -> list[Any]:
    """Return the newest published version of each definition that has one: one query."""
    found = rows(model, definition__in=definitions.values("id"), status=VersionStatus.PUBLISHED)
    newest: dict[UUID, Any] = {}
    for version in found.select_related("definition", *related).order_by("number"):
        newest[version.definition_id] = version
    return list(newest.values())


@dataclass
class _Found:
    """The versions that go into a package."""

    courses: list[CourseVersion] = field(default_factory=list)
    programs: list[ProgramVersion] = field(default_factory=list)
    requirement_sets: list[RequirementSetVersion] = field(default_factory=list)
    certifications: list[CertificationTemplateVersion] = field(default_factory=list)
    assessments: dict[UUID, list[AssessmentVersion]] = field(default_factory=dict)
    questions: dict[UUID, list[BankItem]] = field(default_factory=dict)

    def assessment_versions(self) -> list[AssessmentVersion]:
        return [version for versions in self.assessments.values() for version in versions]


def _packaged(kind: PackageKind, root: str, found: _Found) -> PackageContent:
    found.assessments = _assessments(found)
    found.questions = _questions(found.assessment_versions())
    content = in_order(_read(kind, root, found))
    faults = reference_faults(content)
    if faults:
        raise NotExportable(
            f"{faults[0].place}: {faults[0].message}", errors=[f.as_error() for f in faults]
        )
    return content


def _assessments(found: _Found) -> dict[UUID, list[AssessmentVersion]]:
    """Return definition -> the versions that are placed; else, where it is required, the newest."""
    versions: dict[UUID, list[AssessmentVersion]] = defaultdict(list)
    placed = AssessmentVersion.objects.filter(placements__version__in=found.courses).distinct()
    for version in placed.select_related("definition__course").order_by("definition_id", "number"):
        versions[version.definition_id].append(version)
    required = RequirementNode.objects.filter(version__in=found.requirement_sets)
    others = AssessmentTemplate.objects.filter(
        id__in=required.filter(assessment__isnull=False).values("assessment_id")
    ).exclude(id__in=list(versions))
    for version in _newest(AssessmentVersion, others, "definition__course"):
        versions[version.definition_id].append(version)
    return dict(versions)


def _questions(versions: Collection[AssessmentVersion]) -> dict[UUID, list[BankItem]]:
    """Return bank -> its questions that the versions' items were copied from."""
    questions: dict[UUID, list[BankItem]] = defaultdict(list)
    copied = BankItem.objects.filter(copies__version__in=versions, archived_at=None).distinct()
    for item in copied.select_related("bank"):
        questions[item.bank_id].append(item)
    return dict(questions)


def _read(kind: PackageKind, root: str, found: _Found) -> PackageContent:
    course_rows = [version.definition for version in found.courses]
    names = Names(
        definitions={
            PartKind.COURSE: _slugs(course_rows),
            PartKind.ASSESSMENT: _slugs(v.definition for v in found.assessment_versions()),
            PartKind.BANK: _slugs(items[0].bank for items in found.questions.values()),
            PartKind.PROGRAM: _slugs(version.definition for version in found.programs),
            PartKind.REQUIREMENT_SET: _slugs(v.definition for v in found.requirement_sets),
        }
    )
    assessments, editions = _assessment_parts(found, names)
    names = Names(
        definitions=names.definitions,
        editions=editions,
        course_versions={version.id: version.definition.slug for version in found.courses},
    )
    read = _Reading(names)
    return PackageContent(
        kind=kind,
        root=root,
        courses=read.parts(package.Course, PartKind.COURSE, found.courses, course_content),
        assessments=assessments,
        banks=_bank_parts(found),
        programs=read.parts(package.Program, PartKind.PROGRAM, found.programs, program_content),
        requirement_sets=read.parts(
            package.RequirementSet,
            PartKind.REQUIREMENT_SET,
            found.requirement_sets,
            requirements_content,
            program=_program_of,
        ),
        certifications=read.parts(
            package.Certification,
            PartKind.CERTIFICATION,
            found.certifications,
            certification_content,
            program=_program_of,
        ),
    )


def _program_of(definition: RequirementSet | CertificationTemplate) -> str:
    return definition.program.slug


def _slugs(definitions: Iterable[Any]) -> dict[UUID, str]:
    return {definition.pk: definition.slug for definition in definitions}


@dataclass(frozen=True)
class _Reading:
    names: Names

    def parts(
        self, kind: Any, part: PartKind, versions: Iterable[Any], content: Any, **more: Any
    ) -> tuple[Any, ...]:
        """Return each version with its definition as a part of the package."""
        versions = list(versions)
        origins = origins_of(part, [version.definition_id for version in versions])
        return tuple(
            told(
                kind,
                version.definition,
                origin=origin_of(version.definition, origins),
                content=content(version, self.names),
                **{name: value(version.definition) for name, value in more.items()},
            )
            for version in versions
        )


def _assessment_parts(
    found: _Found, names: Names
) -> tuple[tuple[package.Assessment, ...], dict[UUID, Placement]]:
    """Return the assessments, and which edition each version is; equal versions are one edition."""
    origins = origins_of(PartKind.ASSESSMENT, list(found.assessments))
    editions: dict[UUID, Placement] = {}
    parts = []
    for versions in found.assessments.values():
        template = versions[0].definition
        numbered: list[package.AssessmentContent] = []
        for version in versions:
            content = assessment_content(version, names)
            if content not in numbered:
                numbered.append(content)
            editions[version.id] = Placement(template.slug, numbered.index(content) + 1)
        parts.append(
            told(
                package.Assessment,
                template,
                origin=origin_of(template, origins),
                course=_course_inside(template.course, names),
                editions=tuple(
                    package.Edition(number, content)
                    for number, content in enumerate(numbered, start=1)
                ),
            )
        )
    return tuple(parts), editions


def _course_inside(course: Course | None, names: Names) -> str | None:
    """Return the course that an assessment belongs to, if it is in the package too."""
    if course is None or not names.is_inside(PartKind.COURSE, course):
        return None
    return names.of(PartKind.COURSE, course)


def _bank_parts(found: _Found) -> tuple[package.Bank, ...]:
    origins = origins_of(PartKind.BANK, list(found.questions))
    banks: list[QuestionBank] = [items[0].bank for items in found.questions.values()]
    return tuple(
        told(
            package.Bank,
            bank,
            origin=origin_of(bank, origins),
            questions=bank_questions(found.questions[bank.pk]),
        )
        for bank in banks
    )
