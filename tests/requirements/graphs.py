"""Small graphs and facts for the tests of the pure half, and strategies that make random ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from apps.requirements.facts import (
    AssessmentContext,
    AttendanceFact,
    CredentialFact,
    EventFact,
    Facts,
    HeldFact,
    ResultFact,
    SessionFact,
    SignOffFact,
    WaiverFact,
)
from apps.requirements.graph import (
    SCORE_CONDITIONS,
    Completion,
    Cycle,
    EdgeCondition,
    EdgeKind,
    EdgeSpec,
    NodeKind,
    NodeSpec,
    Retention,
    VersionSpec,
)
from apps.requirements.statuses import DecisionStatus

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ASSIGNMENT = UUID(int=1)
COURSE = UUID(int=2)
PROGRAM = UUID(int=3)
FACTS = Facts(assignment=ASSIGNMENT, enrolled_at=NOON - 10 * DAY)


def uid(number: int) -> UUID:
    return UUID(int=1000 + number)


def quiz(key: str, number: int = 0, **fields: object) -> NodeSpec:
    """An assessment to be passed; its template is `uid(number)`."""
    return NodeSpec(key, NodeKind.ASSESSMENT_PASSED, assessment=uid(number), **fields)  # type: ignore[arg-type]


def signoff(key: str, **fields: object) -> NodeSpec:
    return NodeSpec(key, NodeKind.SIGNOFF, signoff_capability="sign_off", **fields)  # type: ignore[arg-type]


def group(key: str, **fields: object) -> NodeSpec:
    return NodeSpec(key, NodeKind.GROUP, **fields)  # type: ignore[arg-type]


def milestone(key: str, **fields: object) -> NodeSpec:
    return NodeSpec(key, NodeKind.MILESTONE, **fields)  # type: ignore[arg-type]


def member(source: str, target: str) -> EdgeSpec:
    return EdgeSpec(source, target, EdgeKind.MEMBER)


def before(source: str, target: str) -> EdgeSpec:
    return EdgeSpec(source, target, EdgeKind.PREREQUISITE)


def unlocks(
    source: str,
    target: str,
    condition: EdgeCondition = EdgeCondition.SATISFIED,
    threshold: Decimal | None = None,
) -> EdgeSpec:
    return EdgeSpec(source, target, EdgeKind.UNLOCK, condition, threshold)


def version(*parts: NodeSpec | EdgeSpec) -> VersionSpec:
    return VersionSpec(
        nodes=tuple(part for part in parts if isinstance(part, NodeSpec)),
        edges=tuple(part for part in parts if isinstance(part, EdgeSpec)),
    )


def result(
    percent: int, *, passed: bool, at: datetime = NOON, no: int = 1, is_final: bool = True
) -> ResultFact:
    return ResultFact(uid(100 + no), no, Decimal(percent), passed, at, is_final)


# --- Random graphs and facts ---------------------------------------------------------------------
MOMENTS = st.integers(-20, 20).map(lambda days: NOON + days * DAY)
TEMPLATES = [uid(i) for i in range(3)]
COMPLETIONS = [
    Completion(COURSE),
    Completion(COURSE, "module", "m"),
    Completion(COURSE, "item", "i"),
]
LEAF_KINDS = [kind for kind in NodeKind if kind not in (NodeKind.GROUP, NodeKind.MILESTONE)]


@st.composite
def nodes(draw: st.DrawFn, key: str, *, is_leaf: bool) -> NodeSpec:
    kind = draw(st.sampled_from(LEAF_KINDS if is_leaf else list(NodeKind)))
    counts_sessions = draw(st.booleans())
    asks_credits = draw(st.booleans())
    attends = kind == NodeKind.ATTENDANCE
    is_group = kind == NodeKind.GROUP
    return NodeSpec(
        key=key,
        kind=kind,
        course=COURSE if kind.value.endswith("_completed") else None,
        module_key="m" if kind == NodeKind.MODULE_COMPLETED else "",
        item_key="i" if kind == NodeKind.ITEM_COMPLETED else "",
        assessment=draw(st.sampled_from(TEMPLATES)) if kind == NodeKind.ASSESSMENT_PASSED else None,
        min_percent=draw(st.none() | st.integers(0, 100).map(Decimal)),
        attendance_count=draw(st.integers(1, 4)) if attends and counts_sessions else None,
        attendance_percent=(
            draw(st.integers(1, 100).map(Decimal)) if attends and not counts_sessions else None
        ),
        credential_program=PROGRAM if kind == NodeKind.CREDENTIAL_HELD else None,
        group_min_count=draw(st.integers(1, 3)) if is_group and not asks_credits else None,
        group_min_credits=draw(st.integers(1, 9).map(Decimal))
        if is_group and asks_credits
        else None,
        credits=draw(st.none() | st.integers(1, 5).map(Decimal)),
        deadline_days=draw(st.none() | st.integers(0, 20)),
        deadline_on=draw(st.none() | st.just(date(2026, 3, 4))),
        retention=draw(st.sampled_from(Retention)),
    )


@st.composite
def versions(draw: st.DrawFn, *, with_branches: bool = True) -> VersionSpec:
    """A graph without cycles: every edge leads from an earlier node to a later one."""
    size = draw(st.integers(1, 8))
    specs = [draw(nodes(f"n{i}", is_leaf=i == 0)) for i in range(size)]
    edges = []
    for target in range(1, size):
        for source in draw(st.sets(st.integers(0, target - 1), max_size=3)):
            kind = draw(
                st.sampled_from(
                    EdgeKind if with_branches else [EdgeKind.MEMBER, EdgeKind.PREREQUISITE]
                )
            )
            if kind == EdgeKind.MEMBER and specs[target].kind != NodeKind.GROUP:
                kind = EdgeKind.PREREQUISITE
            condition = EdgeCondition.SATISFIED
            if kind == EdgeKind.UNLOCK:
                condition = draw(st.sampled_from(EdgeCondition))
            threshold = (
                draw(st.integers(0, 100).map(Decimal)) if condition in SCORE_CONDITIONS else None
            )
            edges.append(EdgeSpec(f"n{source}", f"n{target}", kind, condition, threshold))
    spec = VersionSpec(tuple(specs), tuple(edges))
    return spec if _has_order(spec) else VersionSpec(tuple(specs))


def _has_order(spec: VersionSpec) -> bool:
    """A member opens with its group: a group behind its own member's prerequisite has no order."""
    try:
        return bool(spec.plan.steps)
    except Cycle:
        return False


KEYS = st.sampled_from([f"n{i}" for i in range(8)])
SESSIONS = tuple(SessionFact(uid(200 + i), NOON + (i - 2) * DAY) for i in range(4))


@st.composite
def results(draw: st.DrawFn) -> tuple[ResultFact, ...]:
    return tuple(
        ResultFact(
            uid(300 + no),
            no,
            Decimal(draw(st.integers(0, 100))),
            draw(st.booleans()),
            draw(MOMENTS),
            draw(st.booleans()),
        )
        for no in range(1, draw(st.integers(0, 3)) + 1)
    )


def facts(*, with_held: bool = True) -> st.SearchStrategy[Facts]:
    """Any facts at all about the keys and targets of `versions()`, however contradictory."""
    contexts = st.builds(
        AssessmentContext,
        policy=st.sampled_from(["highest", "latest", "first"]),
        attempts_left=st.none() | st.integers(0, 2),
        is_open=st.booleans(),
        submitted_at=st.none() | MOMENTS,
    )
    credentials = st.builds(
        CredentialFact,
        event=st.just(uid(400)),
        occurred_at=MOMENTS,
        expires_at=st.none() | MOMENTS,
        ended_at=st.none() | MOMENTS,
    )
    attended = st.builds(
        AttendanceFact,
        record=st.integers(500, 520).map(uid),
        status=st.sampled_from(["present", "late", "excused", "absent"]),
    )
    held = st.builds(
        HeldFact,
        evaluation=st.integers(600, 620).map(uid),
        status=st.sampled_from([status.value for status in DecisionStatus]),
        occurred_at=MOMENTS,
        stands=st.booleans(),
    )
    return st.builds(
        Facts,
        assignment=st.just(ASSIGNMENT),
        enrolled_at=st.just(NOON - 10 * DAY),
        timezone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Kiritimati"]),
        contacts=st.just((uid(700),)),
        enrollments=st.just((uid(701),)),
        sessions=st.sampled_from([(), SESSIONS[:1], SESSIONS]),
        assessments=st.dictionaries(st.sampled_from(TEMPLATES), contexts),
        started=st.frozensets(st.sampled_from(COMPLETIONS)),
        attendance=st.dictionaries(st.sampled_from([s.session for s in SESSIONS]), attended),
        results=st.dictionaries(st.sampled_from(TEMPLATES), results()),
        completions=st.dictionaries(
            st.sampled_from(COMPLETIONS),
            st.builds(EventFact, event=st.just(uid(800)), occurred_at=MOMENTS),
        ),
        credentials=st.dictionaries(st.just(PROGRAM), st.tuples(credentials)),
        signoffs=st.dictionaries(
            KEYS, st.builds(SignOffFact, signoff=st.just(uid(801)), occurred_at=MOMENTS)
        ),
        waivers=st.dictionaries(
            KEYS,
            st.builds(
                WaiverFact,
                waiver=st.just(uid(802)),
                occurred_at=MOMENTS,
                expires_at=st.none() | MOMENTS,
            ),
            max_size=2,
        ),
        held=st.dictionaries(KEYS, held) if with_held else st.just({}),
    )
