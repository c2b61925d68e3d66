"""Drafts written from the content of a package, through the same services as every author's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.assessment.models import (
    AssessmentItem,
    AssessmentVersion,
    BankItem,
    QuestionBank,
    Rubric,
    RubricCriterion,
    RubricLevel,
)
from apps.assessment.services import place_assessment
from apps.contacts.models import Contact
from apps.core.versions import blank_draft
from apps.portability import content as package
from apps.portability.faults import Fault, refused
from apps.portability.row_checks import row_of, values_of
from apps.portability.schema import pointer
from apps.portability.selectors.contents import bank_questions
from apps.portability.services.definitions import Definitions
from apps.portability.services.matching import Ref
from apps.portability.vocabulary import PartKind
from apps.programs.models import (
    CourseModule,
    CourseVersion,
    ModuleItem,
    Program,
    ProgramCourse,
    ProgramVersion,
)
from apps.requirements.graph import edge_key
from apps.requirements.models import RequirementEdge, RequirementNode, RequirementSetVersion


class Writer:
    """Writes the drafts of one import; `versions` are those that later parts may point at."""

    def __init__(
        self,
        *,
        definitions: Definitions,
        versions: Mapping[Ref, Any],
        actor: Contact | None,
        at: datetime,
        catalog_version_id: UUID | None = None,
    ) -> None:
        self._definitions, self._versions = definitions, versions
        self._catalog_version_id = catalog_version_id
        self._actor, self._at = actor, at
        self._write: dict[PartKind, Callable[[Any, Any, str], None]] = {
            PartKind.COURSE: self._course,
            PartKind.ASSESSMENT: self._assessment,
            PartKind.PROGRAM: self._program,
            PartKind.REQUIREMENT_SET: self._requirements,
            PartKind.CERTIFICATION: self._nothing_more,
        }

    def draft(self, kind: PartKind, slug: str, content: Any, *, file: str) -> Any:
        """Return a new draft that says this. Raises DraftExists, and PackageRefused."""
        says = values_of(content)
        if kind == PartKind.CERTIFICATION:
            asked = content.requirement_set
            says["requirement_set"] = self._definitions.row(PartKind.REQUIREMENT_SET, asked)
        if kind == PartKind.COURSE:
            says["catalog_version_id"] = self._catalog_version_id
        draft = blank_draft(
            definition=self._definitions.row(kind, slug), actor=self._actor, at=self._at, **says
        )
        self._write[kind](draft, content, file)
        return draft

    def _nothing_more(self, draft: Any, content: Any, file: str) -> None:
        """A certification has no parts."""

    def _course(self, draft: CourseVersion, content: package.CourseContent, file: str) -> None:
        modules = [row_of(module, version=draft) for module in content.modules]
        CourseModule.objects.bulk_create(modules)
        items: list[tuple[ModuleItem, package.Item]] = [
            (row_of(item, version=draft, module=row), item)
            for row, module in zip(modules, content.modules, strict=True)
            for item in module.items
        ]
        ModuleItem.objects.bulk_create(row for row, _item in items)
        for row, item in items:
            if item.assessment is not None:
                placed = item.assessment
                version = self._versions[PartKind.ASSESSMENT, placed.slug, placed.edition]
                place_assessment(module_item=row, assessment_version=version)

    def _assessment(
        self, draft: AssessmentVersion, content: package.AssessmentContent, file: str
    ) -> None:
        rubrics = self._rubrics(draft, content)
        sources = self._sources(content)
        AssessmentItem.objects.bulk_create(
            row_of(
                item,
                version=draft,
                rubric=rubrics[item.rubric] if item.rubric else None,
                bank_item=sources[item.bank_item] if item.bank_item else None,
            )
            for item in content.items
        )

    def _rubrics(
        self, draft: AssessmentVersion, content: package.AssessmentContent
    ) -> dict[str, Rubric]:
        rubrics = {rubric.key: row_of(rubric, version=draft) for rubric in content.rubrics}
        Rubric.objects.bulk_create(rubrics.values())
        criteria = [
            (row_of(criterion, version=draft, rubric=rubrics[rubric.key]), criterion)
            for rubric in content.rubrics
            for criterion in rubric.criteria
        ]
        RubricCriterion.objects.bulk_create(row for row, _criterion in criteria)
        RubricLevel.objects.bulk_create(
            row_of(level, version=draft, criterion=row)
            for row, criterion in criteria
            for level in criterion.levels
        )
        return rubrics

    def _sources(
        self, content: package.AssessmentContent
    ) -> dict[package.QuestionSource, BankItem]:
        """Return the questions of banks here that the items were copied from."""
        wanted = {item.bank_item for item in content.items if item.bank_item is not None}
        banks = self._definitions.ids(PartKind.BANK)
        keys = {source.key for source in wanted}
        found = BankItem.objects.filter(bank_id__in=list(banks), key__in=keys)
        return {package.QuestionSource(banks[item.bank_id], item.key): item for item in found}

    def _program(self, draft: ProgramVersion, content: package.ProgramContent, file: str) -> None:
        pins = []
        for pin in content.courses:
            version = self._versions[PartKind.COURSE, pin.course, 1]
            slug = self._definitions.row(PartKind.COURSE, pin.course).slug
            pins.append(row_of(pin, version=draft, key=slug, course_version=version))
        ProgramCourse.objects.bulk_create(pins)

    def _requirements(
        self, draft: RequirementSetVersion, content: package.RequirementsContent, file: str
    ) -> None:
        programs = self._programs(content, file)
        nodes = {
            node.key: row_of(
                node,
                version=draft,
                course=self._definitions.row(PartKind.COURSE, node.course),
                assessment=self._definitions.row(PartKind.ASSESSMENT, node.assessment),
                credential_program_id=programs.get(node.credential_program or ""),
            )
            for node in content.nodes
        }
        RequirementNode.objects.bulk_create(nodes.values())
        edges = [
            row_of(edge, version=draft, source=nodes[edge.source], target=nodes[edge.target])
            for edge in content.edges
        ]
        for edge in edges:
            edge.key = edge_key(edge.spec())
        RequirementEdge.objects.bulk_create(edges)

    def _programs(self, content: package.RequirementsContent, file: str) -> dict[str, UUID]:
        """Return the programs whose credentials are asked for. Raises PackageRefused."""
        asked = {node.credential_program for node in content.nodes if node.credential_program}
        inside = {slug: pk for pk, slug in self._definitions.ids(PartKind.PROGRAM).items()}
        others = Program.objects.filter(slug__in=asked - set(inside))
        known = {**dict(others.values_list("slug", "id")), **inside}
        message = _("There is no program “%(slug)s” here, whose credential is required.")
        missing = [
            Fault(
                file,
                pointer("content", "nodes", number, "credential_program"),
                "dangling",
                message % {"slug": node.credential_program},
            )
            for number, node in enumerate(content.nodes)
            if node.credential_program and node.credential_program not in known
        ]
        if missing:
            raise refused(missing)
        return known


def fill_bank(
    bank: QuestionBank, questions: tuple[package.BankQuestion, ...]
) -> tuple[int, list[str]]:
    """Return how many questions were new, and the keys of those that are different here.

    What an organisation's bank has stays as it is: it may have been corrected here.
    """
    here = {item.key: item for item in bank.items.all()}
    new = [question for question in questions if question.key not in here]
    BankItem.objects.bulk_create(row_of(question, bank=bank) for question in new)
    known = dict(zip(here, bank_questions(here.values()), strict=True))
    differing = [q.key for q in questions if q.key in known and known[q.key] != q]
    return len(new), differing
