from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.requirements.facts import (
    AssessmentContext,
    Facts,
    HeldFact,
    SignOffFact,
    WaiverFact,
    document_within,
    facts_document,
    facts_from,
)
from apps.requirements.graph import Retention, VersionSpec
from apps.requirements.rules import deadline_of, decide, evaluate
from apps.requirements.statuses import (
    DECIDED,
    Decision,
    DecisionStatus,
    Evidence,
    EvidenceKind,
    NodeStatus,
    Reason,
    Status,
)
from tests.requirements.graphs import (
    ASSIGNMENT,
    DAY,
    FACTS,
    MOMENTS,
    NOON,
    before,
    facts,
    group,
    member,
    milestone,
    quiz,
    result,
    signoff,
    uid,
    version,
    versions,
)

thorough = settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def statuses(spec: VersionSpec, known: Facts, as_of: datetime = NOON) -> dict[str, str]:
    return {key: found.status for key, found in evaluate(spec, known, as_of).statuses.items()}


def test_evaluate_without_facts_opens_what_comes_first() -> None:
    spec = version(quiz("a"), quiz("b", 1), milestone("m"), before("a", "b"), before("b", "m"))

    assert statuses(spec, FACTS) == {"a": "available", "b": "locked", "m": "locked"}


def test_evaluate_passed_prerequisite_opens_the_next() -> None:
    spec = version(quiz("a"), quiz("b", 1), before("a", "b"))
    known = replace(FACTS, results={uid(0): (result(80, passed=True),)})

    found = evaluate(spec, known, NOON).statuses

    assert found == {
        "a": NodeStatus(
            "a",
            Status.SATISFIED,
            Reason.PASSED,
            have=Decimal(80),
            evidence=(Evidence(EvidenceKind.RESULT, uid(101)),),
            occurred_at=NOON,
        ),
        "b": NodeStatus("b", Status.AVAILABLE, Reason.NOT_STARTED),
    }


def test_evaluate_evidence_behind_a_closed_prerequisite_does_not_count_yet() -> None:
    spec = version(quiz("a"), quiz("b", 1), before("a", "b"))
    known = replace(FACTS, results={uid(1): (result(80, passed=True),)})

    assert statuses(spec, known) == {"a": "available", "b": "locked"}


def test_evaluate_members_open_with_their_group() -> None:
    spec = version(quiz("a"), quiz("b", 1), group("g"), before("a", "g"), member("b", "g"))

    found = evaluate(spec, FACTS, NOON).statuses

    assert found["b"] == NodeStatus(
        "b", Status.LOCKED, Reason.PREREQUISITE_OPEN, blocking=("a",), is_open=False
    )


def test_evaluate_member_of_an_open_and_a_locked_group_is_open() -> None:
    spec = version(
        quiz("a"),
        quiz("b", 1),
        group("closed"),
        group("free"),
        before("a", "closed"),
        member("b", "closed"),
        member("b", "free"),
    )

    assert statuses(spec, FACTS)["b"] == "available"


def test_evaluate_waiver_counts_until_it_expires() -> None:
    spec = version(quiz("a"), milestone("m"), before("a", "m"))
    known = replace(FACTS, waivers={"a": WaiverFact(uid(1), NOON, expires_at=NOON + DAY)})

    assert statuses(spec, known, NOON) == {"a": "waived", "m": "satisfied"}
    assert statuses(spec, known, NOON + DAY) == {"a": "available", "m": "locked"}


def test_evaluate_own_evidence_outranks_a_waiver() -> None:
    spec = version(quiz("a"))
    known = replace(
        FACTS,
        waivers={"a": WaiverFact(uid(1), NOON)},
        results={uid(0): (result(80, passed=True),)},
    )

    assert statuses(spec, known) == {"a": "satisfied"}


def test_evaluate_waiver_lifts_a_failure() -> None:
    spec = version(quiz("a"))
    known = replace(
        FACTS,
        assessments={uid(0): AssessmentContext(attempts_left=0)},
        results={uid(0): (result(20, passed=False),)},
    )

    assert statuses(spec, known) == {"a": "failed"}
    assert statuses(spec, replace(known, waivers={"a": WaiverFact(uid(1), NOON)})) == {
        "a": "waived"
    }


def test_evaluate_sticky_node_keeps_what_stands_and_a_live_one_does_not() -> None:
    held = HeldFact(uid(9), "satisfied", NOON - DAY)
    known = replace(FACTS, held={"a": held})

    kept = evaluate(version(signoff("a")), known, NOON).statuses["a"]

    assert kept == NodeStatus(
        "a",
        Status.SATISFIED,
        Reason.KEPT,
        evidence=(Evidence(EvidenceKind.EVALUATION, uid(9)),),
        occurred_at=NOON - DAY,
    )
    assert statuses(version(signoff("a", retention=Retention.LIVE)), known) == {"a": "pending"}


def test_evaluate_sticky_node_falls_when_its_evidence_was_annulled() -> None:
    known = replace(FACTS, held={"a": HeldFact(uid(9), "satisfied", NOON - DAY, stands=False)})

    assert statuses(version(signoff("a")), known) == {"a": "pending"}


def test_evaluate_deadline_fails_what_is_open_and_what_came_late() -> None:
    spec = version(signoff("a", deadline_on=date(2026, 3, 1)))
    late = replace(FACTS, signoffs={"a": SignOffFact(uid(1), NOON)})

    assert statuses(spec, FACTS, NOON) == {"a": "failed"}
    assert statuses(spec, late, NOON) == {"a": "failed"}
    assert statuses(spec, FACTS, NOON - 2 * DAY) == {"a": "pending"}


def test_evaluate_handed_in_before_the_deadline_waits_for_its_result() -> None:
    spec = version(
        quiz("a", deadline_on=date(2026, 3, 1)),
        group("root", deadline_on=date(2026, 3, 1)),
        member("a", "root"),
    )
    known = replace(
        FACTS, assessments={uid(0): AssessmentContext(attempts_left=0, submitted_at=NOON - 2 * DAY)}
    )

    assert statuses(spec, known, NOON) == {"a": "pending", "root": "pending"}


def test_evaluate_group_met_after_its_deadline_is_failed() -> None:
    spec = version(
        signoff("a"),
        group("root", deadline_on=date(2026, 3, 1)),
        member("a", "root"),
    )
    in_time = replace(FACTS, signoffs={"a": SignOffFact(uid(1), NOON - 5 * DAY)})
    too_late = replace(FACTS, signoffs={"a": SignOffFact(uid(1), NOON)})

    assert statuses(spec, in_time)["root"] == "satisfied"
    assert statuses(spec, too_late)["root"] == "failed"


def test_deadline_of_ends_with_the_day_in_the_cohorts_zone() -> None:
    known = replace(FACTS, timezone="Europe/Berlin")

    on_a_day = deadline_of(signoff("a", deadline_on=date(2026, 7, 1)), known)
    in_days = deadline_of(signoff("a", deadline_days=3), known)

    assert on_a_day == datetime(2026, 7, 1, 21, 59, 59, 999999, tzinfo=UTC)
    assert in_days == datetime(2026, 2, 23, 22, 59, 59, 999999, tzinfo=UTC)


def test_deadline_of_the_day_on_which_clocks_change_keeps_its_midnight() -> None:
    known = replace(FACTS, timezone="Europe/Berlin")

    found = deadline_of(signoff("a", deadline_on=date(2026, 3, 29)), known)

    assert found == datetime(2026, 3, 29, 21, 59, 59, 999999, tzinfo=UTC)


def test_decide_records_members_before_their_group() -> None:
    spec = version(group("root"), signoff("a"), member("a", "root"))
    known = replace(FACTS, signoffs={"a": SignOffFact(uid(1), NOON)})

    assert decide(spec, known, NOON) == (
        Decision(
            "a",
            DecisionStatus.SATISFIED,
            Reason.SIGNED_OFF,
            NOON,
            (Evidence(EvidenceKind.SIGNOFF, uid(1)),),
        ),
        Decision(
            "root",
            DecisionStatus.SATISFIED,
            Reason.MEMBERS_MET,
            NOON,
            (Evidence(EvidenceKind.EVALUATION, node="a"),),
        ),
    )


def test_decide_reopens_on_the_decision_that_fell_away() -> None:
    known = replace(FACTS, held={"a": HeldFact(uid(9), "satisfied", NOON - DAY, stands=False)})

    assert decide(version(signoff("a")), known, NOON) == (
        Decision(
            "a",
            DecisionStatus.REOPENED,
            Reason.EVIDENCE_ANNULLED,
            NOON,
            (Evidence(EvidenceKind.EVALUATION, uid(9)),),
        ),
    )


def test_decide_repeats_a_decision_whose_evidence_was_annulled_on_the_new_evidence() -> None:
    known = replace(
        FACTS,
        held={"a": HeldFact(uid(9), "satisfied", NOON - DAY, stands=False)},
        signoffs={"a": SignOffFact(uid(2), NOON)},
    )

    assert [(d.status, d.evidence) for d in decide(version(signoff("a")), known, NOON)] == [
        (DecisionStatus.SATISFIED, (Evidence(EvidenceKind.SIGNOFF, uid(2)),))
    ]


def test_decide_missed_deadline_rests_on_the_assignment() -> None:
    spec = version(signoff("a", deadline_on=date(2026, 3, 1)))

    assert decide(spec, FACTS, NOON) == (
        Decision(
            "a",
            DecisionStatus.FAILED,
            Reason.DEADLINE_PASSED,
            NOON,
            (Evidence(EvidenceKind.ASSIGNMENT, ASSIGNMENT),),
        ),
    )


def held_after(known: Facts, decided: tuple[Decision, ...]) -> Facts:
    """Return the facts once these decisions are recorded."""
    recorded = {
        decision.key: HeldFact(UUID(int=9000 + i), decision.status.value, decision.occurred_at)
        for i, decision in enumerate(decided)
    }
    return replace(known, held={**known.held, **recorded})


@thorough
@given(versions(), facts(), MOMENTS)
def test_evaluate_is_total(spec: VersionSpec, known: Facts, as_of: datetime) -> None:
    found = evaluate(spec, known, as_of).statuses

    assert list(found) == [node.key for node in spec.nodes]
    assert {status.status for status in found.values()} <= set(Status.values)


@thorough
@given(versions(), facts(), MOMENTS, st.randoms())
def test_evaluate_does_not_depend_on_the_order_of_nodes_and_edges(
    spec: VersionSpec, known: Facts, as_of: datetime, random: object
) -> None:
    nodes, edges = list(spec.nodes), list(spec.edges)
    random.shuffle(nodes)  # type: ignore[attr-defined]
    random.shuffle(edges)  # type: ignore[attr-defined]

    other = evaluate(VersionSpec(tuple(nodes), tuple(edges)), known, as_of).statuses

    assert other == evaluate(spec, known, as_of).statuses


@thorough
@given(versions(), facts(), MOMENTS)
def test_decide_again_decides_nothing(spec: VersionSpec, known: Facts, as_of: datetime) -> None:
    decided = decide(spec, known, as_of)

    assert decide(spec, held_after(known, decided), as_of) == ()


@thorough
@given(versions(), facts(), MOMENTS)
def test_decide_always_has_evidence_that_is_recorded(
    spec: VersionSpec, known: Facts, as_of: datetime
) -> None:
    recorded = {key for key, held in known.held.items() if held.status in DECIDED}
    for decision in decide(spec, known, as_of):
        assert decision.evidence
        for piece in decision.evidence:
            assert (piece.id is None) is bool(piece.node)
            assert not piece.node or piece.node in recorded
        recorded.add(decision.key)


@thorough
@given(versions(), facts(), MOMENTS)
def test_decide_from_the_kept_part_of_the_facts_is_the_same(
    spec: VersionSpec, known: Facts, as_of: datetime
) -> None:
    document = facts_document(known)
    for decision in decide(spec, known, as_of):
        kept = facts_from(document_within(document, spec.plan.cones[decision.key]))
        again = {d.key: d for d in decide(spec, kept, as_of)}
        assert again[decision.key] == decision


@thorough
@given(versions(with_branches=False), facts(with_held=False), MOMENTS, st.sampled_from(range(8)))
def test_evaluate_without_branches_a_waiver_never_takes_anything_away(
    spec: VersionSpec, known: Facts, as_of: datetime, number: int
) -> None:
    waived = replace(
        known, waivers={**known.waivers, f"n{number}": WaiverFact(uid(1), NOON - 30 * DAY)}
    )

    before_it = evaluate(spec, known, as_of).statuses
    with_it = evaluate(spec, waived, as_of).statuses

    assert all(with_it[key].is_met for key, status in before_it.items() if status.is_met)


@thorough
@given(versions(), facts(with_held=False), facts(with_held=False), MOMENTS)
def test_evaluate_sticky_nodes_once_satisfied_stay_so(
    spec: VersionSpec, first: Facts, later: Facts, as_of: datetime
) -> None:
    satisfied = [d for d in decide(spec, first, as_of) if d.status == DecisionStatus.SATISFIED]
    now = evaluate(spec, held_after(later, tuple(satisfied)), as_of).statuses

    sticky = {node.key for node in spec.nodes if node.retention == Retention.STICKY}
    assert all(now[d.key].status == Status.SATISFIED for d in satisfied if d.key in sticky)


@thorough
@given(versions(), facts(), MOMENTS)
def test_evaluate_locked_and_pending_nodes_say_what_blocks_them(
    spec: VersionSpec, known: Facts, as_of: datetime
) -> None:
    found = evaluate(spec, known, as_of).statuses
    for status in found.values():
        assert set(status.blocking) <= set(found)
        if status.status == Status.LOCKED:
            assert status.blocking
