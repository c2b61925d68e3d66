"""What the School teaches, asks and requires."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from apps.assessment.vocabulary import ScoringModel, TemplateType
from apps.demo.plans import (
    AssessmentPlan,
    CertificatePlan,
    CoursePlan,
    Criterion,
    External,
    Lesson,
    Level,
    Module,
    Need,
    ProgramPlan,
    RubricPlan,
    Task,
)
from apps.requirements.graph import NodeKind

TEXTS = Path(__file__).resolve().parent / "lessons"

SQL = CoursePlan(
    slug="sql-for-analysts",
    title="SQL for Analysts",
    description="Asking a database exactly what you mean, and noticing when it misunderstood.",
    texts=TEXTS,
    modules=(
        Module(
            "tables",
            "Tables and questions",
            (
                Lesson("what-a-row-means", "What a row means", 12),
                Lesson("filtering-and-null", "Filtering, and the unknown", 14),
            ),
        ),
        Module(
            "combining",
            "Combining and summarising",
            (
                Lesson("joins-without-surprises", "Joins without surprises", 16),
                Lesson("grouping-and-windows", "Groups and windows", 16),
                External(
                    "postgresql-tutorial",
                    "PostgreSQL: the tutorial",
                    "https://www.postgresql.org/docs/current/tutorial.html",
                    45,
                ),
                Task("sql-check", "SQL check", 25),
            ),
        ),
    ),
)

STATISTICS = CoursePlan(
    slug="statistics-for-decisions",
    title="Statistics for Decisions",
    description="From figures to a recommendation that somebody can act on and check.",
    texts=TEXTS,
    modules=(
        Module(
            "describing",
            "Describing",
            (
                Lesson("describing-a-distribution", "Describing a distribution", 14),
                Lesson("sampling-and-uncertainty", "Samples and uncertainty", 14),
            ),
        ),
        Module(
            "comparing",
            "Comparing",
            (
                Lesson("comparing-two-groups", "Comparing two groups", 15),
                Lesson("correlation-and-cause", "Correlation and cause", 15),
                Task("statistics-check", "Statistics check", 25),
            ),
        ),
        Module(
            "recommending",
            "Recommending",
            (
                Lesson("writing-the-recommendation", "Writing the recommendation", 12),
                Task("capstone", "Capstone: a recommendation", 180),
            ),
        ),
    ),
)


def _elective(slug: str, title: str, description: str, lesson: Lesson) -> CoursePlan:
    return CoursePlan(
        slug=slug,
        title=title,
        description=description,
        texts=TEXTS,
        modules=(Module(lesson.key, title, (lesson,)),),
        is_required=False,
    )


CHARTS = _elective(
    "charts-that-answer",
    "Charts that Answer Questions",
    "Choosing, labelling and leaving out.",
    Lesson("choosing-a-chart", "Choosing a chart", 14),
)
PYTHON = _elective(
    "python-for-analysts",
    "Python for Analysts",
    "Data frames, whole columns at a time.",
    Lesson("dataframes-without-loops", "Data frames without loops", 18),
)
ETHICS = _elective(
    "personal-data",
    "Personal Data",
    "What may be analysed, what should be, and what must be deleted.",
    Lesson("personal-data", "Data about people", 14),
)
ELECTIVES = ((CHARTS, 2), (PYTHON, 3), (ETHICS, 2))
"""Each with its credits."""


def _criterion(key: str, title: str, *levels: tuple[str, int]) -> Criterion:
    return Criterion(key, title, tuple(Level(name, Decimal(points)) for name, points in levels))


CAPSTONE_RUBRIC = RubricPlan(
    key="recommendation",
    title="Recommendation",
    criteria=(
        _criterion(
            "decision",
            "Says what to do",
            ("No decision can be taken from it", 0),
            ("The decision has to be looked for", 2),
            ("Decision first, with who, when and what it brings", 4),
        ),
        _criterion(
            "evidence",
            "Evidence",
            ("Figures without comparison", 0),
            ("A fair comparison, some gaps", 3),
            ("A fair comparison, with size and interval of the effect", 6),
        ),
        _criterion(
            "doubt",
            "Doubt",
            ("None", 0),
            ("Names a limitation", 2),
            ("Weighs other explanations and says what would prove it wrong", 5),
        ),
        _criterion(
            "words",
            "Words",
            ("Hard to follow", 0),
            ("Clear with effort", 1),
            ("Clear to somebody who has ten minutes", 3),
        ),
    ),
)

ASSESSMENTS = (
    AssessmentPlan(
        slug="sql-check",
        title="SQL check",
        category="SQL check",
        instructions="Twelve questions about what a query really returns. Take the time you need.",
        pass_percent=Decimal(60),
        attempts_allowed=3,
        shuffle_items=True,
    ),
    AssessmentPlan(
        slug="statistics-check",
        title="Statistics check",
        type=TemplateType.EXAM,
        category="Statistics check",
        instructions="Thirteen questions, thirty minutes, two attempts.",
        pass_percent=Decimal(65),
        attempts_allowed=2,
        time_limit_seconds=30 * 60,
        grace_seconds=30,
        shuffle_items=True,
    ),
    AssessmentPlan(
        slug="capstone",
        title="Capstone: a recommendation",
        type=TemplateType.PROJECT,
        scoring_model=ScoringModel.RUBRIC,
        category="Capstone",
        instructions=(
            "The data are in the course folder. Hand in 300 to 600 words. Two people read it; "
            "you can hand in a second version once you have the comments on the first."
        ),
        pass_percent=Decimal(60),
        attempts_allowed=2,
        rubrics={"recommendation": CAPSTONE_RUBRIC},
    ),
)

PROGRESSION = (
    Need("sql", SQL.title, NodeKind.COURSE_COMPLETED, course=SQL.slug),
    Need(
        "statistics-check",
        "Statistics check",
        NodeKind.ASSESSMENT_PASSED,
        assessment="statistics-check",
        after=("sql",),
    ),
    Need(
        "capstone-opens",
        "Capstone",
        NodeKind.ASSESSMENT_PASSED,
        assessment="capstone",
        after=("statistics-check",),
    ),
    *(
        Need(
            course.slug,
            course.title,
            NodeKind.COURSE_COMPLETED,
            course=course.slug,
            after=("sql",),
        )
        for course, _ in ELECTIVES
    ),
)

CERTIFICATION = (
    Need(
        "analyst",
        "Data analyst, foundations",
        NodeKind.GROUP,
        members=("core", "electives", "capstone", "attendance"),
        is_root=True,
    ),
    Need(
        "core",
        "Both courses",
        NodeKind.GROUP,
        members=("sql", "statistics"),
    ),
    Need("sql", SQL.title, NodeKind.COURSE_COMPLETED, course=SQL.slug),
    Need("statistics", STATISTICS.title, NodeKind.COURSE_COMPLETED, course=STATISTICS.slug),
    Need(
        "electives",
        "Electives worth four credits",
        NodeKind.GROUP,
        min_credits=Decimal(4),
        members=tuple(course.slug for course, _ in ELECTIVES),
    ),
    *(
        Need(
            course.slug,
            course.title,
            NodeKind.COURSE_COMPLETED,
            course=course.slug,
            credits=Decimal(worth),
        )
        for course, worth in ELECTIVES
    ),
    Need(
        "capstone",
        "Capstone, at least 65 per cent",
        NodeKind.ASSESSMENT_PASSED,
        assessment="capstone",
        min_percent=Decimal(65),
    ),
    Need(
        "attendance",
        "Two thirds of the studio days",
        NodeKind.ATTENDANCE,
        attendance_percent=Decimal("66.6"),
    ),
)

PROGRAM = ProgramPlan(
    slug="data-analyst-foundations",
    title="Data Analyst Foundations",
    description=(
        "Ten weeks from the first query to a recommendation that stands up to questions. Two "
        "courses, electives worth four credits, a capstone."
    ),
    courses=(SQL, STATISTICS, CHARTS, PYTHON, ETHICS),
    assessments=ASSESSMENTS,
    progression=PROGRESSION,
    certification=CERTIFICATION,
    certificate=CertificatePlan(
        slug="data-analyst-foundations",
        title="Data Analyst Foundations",
        type="badge",
        description="Answers a question with data, and says how sure the answer is.",
        criteria=(
            "Completed both courses and electives worth four credits, attended two thirds of the "
            "studio days, and wrote a recommendation that two readers found sound."
        ),
        is_automatic=False,
        letters="DA",
        tags=("SQL", "statistics"),
    ),
)
