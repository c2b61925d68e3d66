"""What packages say, for tests: one whole program, one course, and random variations of both."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from apps.portability.content import (
    Assessment,
    AssessmentContent,
    Bank,
    BankQuestion,
    Certification,
    CertificationContent,
    Course,
    CourseContent,
    Criterion,
    Edge,
    Edition,
    Item,
    Level,
    Module,
    Node,
    PackageContent,
    Pin,
    Placement,
    Program,
    ProgramContent,
    Question,
    QuestionSource,
    RequirementsContent,
    RequirementSet,
    Rubric,
)
from apps.portability.vocabulary import PackageKind
from tests.assessment.specs import CAPITAL, ESSAY, PI, PRIMES, ROUND_EARTH

ORIGIN = "school@example.org"

CAPITAL_QUESTION = BankQuestion(
    key="capital",
    kind="multiple_choice",
    title="The capital",
    prompt_markdown="What is the capital of *France*?",
    points=Decimal(2),
    key_data=CAPITAL,
    category="Europe/West",
    tags=("geography", "easy"),
    difficulty=2,
    source={"format": "gift", "file": "europe.gift", "line": 7, "external_id": None},
)
BANK = Bank("europe", "Europe", ORIGIN, (CAPITAL_QUESTION,), "Questions about Europe.")


def question(position: int, key: str, kind: str, data: object, **fields: object) -> Question:
    values = {"prompt_markdown": f"About {key}?", "title": key.title(), **fields}
    return Question(key=key, kind=kind, position=position, key_data=data, **values)  # type: ignore[arg-type]


RUBRIC = Rubric(
    "essay",
    "Essay",
    "How to read it.",
    (
        Criterion(
            "clarity",
            "Clarity",
            1,
            "Can it be followed?",
            (
                Level("clarity-no", "No", Decimal(0), 1),
                Level("clarity-yes", "Yes", Decimal("2.5"), 2, "At once."),
            ),
        ),
        Criterion(
            "depth",
            "Depth",
            2,
            "",
            (
                Level("depth-no", "No", Decimal(0), 1),
                Level("depth-yes", "Yes", Decimal("1.5"), 2),
            ),
        ),
    ),
)
QUIZ = Assessment(
    slug="quiz",
    title="Quiz",
    origin=ORIGIN,
    course="first-aid",
    editions=(
        Edition(
            1,
            AssessmentContent(
                instructions_markdown="Take your time.",
                pass_percent=Decimal("66.5"),
                attempts_allowed=3,
                time_limit_seconds=1800,
                shuffle_items=True,
                items=(
                    question(
                        1,
                        "capital",
                        "multiple_choice",
                        CAPITAL,
                        points=Decimal(2),
                        bank_item=QuestionSource("europe", "capital"),
                    ),
                    question(2, "primes", "multiple_response", PRIMES),
                    question(3, "earth", "true_false", ROUND_EARTH, feedback_markdown="Look up."),
                ),
            ),
        ),
    ),
)
EXAM = Assessment(
    slug="exam",
    title="Exam",
    origin=ORIGIN,
    type="exam",
    scoring_model="mixed",
    editions=(
        Edition(
            1,
            AssessmentContent(
                late_cut_off_days=3,
                late_percent_per_day=Decimal("12.5"),
                late_cap_percent=Decimal(50),
                result_policy="latest",
                release_policy="manual",
                rubrics=(RUBRIC,),
                items=(
                    question(1, "pi", "numeric", PI, points=Decimal("0.5")),
                    question(2, "causes", "essay", ESSAY, points=Decimal(4), rubric="essay"),
                ),
            ),
        ),
    ),
)
FIRST_AID = Course(
    slug="first-aid",
    title="First Aid",
    origin=ORIGIN,
    description="What to do until help comes.",
    content=CourseContent(
        "Two modules.",
        (
            Module(
                "start",
                "Start",
                1,
                (
                    Item(
                        "welcome",
                        "Welcome",
                        1,
                        body_markdown="# Hello\r\n\n“Ünïcode” stays – as it is.\n\n",
                        estimated_minutes=5,
                    ),
                    Item("rules", "Rules", 2, is_required=False),
                ),
            ),
            Module(
                "practice",
                "Practice",
                2,
                (
                    Item("video", "Video", 1, "external", url="https://example.org/?a=1&b=2"),
                    Item("check", "Check", 2, "assessment", assessment=Placement("quiz")),
                ),
            ),
        ),
    ),
)
SECOND_AID = Course(
    slug="second-aid",
    title="Second Aid",
    origin=ORIGIN,
    content=CourseContent(
        modules=(
            Module(
                "all",
                "All",
                1,
                (
                    Item("read", "Read", 1, body_markdown="Text"),
                    Item("exam", "Exam", 2, "assessment", assessment=Placement("exam")),
                ),
            ),
        )
    ),
)
PROGRAM = Program(
    "responder",
    "Responder",
    ORIGIN,
    ProgramContent("Both courses.", (Pin("first-aid", 1), Pin("second-aid", 2, False))),
    "For everybody who wants to help.",
)
PROGRESSION = RequirementSet(
    "ladder",
    "Ladder",
    ORIGIN,
    "responder",
    "progression",
    RequirementsContent(
        (
            Node(key="first", kind="course_completed", title="First Aid", course="first-aid"),
            Node(
                key="quiz",
                kind="assessment_passed",
                title="Quiz",
                position=2,
                assessment="quiz",
                min_percent=Decimal("72.5"),
                deadline_days=90,
            ),
            Node(
                key="second",
                kind="module_completed",
                title="Second Aid",
                position=3,
                course="second-aid",
                module_key="all",
            ),
            Node(
                key="read",
                kind="item_completed",
                title="Reading",
                position=4,
                course="second-aid",
                item_key="read",
                deadline_on=date(2031, 6, 30),
            ),
        ),
        (
            Edge("first", "second", "prerequisite"),
            Edge("quiz", "read", "unlock", "score_below", Decimal("72.5")),
        ),
    ),
)
CERTIFYING = RequirementSet(
    "certifying",
    "What earns it",
    ORIGIN,
    "responder",
    "certification",
    RequirementsContent(
        (
            Node(
                key="exam",
                kind="assessment_passed",
                title="Exam",
                assessment="exam",
                credits=Decimal("2.5"),
                retention="live",
            ),
            Node(
                key="there",
                kind="attendance",
                title="Was there",
                position=2,
                attendance_percent=Decimal(80),
                credits=Decimal(1),
            ),
            Node(
                key="seen",
                kind="signoff",
                title="Seen at work",
                position=3,
                signoff_capability="sign_off",
                credits=Decimal(1),
            ),
            Node(
                key="all",
                kind="group",
                title="All",
                position=4,
                group_min_credits=Decimal("3.5"),
                is_root=True,
            ),
        ),
        (
            Edge("exam", "all", "member"),
            Edge("seen", "all", "member"),
            Edge("there", "all", "member"),
        ),
    ),
)
CERTIFICATE = Certification(
    slug="responder",
    title="Responder",
    origin=ORIGIN,
    program="responder",
    type="badge",
    content=CertificationContent(
        name="Responder",
        description="Helps until help comes.",
        criteria_markdown="Pass the *exam*.",
        requirement_set="certifying",
        award_mode="manual",
        validity_days=730,
        alignments=(
            {"target_name": "First aid", "target_url": "https://skills.example.org/first-aid"},
        ),
        tags=("aid", "safety"),
        badge_letters="FA",
        badge_background="#102030",
    ),
)
WHOLE = PackageContent(
    kind=PackageKind.PROGRAM,
    root="responder",
    courses=(FIRST_AID, SECOND_AID),
    assessments=(EXAM, QUIZ),
    banks=(BANK,),
    programs=(PROGRAM,),
    requirement_sets=(CERTIFYING, PROGRESSION),
    certifications=(CERTIFICATE,),
)
ONE_COURSE = PackageContent(
    kind=PackageKind.COURSE,
    root="first-aid",
    courses=(FIRST_AID,),
    assessments=(QUIZ,),
    banks=(BANK,),
)


def with_course(content: PackageContent, course: Course) -> PackageContent:
    """Return the package with another course of the same slug."""
    others = tuple(one for one in content.courses if one.slug != course.slug)
    return replace(content, courses=(course, *others))


def with_item(content: PackageContent, slug: str, which: str, **fields: object) -> PackageContent:
    """Return the package with an item changed."""
    [course] = [one for one in content.courses if one.slug == slug]
    modules = tuple(
        replace(
            module,
            items=tuple(
                replace(item, **fields) if item.key == which else item  # type: ignore[arg-type]
                for item in module.items
            ),
        )
        for module in course.content.modules
    )
    changed = replace(course, content=replace(course.content, modules=modules))
    return with_course(content, changed)


# --- Random content ----------------------------------------------------------------------------

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
)
TITLES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30
)
KEYS = st.text("abcXYZ019-_", min_size=1, max_size=8)
POINTS = st.decimals(Decimal("0.01"), 50, places=2)


@st.composite
def courses(draw: st.DrawFn, slug: str, assessment: str | None = None) -> Course:
    """A publishable course; its last item stands for the assessment, if one is named."""
    keys = draw(st.lists(KEYS, min_size=2, max_size=6, unique=True))
    items = [
        Item(
            key,
            draw(TITLES),
            place,
            is_required=place == 1 or draw(st.booleans()),
            body_markdown=draw(TEXTS),
            estimated_minutes=draw(st.none() | st.integers(0, 500)),
        )
        for place, key in enumerate(keys, start=1)
    ]
    if assessment is not None:
        placed = Item(
            "placed", "Placed", len(items) + 1, "assessment", assessment=Placement(assessment)
        )
        items = [item for item in items if item.key != "placed"] + [placed]
    cut = draw(st.integers(0, len(items)))
    modules = (
        Module("one", draw(TITLES), draw(st.integers(0, 5)), tuple(items[:cut])),
        Module("two", draw(TITLES), draw(st.integers(6, 9)), tuple(items[cut:])),
    )
    content = CourseContent(draw(TEXTS), modules)
    return Course(slug, draw(TITLES), ORIGIN, content, draw(TEXTS))


@st.composite
def assessments(draw: st.DrawFn, slug: str, course: str | None, bank: Bank) -> Assessment:
    """A publishable assessment; some of its items were copied from the bank."""
    keys = draw(st.lists(KEYS, min_size=1, max_size=5, unique=True))
    kinds = (
        ("true_false", ROUND_EARTH),
        ("numeric", PI),
        ("multiple_choice", CAPITAL),
        ("multiple_response", PRIMES),
    )
    items = []
    for place, key in enumerate(keys, start=1):
        kind, data = draw(st.sampled_from(kinds))
        source = draw(st.none() | st.sampled_from([q.key for q in bank.questions]))
        items.append(
            question(
                place,
                key,
                kind,
                data,
                points=draw(POINTS),
                prompt_markdown=draw(TITLES),
                title=draw(TEXTS.map(lambda text: text[:20])),
                bank_item=QuestionSource(bank.slug, source) if source else None,
            )
        )
    content = AssessmentContent(
        instructions_markdown=draw(TEXTS),
        pass_percent=draw(st.decimals(0, 100, places=2)),
        attempts_allowed=draw(st.none() | st.integers(1, 9)),
        shuffle_items=draw(st.booleans()),
        items=tuple(items),
    )
    return Assessment(
        slug=slug,
        title=draw(TITLES),
        origin=ORIGIN,
        course=course,
        editions=(Edition(1, content),),
    )


@st.composite
def packages(draw: st.DrawFn) -> PackageContent:
    """A course with an assessment and a bank, or a program of two such courses."""
    quiz = draw(assessments("quiz", draw(st.sampled_from([None, "first-aid"])), BANK))
    first = draw(courses("first-aid", "quiz"))
    banks = (BANK,) if any(i.bank_item for i in quiz.editions[0].content.items) else ()
    if draw(st.booleans()):
        return PackageContent(PackageKind.COURSE, "first-aid", (first,), (quiz,), banks)
    second = draw(courses("second-aid"))
    pins = (Pin("first-aid", draw(st.integers(0, 3))), Pin("second-aid", 7, draw(st.booleans())))
    program = Program("responder", draw(TITLES), ORIGIN, ProgramContent(draw(TEXTS), pins))
    node = Node(
        key="quiz",
        kind="assessment_passed",
        title=draw(TITLES),
        assessment="quiz",
        min_percent=draw(st.none() | st.decimals(0, 100, places=2)),
    )
    ladder = RequirementSet(
        "ladder", draw(TITLES), ORIGIN, "responder", "progression", RequirementsContent((node,))
    )
    return PackageContent(
        PackageKind.PROGRAM,
        "responder",
        (first, second),
        (quiz,),
        banks,
        (program,),
        (ladder,),
    )
