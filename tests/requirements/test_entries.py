from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from apps.requirements.facts import AssessmentContext, Facts, WaiverFact
from apps.requirements.graph import EdgeCondition, VersionSpec
from apps.requirements.rules import decide, evaluate
from apps.requirements.statuses import Evidence, EvidenceKind, NodeStatus, Reason, Status
from tests.requirements.graphs import (
    DAY,
    FACTS,
    NOON,
    before,
    group,
    member,
    quiz,
    result,
    signoff,
    uid,
    unlocks,
    version,
)

FIFTY = Decimal(50)


def forked(**fields: object) -> VersionSpec:
    """A placement test: below 50 % it leads to the basics, else to the advanced course."""
    return version(
        quiz("test", **fields),
        signoff("basics"),
        signoff("advanced"),
        unlocks("test", "basics", EdgeCondition.SCORE_BELOW, FIFTY),
        unlocks("test", "advanced", EdgeCondition.SCORE_AT_LEAST, FIFTY),
    )


def scored(percent: int, *, passed: bool, context: AssessmentContext | None = None) -> Facts:
    return replace(
        FACTS,
        assessments={uid(0): context or AssessmentContext()},
        results={uid(0): (result(percent, passed=passed),)},
    )


def ways(spec: VersionSpec, known: Facts) -> tuple[NodeStatus, NodeStatus]:
    found = evaluate(spec, known, NOON).statuses
    return found["basics"], found["advanced"]


def test_branches_are_locked_until_there_is_a_score() -> None:
    waiting = [
        NodeStatus(k, Status.LOCKED, Reason.BRANCH_OPEN, blocking=("test",), is_open=False)
        for k in ("basics", "advanced")
    ]

    assert ways(forked(), FACTS) == tuple(waiting)


def test_branch_above_the_threshold_closes_the_other() -> None:
    basics, advanced = ways(forked(), scored(50, passed=True))

    assert advanced == NodeStatus("advanced", Status.PENDING, Reason.AWAITING_SIGNOFF)
    assert basics == NodeStatus(
        "basics",
        Status.LOCKED,
        Reason.BRANCH_NOT_TAKEN,
        blocking=("test",),
        evidence=(
            Evidence(EvidenceKind.EVALUATION, node="test"),
            Evidence(EvidenceKind.RESULT, uid(101)),
        ),
        is_attainable=False,
        is_open=False,
    )


def test_branch_below_the_threshold_leaves_the_other_open_while_attempts_are_left() -> None:
    basics, advanced = ways(forked(), scored(49, passed=False))
    last = AssessmentContext(attempts_left=0)

    assert (basics.status, advanced.reason) == (Status.PENDING, Reason.BRANCH_OPEN)
    assert (
        ways(forked(), scored(49, passed=False, context=last))[1].reason == Reason.BRANCH_NOT_TAKEN
    )


def test_branch_under_the_latest_policy_may_still_fall_back() -> None:
    latest = AssessmentContext("latest")

    assert ways(forked(), scored(60, passed=True, context=latest))[0].reason == Reason.BRANCH_OPEN


def test_branch_is_decided_once_the_deadline_has_passed() -> None:
    spec = forked(deadline_on=date(2026, 3, 1))
    known = replace(FACTS, results={uid(0): (result(40, passed=False, at=NOON - 3 * DAY),)})

    assert ways(spec, known)[1].reason == Reason.BRANCH_NOT_TAKEN


def test_branch_waiver_stands_for_a_high_score() -> None:
    known = replace(FACTS, waivers={"test": WaiverFact(uid(1), NOON)})

    basics, advanced = ways(forked(), known)

    assert (basics.reason, advanced.status) == (Reason.BRANCH_NOT_TAKEN, Status.PENDING)


REMEDIAL = version(
    quiz("exam"),
    signoff("remedial"),
    group("done", group_min_count=1),
    unlocks("exam", "remedial", EdgeCondition.FAILED),
    member("exam", "done"),
    member("remedial", "done"),
)


@pytest.mark.parametrize(
    ("known", "remedial", "done"),
    [
        (FACTS, Status.LOCKED, Status.AVAILABLE),
        (scored(80, passed=True), Status.LOCKED, Status.SATISFIED),
        (
            scored(20, passed=False, context=AssessmentContext(attempts_left=0)),
            Status.PENDING,
            Status.PENDING,
        ),
    ],
)
def test_branch_after_a_failure_opens_only_then(
    known: Facts, remedial: Status, done: Status
) -> None:
    found = evaluate(REMEDIAL, known, NOON).statuses

    assert (found["remedial"].status, found["done"].status) == (remedial, done)


def test_branch_not_taken_is_no_decision() -> None:
    assert [d.key for d in decide(REMEDIAL, scored(80, passed=True), NOON)] == ["exam", "done"]


def test_prerequisite_lost_locks_for_good_and_hands_on_its_grounds() -> None:
    spec = version(quiz("a"), signoff("b"), signoff("c"), before("a", "b"), before("b", "c"))
    known = scored(20, passed=False, context=AssessmentContext(attempts_left=0))

    found = evaluate(spec, known, NOON).statuses

    grounds = (Evidence(EvidenceKind.EVALUATION, node="a"),)
    assert found["b"] == NodeStatus(
        "b",
        Status.LOCKED,
        Reason.PREREQUISITE_FAILED,
        blocking=("a",),
        evidence=grounds,
        is_attainable=False,
        is_open=False,
    )
    assert found["c"] == found["b"]._replace(key="c", blocking=("b",))
