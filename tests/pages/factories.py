"""A learner with something to learn, made through the same services as everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.assessment.models import AssessmentAttempt, AssessmentTemplate, AssessmentVersion
from apps.assessment.questions.items import JsonValue
from apps.assessment.services import (
    grade_attempt,
    place_assessment,
    save_response,
    start_attempt,
    submit_attempt,
)
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.core.clock import now
from apps.core.versions import publish
from apps.programs.models import CourseVersion, ItemType, ModuleItem
from tests.assessment.factories import AUTOMATIC, RIGHT, Question, published_assessment
from tests.cohorts.factories import open_cohort
from tests.factories import member
from tests.programs.factories import AUTHORED, Item, draft_course, published_program

YESTERDAY = timedelta(days=1)


@dataclass(frozen=True)
class Study:
    """A member who takes a course of a lesson, an external item and a quiz."""

    learner: Contact
    cohort: Cohort
    enrollment: CohortEnrollment
    course: CourseVersion
    quiz: AssessmentVersion

    @property
    def template(self) -> AssessmentTemplate:
        return self.quiz.definition

    def item(self, key: str) -> ModuleItem:
        return self.course.items.get(key=key)

    def path(self, rest: str = "") -> str:
        return f"/enrollments/{self.enrollment.id}{rest}"

    def started(self, at: datetime | None = None) -> AssessmentAttempt:
        return start_attempt(
            enrollment=self.enrollment, template=self.template, actor=self.learner, at=at or now()
        ).attempt

    def answer(
        self,
        attempt: AssessmentAttempt,
        answers: dict[str, JsonValue],
        at: datetime | None = None,
    ) -> None:
        for item in self.quiz.items.all():
            if item.key in answers:
                save_response(
                    attempt_id=attempt.id,
                    item_id=item.id,
                    value=answers[item.key],
                    sequence=1,
                    contact_id=self.learner.id,
                    at=at or now(),
                )

    def handed_in(self, answers: dict[str, JsonValue] = RIGHT) -> AssessmentAttempt:
        """Return an attempt with these answers, graded by the engine."""
        attempt = self.started()
        self.answer(attempt, answers)
        submit_attempt(attempt=attempt, actor=self.learner, at=now())
        grade_attempt(attempt.id, at=now())
        attempt.refresh_from_db()
        return attempt


def study(
    learner: Contact | None = None,
    *,
    slug: str = "spring",
    questions: Sequence[Question] = AUTOMATIC,
    **terms: Any,
) -> Study:
    """Return a study of its own program; `terms` are the quiz's."""
    learner = learner or member(name="Ada Lovelace")
    quiz = published_assessment(questions, slug=f"quiz-{slug}", **terms)
    draft = draft_course(
        f"course-{slug}",
        {
            "begin": [Item("intro"), Item("film", ItemType.EXTERNAL, is_required=False)],
            "end": [Item("quiz", ItemType.ASSESSMENT)],
        },
    )
    place_assessment(module_item=draft.items.get(key="quiz"), assessment_version=quiz)
    course = publish(version=draft, actor=None, at=AUTHORED)
    cohort = open_cohort(published_program(course, slug=f"program-{slug}"), slug=slug)
    enrollment = enroll(cohort=cohort, contact=learner, actor=None, at=now() - YESTERDAY)
    return Study(learner, cohort, enrollment, course, quiz)
