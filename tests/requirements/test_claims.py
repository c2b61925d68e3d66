from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.rules.record import Candidate, choose_result
from apps.requirements.claims import result_of_record
from apps.requirements.facts import (
    AssessmentContext,
    AttendanceFact,
    CredentialFact,
    EventFact,
    Facts,
    ResultFact,
    SessionFact,
)
from apps.requirements.graph import Completion, NodeKind, NodeSpec
from apps.requirements.rules import evaluate
from apps.requirements.statuses import Evidence, EvidenceKind, NodeStatus, Reason, Status
from tests.requirements.graphs import (
    COURSE,
    DAY,
    FACTS,
    NOON,
    PROGRAM,
    quiz,
    result,
    results,
    uid,
    version,
)


def only(node: NodeSpec, known: Facts, as_of: datetime = NOON) -> NodeStatus:
    return evaluate(version(node), known, as_of).statuses[node.key]


def attending(*records: str | None, required: int | None = None) -> Facts:
    """Facts of sessions on successive days, each with its record's status or none."""
    sessions = tuple(SessionFact(uid(i), NOON + i * DAY) for i in range(required or len(records)))
    return replace(
        FACTS,
        sessions=sessions,
        attendance={
            uid(i): AttendanceFact(uid(50 + i), status)
            for i, status in enumerate(records)
            if status is not None
        },
    )


def record(number: int) -> Evidence:
    return Evidence(EvidenceKind.ATTENDANCE, uid(50 + number))


SHARE = NodeSpec("a", NodeKind.ATTENDANCE, attendance_percent=Decimal("75"))
COUNT = NodeSpec("a", NodeKind.ATTENDANCE, attendance_count=2)


@pytest.mark.parametrize(
    ("node", "completion"),
    [
        (NodeSpec("c", NodeKind.COURSE_COMPLETED, course=COURSE), Completion(COURSE)),
        (
            NodeSpec("c", NodeKind.MODULE_COMPLETED, course=COURSE, module_key="m"),
            Completion(COURSE, "module", "m"),
        ),
        (
            NodeSpec("c", NodeKind.ITEM_COMPLETED, course=COURSE, item_key="i"),
            Completion(COURSE, "item", "i"),
        ),
    ],
)
def test_completed_rests_on_the_event(node: NodeSpec, completion: Completion) -> None:
    done = replace(FACTS, completions={completion: EventFact(uid(1), NOON)})

    assert only(node, FACTS) == NodeStatus("c", Status.AVAILABLE, Reason.NOT_STARTED)
    assert only(node, replace(FACTS, started=frozenset({completion}))) == NodeStatus(
        "c", Status.PENDING, Reason.IN_PROGRESS
    )
    assert only(node, done) == NodeStatus(
        "c",
        Status.SATISFIED,
        Reason.COMPLETED,
        evidence=(Evidence(EvidenceKind.EVENT, uid(1)),),
        occurred_at=NOON,
    )


def test_assessment_passed_asks_for_the_nodes_own_minimum_too() -> None:
    known = replace(FACTS, results={uid(0): (result(70, passed=True),)})

    assert only(quiz("a", min_percent=Decimal(70)), known).status == Status.SATISFIED
    assert only(quiz("a", min_percent=Decimal("70.01")), known) == NodeStatus(
        "a", Status.PENDING, Reason.NOT_PASSED_YET, Decimal(70), Decimal("70.01")
    )


@pytest.mark.parametrize(
    ("context", "status", "reason"),
    [
        (AssessmentContext(), Status.PENDING, Reason.NOT_PASSED_YET),
        (AssessmentContext(attempts_left=1), Status.PENDING, Reason.NOT_PASSED_YET),
        (AssessmentContext(attempts_left=0), Status.FAILED, Reason.ATTEMPTS_EXHAUSTED),
        (AssessmentContext(attempts_left=0, is_open=True), Status.PENDING, Reason.NOT_PASSED_YET),
        (AssessmentContext("first", attempts_left=5), Status.FAILED, Reason.ATTEMPTS_EXHAUSTED),
        (
            AssessmentContext(attempts_left=0, submitted_at=NOON),
            Status.PENDING,
            Reason.AWAITING_RESULT,
        ),
    ],
)
def test_assessment_not_passed_fails_only_when_nothing_can_follow(
    context: AssessmentContext, status: Status, reason: Reason
) -> None:
    known = replace(
        FACTS, assessments={uid(0): context}, results={uid(0): (result(20, passed=False),)}
    )

    found = only(quiz("a"), known)

    assert (found.status, found.reason) == (status, reason)


def test_assessment_provisional_result_decides_nothing() -> None:
    known = replace(
        FACTS,
        assessments={uid(0): AssessmentContext(attempts_left=0)},
        results={uid(0): (result(90, passed=True, is_final=False),)},
    )

    assert only(quiz("a"), known).reason == Reason.AWAITING_RESULT


def test_assessment_pass_before_the_deadline_counts_though_a_better_one_came_later() -> None:
    node = quiz("a", deadline_on=date(2026, 3, 2))
    known = replace(
        FACTS,
        results={
            uid(0): (
                result(60, passed=True, no=1),
                result(90, passed=True, at=NOON + 5 * DAY, no=2),
            )
        },
    )

    assert only(node, known, NOON + 9 * DAY).evidence == (Evidence(EvidenceKind.RESULT, uid(101)),)


@given(results(), st.sampled_from(["highest", "latest", "first"]))
def test_result_of_record_is_the_assessments_choice(
    given_results: tuple[ResultFact, ...], policy: str
) -> None:
    candidates = [Candidate(r.attempt_no, r.percent, r.is_final, False) for r in given_results]

    ours = result_of_record(given_results, policy)
    theirs = choose_result(policy, candidates)

    assert (ours and ours.attempt_no) == (theirs and theirs.attempt_no)


def test_attendance_share_is_met_once_it_is_safe() -> None:
    known = attending("present", "late", "present", None)

    assert only(SHARE, known) == NodeStatus(
        "a",
        Status.SATISFIED,
        Reason.ATTENDED,
        3,
        3,
        evidence=(record(0), record(1), record(2)),
        occurred_at=NOON + 2 * DAY,
    )


def test_attendance_share_fails_as_soon_as_it_is_out_of_reach() -> None:
    assert only(SHARE, attending("absent", None, None, None)).status == Status.PENDING
    assert only(SHARE, attending("absent", "absent", None, None)) == NodeStatus(
        "a",
        Status.FAILED,
        Reason.ATTENDANCE_OUT_OF_REACH,
        0,
        3,
        evidence=(record(0), record(1)),
        occurred_at=NOON,
        is_attainable=False,
    )


def test_attendance_excused_sessions_leave_the_share() -> None:
    known = attending("excused", "present", "present", "present", "absent")

    assert (only(SHARE, known).have, only(SHARE, known).need) == (3, 3)
    assert only(SHARE, known).status == Status.SATISFIED


def test_attendance_everything_excused_is_nothing_to_count() -> None:
    assert only(SHARE, attending("excused", "excused")).reason == Reason.SESSIONS_NOT_PLANNED


def test_attendance_share_uses_no_rounding() -> None:
    """Two of three is 66.67 % when rounded, and still less than that."""
    known = attending("present", "present", "absent")
    node = NodeSpec("a", NodeKind.ATTENDANCE, attendance_percent=Decimal("66.67"))

    assert only(node, known).status == Status.FAILED
    assert (
        only(replace(node, attendance_percent=Decimal("66.66")), known).status == Status.SATISFIED
    )


def test_attendance_count_waits_for_sessions_that_are_not_planned() -> None:
    assert only(COUNT, attending("absent")) == NodeStatus(
        "a", Status.AVAILABLE, Reason.SESSIONS_NOT_PLANNED, 0, 2
    )


def test_attendance_count_cannot_be_reached_by_excuses() -> None:
    assert only(COUNT, attending("excused", "present", None)).status == Status.PENDING
    assert only(COUNT, attending("excused", "present", "excused")).status == Status.FAILED


def test_attendance_counts_only_sessions_until_the_deadline() -> None:
    node = replace(COUNT, deadline_on=date(2026, 3, 3))

    assert only(node, attending("present", "present")).status == Status.SATISFIED
    assert only(node, attending("present", "absent", "present")).status == Status.FAILED


def test_attendance_not_yet_recorded_outlives_the_deadline() -> None:
    node = replace(COUNT, deadline_on=date(2026, 3, 3))

    assert only(node, attending("present", None), NOON + 9 * DAY).status == Status.PENDING


def test_credential_held_until_it_ends_or_expires() -> None:
    node = NodeSpec("a", NodeKind.CREDENTIAL_HELD, credential_program=PROGRAM)

    def holding(credential: CredentialFact) -> NodeStatus:
        return only(node, replace(FACTS, credentials={PROGRAM: (credential,)}))

    assert only(node, FACTS).reason == Reason.CREDENTIAL_MISSING
    assert holding(CredentialFact(uid(1), NOON)) == NodeStatus(
        "a",
        Status.SATISFIED,
        Reason.CREDENTIAL_HELD,
        evidence=(Evidence(EvidenceKind.EVENT, uid(1)),),
        occurred_at=NOON,
    )
    for ended in (
        CredentialFact(uid(1), NOON - DAY, expires_at=NOON),
        CredentialFact(uid(1), NOON - DAY, ended_at=NOON),
        CredentialFact(uid(1), NOON + DAY),
    ):
        assert holding(ended).reason == Reason.CREDENTIAL_ENDED
