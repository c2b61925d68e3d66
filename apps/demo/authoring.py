"""From a plan to published versions, through the drafts that any author would write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.db import transaction

from apps.assessment.models import (
    AssessmentItem,
    AssessmentTemplate,
    AssessmentVersion,
    BankItem,
    QuestionBank,
    Rubric,
    RubricCriterion,
    RubricLevel,
)
from apps.assessment.services import copy_from_bank, import_gift, place_assessment
from apps.assessment.services.imports import BankImport
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.models import Version
from apps.core.versions import publish
from apps.credentials.models import CertificationTemplate, CertificationTemplateVersion
from apps.credentials.vocabulary import AwardMode
from apps.demo.plans import (
    AssessmentPlan,
    CertificatePlan,
    CoursePlan,
    External,
    Item,
    Lesson,
    Need,
    ProgramPlan,
    RubricPlan,
)
from apps.programs.models import (
    Course,
    CourseModule,
    CourseVersion,
    ItemType,
    ModuleItem,
    Program,
    ProgramCourse,
    ProgramVersion,
)
from apps.requirements.graph import EdgeKind
from apps.requirements.models import (
    Purpose,
    RequirementEdge,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)

V = TypeVar("V", bound=Version)


@dataclass(frozen=True)
class Curriculum:
    """Everything published for one program: what a cohort of it needs."""

    program: ProgramVersion
    courses: tuple[CourseVersion, ...]
    assessments: Mapping[str, AssessmentVersion]
    progression: RequirementSetVersion
    certification: RequirementSetVersion
    certificate: CertificationTemplateVersion


@dataclass(frozen=True)
class Author:
    """Who writes, and when; every publication carries both."""

    contact: Contact | None
    at: datetime

    def publish(self, version: V) -> V:
        """Return the draft as a numbered version; raises NotPublishable with every reason."""
        published = publish(version=version, actor=self.contact, at=self.at)
        record_admin_action(
            actor=self.contact, action=f"{version._meta.model_name}.published", entity=published
        )
        return published


def fill_bank(
    *, slug: str, title: str, data: bytes, filename: str, actor: Contact | None
) -> tuple[QuestionBank, BankImport]:
    """Return the bank, new or not, and what became of each question of the file."""
    bank, _ = QuestionBank.objects.get_or_create(
        slug=slug, defaults={"title": title, "created_by": actor}
    )
    return bank, import_gift(bank=bank, data=data, actor=actor, filename=filename)


@transaction.atomic
def write_program(*, plan: ProgramPlan, bank: QuestionBank, author: Author) -> Curriculum:
    """Return the program of a plan, published with everything that belongs to it.

    Raises NotPublishable with what the plan lacks, and IntegrityError for a slug that is taken.
    """
    assessments = {a.slug: _assessment(a, bank, author) for a in plan.assessments}
    courses = tuple(_course(course, assessments, author) for course in plan.courses)
    program = _program(plan, courses, author)
    names = _Names(
        courses={version.definition.slug: version.definition for version in courses},
        assessments={slug: version.definition for slug, version in assessments.items()},
    )
    definition = program.definition
    progression = _requirements(
        definition, Purpose.PROGRESSION, plan.progression, names=names, author=author
    )
    certification = _requirements(
        definition, Purpose.CERTIFICATION, plan.certification, names=names, author=author
    )
    certificate = _certificate(plan.certificate, definition, certification, author)
    return Curriculum(program, courses, assessments, progression, certification, certificate)


def _assessment(plan: AssessmentPlan, bank: QuestionBank, author: Author) -> AssessmentVersion:
    template = AssessmentTemplate.objects.create(
        slug=plan.slug,
        title=plan.title,
        type=plan.type,
        scoring_model=plan.scoring_model,
        created_by=author.contact,
    )
    draft = AssessmentVersion(
        definition=template,
        instructions_markdown=plan.instructions,
        pass_percent=plan.pass_percent,
        attempts_allowed=plan.attempts_allowed,
        time_limit_seconds=plan.time_limit_seconds,
        grace_seconds=plan.grace_seconds,
        result_policy=plan.result_policy,
        shuffle_items=plan.shuffle_items,
    )
    draft.full_clean(exclude=["definition"])
    draft.save()
    items = copy_from_bank(version=draft, items=_questions(plan, bank))
    _weigh(plan, draft, items)
    return author.publish(draft)


def _questions(plan: AssessmentPlan, bank: QuestionBank) -> list[BankItem]:
    """Return the plan's questions in the order of the file that they came from."""
    questions = BankItem.objects.filter(bank=bank, archived_at=None)
    if plan.keys:
        by_key = {item.key: item for item in questions.filter(key__in=plan.keys)}
        return [by_key[key] for key in plan.keys]
    chosen = questions.filter(category=plan.category)
    return sorted(chosen, key=lambda item: int(item.source.get("line", 0)))


def _weigh(plan: AssessmentPlan, draft: AssessmentVersion, items: list[AssessmentItem]) -> None:
    for item in items:
        rubric = plan.rubrics.get(item.key)
        if rubric is not None:
            item.rubric = _rubric(rubric, draft)
            item.points = rubric.points
        item.points = plan.points.get(item.key, item.points)
    AssessmentItem.objects.bulk_update(items, ["rubric", "points"])


def _rubric(plan: RubricPlan, draft: AssessmentVersion) -> Rubric:
    rubric = Rubric.objects.create(version=draft, key=plan.key, title=plan.title)
    for position, planned in enumerate(plan.criteria, start=1):
        criterion = RubricCriterion.objects.create(
            version=draft, rubric=rubric, key=planned.key, title=planned.title, position=position
        )
        RubricLevel.objects.bulk_create(
            RubricLevel(
                version=draft,
                criterion=criterion,
                key=f"{planned.key}-{place}",
                title=level.title,
                description=level.description,
                points=level.points,
                position=place,
            )
            for place, level in enumerate(planned.levels, start=1)
        )
    return rubric


def _course(
    plan: CoursePlan, assessments: Mapping[str, AssessmentVersion], author: Author
) -> CourseVersion:
    course = Course.objects.create(
        slug=plan.slug, title=plan.title, description=plan.description, created_by=author.contact
    )
    draft = CourseVersion.objects.create(definition=course, summary=plan.description)
    for position, planned in enumerate(plan.modules, start=1):
        module = CourseModule.objects.create(
            version=draft, key=planned.key, title=planned.title, position=position
        )
        items = [
            _module_item(item, module, place=place, texts=plan.texts)
            for place, item in enumerate(planned.items, start=1)
        ]
        ModuleItem.objects.bulk_create(items)
        for item in items:
            if item.type == ItemType.ASSESSMENT:
                place_assessment(module_item=item, assessment_version=assessments[item.key])
    return author.publish(draft)


def _module_item(plan: Item, module: CourseModule, *, place: int, texts: Path | None) -> ModuleItem:
    item = ModuleItem(
        version_id=module.version_id,
        module=module,
        key=plan.key,
        title=plan.title,
        type=ItemType.ASSESSMENT,
        position=place,
        estimated_minutes=plan.minutes,
    )
    if isinstance(plan, Lesson):
        item.type = ItemType.LESSON
        if texts is not None:
            item.body_markdown = (texts / f"{plan.key}.md").read_text(encoding="utf-8")
    elif isinstance(plan, External):
        item.type, item.url, item.is_required = ItemType.EXTERNAL, plan.url, plan.is_required
    return item


def _program(plan: ProgramPlan, courses: Sequence[CourseVersion], author: Author) -> ProgramVersion:
    program = Program.objects.create(
        slug=plan.slug, title=plan.title, description=plan.description, created_by=author.contact
    )
    draft = ProgramVersion.objects.create(definition=program, description=plan.description)
    ProgramCourse.objects.bulk_create(
        ProgramCourse(
            version=draft,
            key=planned.slug,
            course_version=version,
            position=position,
            is_required=planned.is_required,
        )
        for position, (planned, version) in enumerate(
            zip(plan.courses, courses, strict=True), start=1
        )
    )
    return author.publish(draft)


@dataclass(frozen=True)
class _Names:
    """What the slugs of a plan's requirements stand for."""

    courses: Mapping[str, Course]
    assessments: Mapping[str, AssessmentTemplate]


def _requirements(
    program: Program, purpose: Purpose, needs: Iterable[Need], *, names: _Names, author: Author
) -> RequirementSetVersion:
    definition = RequirementSet.objects.create(
        slug=f"{program.slug}-{purpose.value}"[:100],
        title=f"{program.title}: {purpose.value}"[:200],
        program=program,
        purpose=purpose,
        created_by=author.contact,
    )
    draft = RequirementSetVersion.objects.create(definition=definition)
    needs = tuple(needs)
    nodes = {
        need.key: _node(need, draft, names=names, position=position)
        for position, need in enumerate(needs, start=1)
    }
    RequirementNode.objects.bulk_create(nodes.values())
    for need in needs:
        for kind, sources in ((EdgeKind.MEMBER, need.members), (EdgeKind.PREREQUISITE, need.after)):
            for source in sources:
                RequirementEdge.objects.create(
                    version=draft, source=nodes[source], target=nodes[need.key], kind=kind
                )
    return author.publish(draft)


def _node(
    need: Need, draft: RequirementSetVersion, *, names: _Names, position: int
) -> RequirementNode:
    return RequirementNode(
        version=draft,
        key=need.key,
        title=need.title,
        kind=need.kind,
        position=position,
        course=names.courses[need.course] if need.course else None,
        module_key=need.module,
        item_key=need.item,
        assessment=names.assessments[need.assessment] if need.assessment else None,
        min_percent=need.min_percent,
        attendance_percent=need.attendance_percent,
        signoff_capability=need.capability,
        group_min_count=need.min_count,
        group_min_credits=need.min_credits,
        credits=need.credits,
        is_root=need.is_root,
    )


def _certificate(
    plan: CertificatePlan, program: Program, earned_by: RequirementSetVersion, author: Author
) -> CertificationTemplateVersion:
    template = CertificationTemplate.objects.create(
        slug=plan.slug,
        title=plan.title,
        type=plan.type,
        program=program,
        created_by=author.contact,
    )
    draft = CertificationTemplateVersion(
        definition=template,
        name=plan.title,
        description=plan.description,
        criteria_markdown=plan.criteria,
        requirement_set=earned_by.definition,
        award_mode=AwardMode.AUTOMATIC if plan.is_automatic else AwardMode.MANUAL,
        validity_days=plan.validity_days,
        badge_letters=plan.letters,
        tags=[*plan.tags],
    )
    draft.full_clean(exclude=["definition"])
    draft.save()
    return author.publish(draft)
