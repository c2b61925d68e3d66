"""What the Academy teaches, asks and requires."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from apps.assessment.vocabulary import ScoringModel, TemplateType
from apps.contacts.capabilities import Capability
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

HAZARDS = CoursePlan(
    slug="confined-space-hazards",
    title="Hazards of Confined Spaces",
    description="What makes a space deadly, and how to find out before anybody is inside.",
    texts=TEXTS,
    modules=(
        Module(
            "recognise",
            "Recognising the space",
            (
                Lesson("what-is-confined", "What makes a space confined", 12),
                Lesson("why-people-die", "Why people die there", 10),
            ),
        ),
        Module(
            "atmosphere",
            "The air inside",
            (
                Lesson("testing-the-air", "Testing the air in the right order", 15),
                Lesson("ventilation", "Ventilation", 12),
                External(
                    "hse-guidance",
                    "HSE: confined spaces at work",
                    "https://www.hse.gov.uk/confinedspace/",
                    10,
                ),
                Task("hazards-check", "Hazards check", 20),
            ),
        ),
    ),
)

ENTRY = CoursePlan(
    slug="entry-attendance-rescue",
    title="Entry, Attendance and Rescue",
    description="The permit, the people around it, and what they do when it goes wrong.",
    texts=TEXTS,
    modules=(
        Module(
            "permit",
            "The permit",
            (
                Lesson("permit-line-by-line", "The permit, line by line", 12),
                Lesson("isolation", "Isolation, and proving it", 14),
            ),
        ),
        Module(
            "attendant",
            "The attendant",
            (
                Lesson("attendant-duties", "What the attendant does, and never does", 12),
                Lesson("communication", "Keeping contact", 10),
            ),
        ),
        Module(
            "rescue",
            "When it goes wrong",
            (
                Lesson("rescue-without-entry", "Rescue without entry", 14),
                External(
                    "incident-videos",
                    "US Chemical Safety Board: incident videos",
                    "https://www.csb.gov/videos/",
                    15,
                ),
                Task("practical-entry", "Practical: supervised entry", 60),
                Task("final-examination", "Final examination", 45),
            ),
        ),
    ),
)


def _supplement(slug: str, title: str, description: str, lesson: Lesson) -> CoursePlan:
    return CoursePlan(
        slug=slug,
        title=title,
        description=description,
        texts=TEXTS,
        modules=(Module(lesson.key, title, (lesson,)),),
        is_required=False,
    )


SUPPLEMENTS = (
    _supplement(
        "tanks-and-vessels",
        "Supplement: Tanks and Process Vessels",
        "Residues, nitrogen, agitators: what is left in a vessel that was emptied.",
        Lesson("vessel-entry", "Entering a vessel", 12),
    ),
    _supplement(
        "sewers-and-manholes",
        "Supplement: Sewers and Manholes",
        "A space that can't be isolated: weather, discharges, traffic.",
        Lesson("sewer-entry", "Entering a sewer", 12),
    ),
    _supplement(
        "silos-and-bins",
        "Supplement: Silos and Grain Bins",
        "Flowing solids, bridges, dust, and the rescue tube.",
        Lesson("bin-entry", "Entering a bin", 12),
    ),
)


def _levels(*descriptions: str) -> tuple[Level, ...]:
    """Return levels from nothing to all, a point or two apart."""
    names = ("Not shown", "In part", "Safely", "With foresight")
    return tuple(
        Level(title, Decimal(points), description)
        for points, (title, description) in enumerate(zip(names, descriptions, strict=True))
    )


PRACTICAL_RUBRIC = RubricPlan(
    key="supervised-entry",
    title="Supervised entry",
    criteria=(
        Criterion(
            "testing",
            "Testing the air",
            _levels(
                "Did not test, or entered before testing.",
                "Tested in one place, or in the wrong order.",
                "Right order, all levels, readings written down.",
                "Asked why a reading was unusual and acted on it.",
            ),
        ),
        Criterion(
            "isolating",
            "Isolating and proving",
            _levels(
                "Relied on closed valves or tags.",
                "Isolated, but did not prove it.",
                "Isolated and proved each source.",
                "Found a source that the plan had missed, or explained why there is none.",
            ),
        ),
        Criterion(
            "contact",
            "Contact and head count",
            _levels(
                "Lost contact or did not notice.",
                "Irregular contact.",
                "Contact at the agreed interval, head count always known.",
                "Tried a second means of contact before it was needed.",
            ),
        ),
        Criterion(
            "log",
            "Entry log",
            _levels(
                "Claims without figures.",
                "Some figures, some gaps.",
                "Complete: space, isolation, readings with places, contact.",
                "Complete, and says what would be done differently and why.",
            ),
        ),
    ),
)

REFUSAL_RUBRIC = RubricPlan(
    key="refusal",
    title="Staying at the post",
    criteria=(
        Criterion(
            "decision",
            "Decision",
            (
                Level("Leaves the post", Decimal(0)),
                Level("Refuses, with gaps in the handover", Decimal(2)),
                Level("Refuses, and says what must happen first", Decimal(4)),
            ),
        ),
        Criterion(
            "reasons",
            "Reasons",
            (
                Level("No duty named", Decimal(0)),
                Level("One or two duties named", Decimal(1)),
                Level("The duties at stake and what follows from them", Decimal(2)),
            ),
        ),
    ),
)

ASSESSMENTS = (
    AssessmentPlan(
        slug="hazards-check",
        title="Hazards check",
        category="Hazards check",
        instructions=(
            "Twelve questions, twenty minutes. Seventy per cent are needed to go on. "
            "You may try three times; the best attempt counts."
        ),
        pass_percent=Decimal(70),
        attempts_allowed=3,
        time_limit_seconds=20 * 60,
        grace_seconds=30,
        shuffle_items=True,
    ),
    AssessmentPlan(
        slug="practical-entry",
        title="Practical: supervised entry",
        type=TemplateType.PROJECT,
        scoring_model=ScoringModel.RUBRIC,
        category="Practical",
        instructions=(
            "Write your log after the supervised entry. Your assessor scores it together with "
            "what was observed."
        ),
        pass_percent=Decimal(60),
        attempts_allowed=2,
        rubrics={"entry-log": PRACTICAL_RUBRIC},
    ),
    AssessmentPlan(
        slug="final-examination",
        title="Final examination",
        type=TemplateType.EXAM,
        scoring_model=ScoringModel.MIXED,
        category="Final examination",
        instructions=(
            "Fifteen questions, forty-five minutes, two attempts. The last question is read by an "
            "instructor, so your result is provisional until then."
        ),
        pass_percent=Decimal(75),
        attempts_allowed=2,
        time_limit_seconds=45 * 60,
        grace_seconds=60,
        rubrics={"describe-a-refusal": REFUSAL_RUBRIC},
    ),
)

PROGRESSION = (
    Need("hazards", "Hazards of Confined Spaces", NodeKind.COURSE_COMPLETED, course=HAZARDS.slug),
    Need(
        "entry",
        "Entry, Attendance and Rescue",
        NodeKind.COURSE_COMPLETED,
        course=ENTRY.slug,
        after=("hazards",),
    ),
    Need(
        "attendant-module",
        "The attendant",
        NodeKind.MODULE_COMPLETED,
        course=ENTRY.slug,
        module="attendant",
        after=("hazards",),
    ),
    Need(
        "exam-opens",
        "Final examination",
        NodeKind.ASSESSMENT_PASSED,
        assessment="final-examination",
        after=("attendant-module",),
    ),
    *(
        Need(
            course.slug,
            course.title,
            NodeKind.COURSE_COMPLETED,
            course=course.slug,
            after=("hazards",),
        )
        for course in SUPPLEMENTS
    ),
)

CERTIFICATION = (
    Need(
        "qualified",
        "Entrant and attendant",
        NodeKind.GROUP,
        members=("exam", "practical", "attendance", "supervised", "supplement"),
        is_root=True,
    ),
    Need("exam", "Final examination", NodeKind.ASSESSMENT_PASSED, assessment="final-examination"),
    Need("practical", "Practical entry", NodeKind.ASSESSMENT_PASSED, assessment="practical-entry"),
    Need(
        "attendance",
        "Three quarters of the required sessions",
        NodeKind.ATTENDANCE,
        attendance_percent=Decimal(75),
    ),
    Need(
        "supervised",
        "An instructor has seen you at a real space",
        NodeKind.SIGNOFF,
        capability=Capability.SIGN_OFF,
        after=("practical",),
    ),
    Need(
        "supplement",
        "One supplement of three",
        NodeKind.GROUP,
        min_count=1,
        members=tuple(course.slug for course in SUPPLEMENTS),
    ),
    *(
        Need(course.slug, course.title, NodeKind.COURSE_COMPLETED, course=course.slug)
        for course in SUPPLEMENTS
    ),
)

PROGRAM = ProgramPlan(
    slug="confined-space-entry",
    title="Confined Space Entry – Entrant and Attendant",
    description=(
        "For everybody who enters tanks, sewers, silos and pits, and for those who stand at the "
        "hatch. Two courses, one supplement of three, a practical and a final examination."
    ),
    courses=(HAZARDS, ENTRY, *SUPPLEMENTS),
    assessments=ASSESSMENTS,
    progression=PROGRESSION,
    certification=CERTIFICATION,
    certificate=CertificatePlan(
        slug="confined-space-entrant-attendant",
        title="Confined Space Entrant and Attendant",
        type="certificate",
        description="May enter permit spaces and stand as attendant under a valid permit.",
        criteria=(
            "Passed the final examination (75 %) and the practical entry, attended three quarters "
            "of the required sessions, completed one supplement, and was seen at a real space by "
            "an instructor."
        ),
        validity_days=730,
        letters="CSE",
        tags=("confined spaces", "permit to work"),
    ),
)
