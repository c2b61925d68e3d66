"""Assessments for tests, made through the same services as everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentItem,
    AssessmentResult,
    AssessmentTemplate,
    AssessmentVersion,
    Rubric,
    RubricCriterion,
    RubricLevel,
)
from apps.assessment.questions.items import JsonValue
from apps.assessment.services import (
    grade_attempt,
    place_assessment,
    save_response,
    start_attempt,
    submit_attempt,
)
from apps.assessment.vocabulary import Kind, ScoringModel
from apps.cohorts.models import Cohort, CohortEnrollment, CohortStaff
from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.core.versions import publish
from apps.organizations.models import OrgRole
from apps.programs.models import ItemType
from tests.assessment.specs import CAPITAL, ESSAY, PI, PRIMES, ROUND_EARTH
from tests.cohorts.factories import NOON, open_cohort, person
from tests.factories import member
from tests.programs.factories import AUTHORED, Item, draft_course, published_program


@dataclass(frozen=True)
class Question:
    """An item to make."""

    key: str
    kind: str
    key_data: dict[str, JsonValue]
    points: str = "1"
    rubric: bool = False
    graded_by: str = ""


AUTOMATIC = (
    Question("capital", Kind.MULTIPLE_CHOICE, CAPITAL, "2"),
    Question("primes", Kind.MULTIPLE_RESPONSE, PRIMES, "2"),
    Question("earth", Kind.TRUE_FALSE, ROUND_EARTH),
    Question("pi", Kind.NUMERIC, PI),
)
RIGHT: dict[str, JsonValue] = {
    "capital": "paris",
    "primes": ["two", "three"],
    "earth": True,
    "pi": "3.14",
}
WRONG: dict[str, JsonValue] = {
    "capital": "rome",
    "primes": ["four"],
    "earth": False,
    "pi": "0",
}
WITH_ESSAY = (*AUTOMATIC, Question("causes", Kind.ESSAY, ESSAY, "4", rubric=True))


def draft_assessment(
    questions: Sequence[Question] = AUTOMATIC, *, slug: str = "quiz", **terms: Any
) -> AssessmentVersion:
    """Return the draft of a new assessment with these items and terms."""
    by_person = any(q.graded_by or q.kind == Kind.ESSAY for q in questions)
    template = AssessmentTemplate.objects.create(
        slug=slug,
        title=slug.title(),
        scoring_model=ScoringModel.MIXED if by_person else ScoringModel.AUTO,
    )
    draft = AssessmentVersion.objects.create(definition=template, **terms)
    for position, question in enumerate(questions, start=1):
        item = AssessmentItem(
            version=draft,
            key=question.key,
            kind=question.kind,
            title=question.key.title(),
            prompt_markdown=f"About {question.key}?",
            points=Decimal(question.points),
            position=position,
            key_data=question.key_data,
            graded_by=question.graded_by,
            rubric=_rubric(draft, question) if question.rubric else None,
        )
        item.clean()
        item.save()
    return draft


def _rubric(draft: AssessmentVersion, question: Question) -> Rubric:
    """Return a rubric of two criteria, half of the item's points each."""
    rubric = Rubric.objects.create(version=draft, key=f"{question.key}-rubric", title="Essay")
    half = Decimal(question.points) / 2
    for position, name in enumerate(("clarity", "depth"), start=1):
        criterion = RubricCriterion.objects.create(
            version=draft, rubric=rubric, key=name, title=name.title(), position=position
        )
        for place, (level, points) in enumerate((("poor", Decimal(0)), ("good", half)), start=1):
            RubricLevel.objects.create(
                version=draft,
                criterion=criterion,
                key=f"{name}-{level}",
                title=level.title(),
                points=points,
                position=place,
            )
    return rubric


def published_assessment(
    questions: Sequence[Question] = AUTOMATIC, *, slug: str = "quiz", **terms: Any
) -> AssessmentVersion:
    """Return version 1 of a new assessment."""
    draft = draft_assessment(questions, slug=slug, **terms)
    return publish(version=draft, actor=None, at=AUTHORED)


def cohort_with(*assessments: AssessmentVersion, slug: str = "spring") -> Cohort:
    """Return an open cohort whose only course places these assessments, in this order."""
    keys = [version.definition.slug for version in assessments]
    draft = draft_course(
        f"course-{slug}", {"all": [Item("intro"), *(Item(k, ItemType.ASSESSMENT) for k in keys)]}
    )
    for version in assessments:
        item = draft.items.get(key=version.definition.slug)
        place_assessment(module_item=item, assessment_version=version)
    course = publish(version=draft, actor=None, at=AUTHORED)
    return open_cohort(published_program(course, slug=f"program-{slug}"), slug=slug)


def learner_of(cohort: Cohort, name: str = "Ada") -> CohortEnrollment:
    """Return the enrolment of a new learner."""
    return enroll(cohort=cohort, contact=person(name), actor=None, at=NOON)


@dataclass(frozen=True)
class Scene:
    """One assessment, one learner who may take it, one grader."""

    version: AssessmentVersion
    cohort: Cohort
    enrollment: CohortEnrollment
    grader: Contact
    items: dict[str, AssessmentItem] = field(default_factory=dict)

    @property
    def template(self) -> AssessmentTemplate:
        return self.version.definition

    @property
    def learner(self) -> Contact:
        return self.enrollment.contact

    def start(self, at: Any = NOON) -> AssessmentAttempt:
        return start_attempt(
            enrollment=self.enrollment, template=self.template, actor=self.learner, at=at
        ).attempt

    def answer(
        self, attempt: AssessmentAttempt, answers: dict[str, JsonValue], at: Any = NOON
    ) -> None:
        for key, value in answers.items():
            save_response(
                attempt_id=attempt.id,
                item_id=self.items[key].id,
                value=value,
                sequence=1,
                contact_id=self.learner.id,
                at=at,
            )

    def submit(self, attempt: AssessmentAttempt, at: Any = NOON) -> AssessmentAttempt:
        return submit_attempt(attempt=attempt, actor=self.learner, at=at)

    def graded(self, answers: dict[str, JsonValue], at: Any = NOON) -> AssessmentAttempt:
        """Return an attempt with these answers, handed in and graded by the engine."""
        attempt = self.start(at)
        self.answer(attempt, answers, at)
        self.submit(attempt, at)
        grade_attempt(attempt.id, at=at)
        attempt.refresh_from_db()
        return attempt


def scene(questions: Sequence[Question] = AUTOMATIC, *, slug: str = "quiz", **terms: Any) -> Scene:
    """Return a scene with a new assessment of these items and terms."""
    version = published_assessment(questions, slug=slug, **terms)
    cohort = cohort_with(version)
    return Scene(
        version=version,
        cohort=cohort,
        enrollment=learner_of(cohort),
        grader=person("Grace"),
        items={item.key: item for item in version.items.all()},
    )


def staff_of(*cohorts: Cohort, role: str = OrgRole.INSTRUCTOR, name: str = "") -> Contact:
    """Return a new member of this role who works with these cohorts."""
    person = member(role, name=name)
    for cohort in cohorts:
        CohortStaff.objects.create(cohort=cohort, contact=person)
    return person


def result_of(attempt: AssessmentAttempt) -> AssessmentResult:
    """Return the attempt's newest result."""
    return AssessmentResult.objects.filter(attempt=attempt).latest("revision")
