"""A cohort from somebody's own files: a roster and a question bank become a running program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from django.db import models, transaction
from django.utils.text import slugify

from apps.assessment.models import AssessmentTemplate, BankItem, QuestionBank
from apps.assessment.services.imports import BankImport
from apps.assessment.vocabulary import GradedBy, ScoringModel
from apps.cohorts.models import Cohort
from apps.cohorts.roster.records import Roster
from apps.cohorts.services import RosterReport, create_cohort, import_roster, open_cohort
from apps.cohorts.services.imports import REFUSED
from apps.core.problems import Conflict, Invalid, Problem
from apps.credentials.models import CertificationTemplate
from apps.credentials.vocabulary import TemplateType
from apps.demo.authoring import Author, fill_bank, write_program
from apps.demo.plans import (
    AssessmentPlan,
    CertificatePlan,
    CoursePlan,
    Module,
    Need,
    ProgramPlan,
    Task,
)
from apps.programs.models import Course, Program
from apps.requirements.graph import NodeKind

LONGEST_SLUG = 80
MINUTES_A_QUESTION = 2


class ProgramExists(Conflict):
    code = "program-exists"
    title = "There is a program of this name already."


class NoQuestions(Invalid):
    code = "no-questions"
    title = "No question of the file can be used."


class TooFewQuestions(Invalid):
    code = "too-few-questions"
    title = "The file has fewer questions than are to be drawn."


class NoLearners(Invalid):
    code = "no-learners"
    title = "Nobody on the roster can be enrolled."


class NoSuchClass(Invalid):
    code = "no-such-class"
    title = "The roster has no such class."


@dataclass(frozen=True)
class Order:
    """What somebody wants to run. `draw` is how many questions are asked, None for all."""

    program: str
    questions: bytes
    questions_name: str
    roster: Roster
    cohort: str = ""
    class_id: str = ""
    pass_percent: Decimal = Decimal(60)
    draw: int | None = None


@dataclass(frozen=True)
class Run:
    """What came of it, or would in a dry run. With a `problem` nothing was changed.

    `asked` counts the questions of the assessment. What was not reached is None.
    """

    questions: BankImport
    asked: int = 0
    cohort_title: str = ""
    roster: RosterReport | None = None
    problem: Problem | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every row and every question of the files was taken."""
        refused = any(question.code for question in self.questions.questions)
        return not refused and self.roster is not None and not self.roster.counts[REFUSED]


def run_cohort(*, order: Order, at: datetime, dry_run: bool = False) -> Run:
    """Return the report of a program, its assessment and a cohort made of the files.

    All of it or nothing; a dry run does the very same and takes it back. A file of which nothing
    can be used is the report's problem. Raises ProgramExists, NoSuchClass, FileNotReadable,
    ClassNotChosen, RosterRaced, NotPublishable.
    """
    with transaction.atomic():
        run = _carry_out(order, at)
        if dry_run or run.problem is not None:
            transaction.set_rollback(True)
    return run


def _carry_out(order: Order, at: datetime) -> Run:
    slug = slugify(order.program)[:LONGEST_SLUG].strip("-") or "program"
    if Program.objects.filter(slug=slug).exists():
        raise ProgramExists(detail=f"“{order.program}” is there already.")
    _check_class(order)
    bank, imported = fill_bank(
        slug=free_slug(QuestionBank, slug),
        title=f"Questions: {order.program}"[:200],
        data=order.questions,
        filename=order.questions_name,
        actor=None,
    )
    found = sorted(bank.items.all(), key=lambda item: int(item.source["line"]))
    if not found:
        return Run(imported, problem=NoQuestions())
    if order.draw is not None and order.draw > len(found):
        detail = f"{order.draw} are to be drawn, {len(found)} can be used."
        return Run(imported, problem=TooFewQuestions(detail=detail))
    asked = drawn(found, order.draw, seed=slug)
    plan = _plan(order, asked, slug=slug)
    curriculum = write_program(plan=plan, bank=bank, author=Author(None, at))
    title = (order.cohort or _class_title(order) or order.program)[:200]
    cohort = create_cohort(
        program_version=curriculum.program,
        slug=free_slug(Cohort, slugify(title)[:LONGEST_SLUG].strip("-") or "cohort"),
        title=title,
        starts_on=at.date(),
        actor=None,
    )
    cohort = open_cohort(cohort=cohort, actor=None, at=at)
    report = import_roster(
        cohort=cohort, roster=order.roster, actor=None, at=at, class_id=order.class_id
    )
    problem = None if cohort.enrollments.exists() else NoLearners()
    return Run(imported, len(asked), title, report, problem)


def _check_class(order: Order) -> None:
    if order.class_id and not order.roster.rows_of(order.class_id):
        known = [{"id": one.external_id, "title": one.title} for one in order.roster.classes]
        raise NoSuchClass(detail=f"There is nobody in “{order.class_id}”.", classes=known)


def _class_title(order: Order) -> str:
    chosen = {row.class_id for row in order.roster.rows} if not order.class_id else {order.class_id}
    titles = [known.title for known in order.roster.classes if known.external_id in chosen]
    return titles[0] if len(titles) == 1 else ""


def drawn(items: Sequence[BankItem], count: int | None, *, seed: str) -> list[BankItem]:
    """Return `count` of the items, or all, in their order; the same seed draws the same ones."""
    by_luck = sorted(items, key=lambda item: sha256(f"{seed}|{item.key}".encode()).digest())
    chosen = {item.key for item in by_luck[:count]}
    return [item for item in items if item.key in chosen]


def free_slug(model: type[models.Model], wanted: str) -> str:
    """Return `wanted`, or the first of wanted-2, wanted-3 … that no row of the model has."""
    begun = model._default_manager.filter(slug__startswith=wanted)
    taken = set(begun.values_list("slug", flat=True))
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def _plan(order: Order, asked: Sequence[BankItem], *, slug: str) -> ProgramPlan:
    """Return the smallest program that leads to a certificate: one course, one assessment."""
    by_person = any(item.graded_by == GradedBy.PERSON for item in asked)
    title = f"{order.program}: assessment"
    assessment = AssessmentPlan(
        slug=free_slug(AssessmentTemplate, slug),
        title=title,
        scoring_model=ScoringModel.MIXED if by_person else ScoringModel.AUTO,
        keys=tuple(item.key for item in asked),
        pass_percent=order.pass_percent,
    )
    task = Task(assessment.slug, title, MINUTES_A_QUESTION * len(asked))
    course = CoursePlan(
        slug=free_slug(Course, slug),
        title=order.program,
        description="",
        modules=(Module("assessment", "Assessment", (task,)),),
    )
    passed = Need("assessment", title, NodeKind.ASSESSMENT_PASSED, assessment=assessment.slug)
    return ProgramPlan(
        slug=slug,
        title=order.program,
        description="",
        courses=(course,),
        assessments=(assessment,),
        progression=(passed,),
        certification=(replace(passed, is_root=True),),
        certificate=CertificatePlan(
            slug=free_slug(CertificationTemplate, slug),
            title=order.program,
            type=TemplateType.CERTIFICATE,
            description=f"Passed the assessment of “{order.program}”.",
            criteria=f"At least {order.pass_percent:g} per cent in the assessment.",
        ),
    )
