"""What the demo ships is whole, and of a size to look around in."""

from __future__ import annotations

import pytest

from apps.assessment.interchange.gift import read_gift
from apps.assessment.interchange.report import Outcome
from apps.assessment.vocabulary import Kind
from apps.cohorts.roster.reader import read_roster
from apps.demo.content import ORGANIZATIONS
from apps.demo.content.organizations import OrganizationPlan
from apps.demo.plans import Lesson, Task
from apps.organizations.models import OrgRole

each = pytest.mark.parametrize("plan", ORGANIZATIONS, ids=lambda plan: plan.slug)


def items(plan: OrganizationPlan, kind: type) -> list:
    return [
        item
        for course in plan.program.courses
        for module in course.modules
        for item in module.items
        if isinstance(item, kind)
    ]


@each
def test_every_lesson_is_written(plan: OrganizationPlan) -> None:
    lessons = {lesson.key for lesson in items(plan, Lesson)}

    written = {
        path.stem: path.read_text(encoding="utf-8").split("\n\n")
        for path in (plan.folder / "lessons").glob("*.md")
    }

    assert set(written) == lessons
    assert [key for key, paragraphs in written.items() if len(paragraphs) < 3] == []


@each
def test_every_question_is_read_and_every_kind_is_there(plan: OrganizationPlan) -> None:
    report = read_gift((plan.folder / "questions.gift").read_bytes())

    assert {question.outcome for question in report.questions} == {Outcome.IMPORTED}
    assert len(report.questions) >= 30
    assert {item.kind.value for item in report.items} == set(Kind.values)
    assert len({item.title for item in report.items}) == len(report.items)


@each
def test_every_assessment_has_its_questions_and_its_place(plan: OrganizationPlan) -> None:
    report = read_gift((plan.folder / "questions.gift").read_bytes())
    categories = {item.category for item in report.items}

    assessments = {assessment.slug: assessment for assessment in plan.program.assessments}

    assert {task.key for task in items(plan, Task)} == set(assessments)
    assert {assessment.category for assessment in assessments.values()} <= categories


@pytest.mark.parametrize(
    ("plan", "encoding"),
    list(zip(ORGANIZATIONS, ("windows-1252", "utf-8"), strict=True)),
    ids=("northwind", "lumen"),
)
def test_every_roster_seats_forty_learners_in_the_classes_of_the_cohorts(
    plan: OrganizationPlan, encoding: str
) -> None:
    roster = read_roster((plan.folder / "roster.csv").read_bytes(), "roster.csv")

    assert (roster.encoding, roster.problems, roster.ignored_columns) == (encoding, (), ())
    assert len(roster.rows) == 40
    assert [known.external_id for known in roster.classes] == [c.class_id for c in plan.cohorts]
    assert all(row.email.endswith("@example.org") for row in roster.rows)


@each
def test_whom_the_story_names_is_on_the_roster(plan: OrganizationPlan) -> None:
    roster = read_roster((plan.folder / "roster.csv").read_bytes(), "roster.csv")
    members = {member.email: member for member in plan.members}

    for cohort in plan.cohorts:
        people = {row.email for row in roster.rows_of(cohort.class_id)}
        told = (cohort.voided, cohort.waived, cohort.revoked, cohort.corrected)
        told += (cohort.granted, cohort.sitting)
        named = {some[0] for some in told if some} | ({cohort.withdrawn} - {""})
        assert named <= people
        assert members[cohort.instructor].role == OrgRole.INSTRUCTOR
    learners = {m.email for m in plan.members if m.role == OrgRole.LEARNER}
    assert learners <= {row.email for row in roster.rows}


@each
def test_every_essay_is_there_in_three_qualities(plan: OrganizationPlan) -> None:
    written = {path.stem for path in (plan.folder / "essays").glob("*.txt")}
    scored = {key for assessment in plan.program.assessments for key in assessment.rubrics}

    assert written == {f"{key}.{how}" for key in scored for how in ("strong", "fair", "thin")}
