from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.requirements.facts import AssessmentContext, Facts, SignOffFact
from apps.requirements.rules import evaluate
from apps.requirements.statuses import Evidence, EvidenceKind, NodeStatus, Reason, Status
from tests.requirements.graphs import (
    DAY,
    FACTS,
    NOON,
    before,
    group,
    member,
    milestone,
    quiz,
    result,
    signoff,
    uid,
    version,
)


def signed(**moments: datetime) -> Facts:
    return replace(
        FACTS,
        signoffs={key: SignOffFact(uid(i), at) for i, (key, at) in enumerate(moments.items())},
    )


def decisions_of(*keys: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(EvidenceKind.EVALUATION, node=key) for key in keys)


TWO_OF_THREE = version(
    group("g", group_min_count=2),
    signoff("a"),
    signoff("b"),
    signoff("c"),
    member("a", "g"),
    member("b", "g"),
    member("c", "g"),
)
EXAMS = version(
    group("g", group_min_count=2),
    quiz("a", 0),
    quiz("b", 1),
    quiz("c", 2),
    member("a", "g"),
    member("b", "g"),
    member("c", "g"),
)


def test_group_rests_on_the_members_that_filled_it_first() -> None:
    known = signed(a=NOON, b=NOON - 2 * DAY, c=NOON - DAY)

    assert evaluate(TWO_OF_THREE, known, NOON).statuses["g"] == NodeStatus(
        "g",
        Status.SATISFIED,
        Reason.MEMBERS_MET,
        3,
        2,
        evidence=decisions_of("b", "c"),
        occurred_at=NOON - DAY,
    )


def test_group_rests_first_on_members_that_were_met_by_nothing_that_happened() -> None:
    """A milestone without prerequisites is met at no moment; two of them keep the keys' order."""
    spec = version(
        group("g", group_min_count=3),
        signoff("a"),
        milestone("z"),
        milestone("y"),
        member("a", "g"),
        member("z", "g"),
        member("y", "g"),
    )

    assert evaluate(spec, signed(a=NOON - DAY), NOON).statuses["g"] == NodeStatus(
        "g",
        Status.SATISFIED,
        Reason.MEMBERS_MET,
        3,
        3,
        evidence=decisions_of("y", "z", "a"),
        occurred_at=NOON - DAY,
    )


def test_group_open_names_the_members_that_are_missing() -> None:
    assert evaluate(TWO_OF_THREE, signed(a=NOON), NOON).statuses["g"] == NodeStatus(
        "g", Status.PENDING, Reason.MEMBERS_OPEN, 1, 2, blocking=("b", "c")
    )


def failing(*numbers: int) -> Facts:
    return replace(
        FACTS,
        assessments={uid(n): AssessmentContext(attempts_left=0) for n in numbers},
        results={uid(n): (result(10, passed=False, no=n),) for n in numbers},
    )


def test_group_fails_once_too_few_members_are_left() -> None:
    assert evaluate(EXAMS, failing(0), NOON).statuses["g"].status == Status.AVAILABLE
    assert evaluate(EXAMS, failing(0, 1), NOON).statuses["g"] == NodeStatus(
        "g",
        Status.FAILED,
        Reason.MEMBERS_OUT_OF_REACH,
        0,
        2,
        blocking=("a", "b"),
        evidence=decisions_of("a", "b"),
        occurred_at=NOON,
        is_attainable=False,
    )


def test_group_with_nothing_but_locked_members_is_locked() -> None:
    spec = version(group("g"), quiz("a"), quiz("b", 1), before("b", "a"), member("a", "g"))

    assert evaluate(spec, FACTS, NOON).statuses["g"] == NodeStatus(
        "g", Status.LOCKED, Reason.MEMBERS_LOCKED, 0, 1, blocking=("a",)
    )


def test_group_counts_credits_of_nested_groups_once() -> None:
    """`a` is reached directly and through `inner`, which has no credits of its own."""
    spec = version(
        group("g", group_min_credits=Decimal(5)),
        group("inner", group_min_count=1),
        signoff("a", credits=Decimal(3)),
        signoff("b", credits=Decimal(2)),
        member("a", "g"),
        member("inner", "g"),
        member("a", "inner"),
        member("b", "inner"),
    )

    one = evaluate(spec, signed(a=NOON), NOON).statuses["g"]
    both = evaluate(spec, signed(a=NOON, b=NOON), NOON).statuses["g"]

    assert (one.status, one.have, one.need) == (Status.PENDING, 3, 5)
    assert (both.status, both.have, both.need) == (Status.SATISFIED, 5, 5)


def test_group_with_credits_of_its_own_bears_those() -> None:
    spec = version(
        group("g", group_min_credits=Decimal(4)),
        group("inner", group_min_count=1, credits=Decimal(4)),
        signoff("a", credits=Decimal(1)),
        member("inner", "g"),
        member("a", "inner"),
    )

    assert evaluate(spec, signed(a=NOON), NOON).statuses["g"].status == Status.SATISFIED


def test_group_fails_once_too_few_credits_are_left() -> None:
    spec = version(
        group("g", group_min_credits=Decimal(4)),
        quiz("a", 0, credits=Decimal(3)),
        signoff("b", credits=Decimal(1)),
        signoff("c", credits=Decimal(2)),
        member("a", "g"),
        member("b", "g"),
        member("c", "g"),
    )

    found = evaluate(spec, failing(0), NOON).statuses["g"]

    assert (found.status, found.reason) == (Status.FAILED, Reason.CREDITS_OUT_OF_REACH)


def test_group_waits_for_results_of_what_was_handed_in_by_its_deadline() -> None:
    spec = version(
        group("g", deadline_on=date(2026, 3, 1)),
        quiz("a"),
        signoff("b"),
        member("a", "g"),
        member("b", "g"),
    )
    handed_in = replace(
        signed(b=NOON - 5 * DAY),
        assessments={uid(0): AssessmentContext(submitted_at=NOON - 5 * DAY)},
    )

    assert evaluate(spec, handed_in, NOON).statuses["g"].status == Status.PENDING
    assert evaluate(spec, signed(b=NOON - 5 * DAY), NOON).statuses["g"].status == Status.FAILED


def test_milestone_is_reached_with_the_last_of_its_prerequisites() -> None:
    spec = version(milestone("m"), signoff("a"), signoff("b"), before("a", "m"), before("b", "m"))
    known = signed(a=NOON - DAY, b=NOON - 2 * DAY)

    assert evaluate(spec, known, NOON).statuses["m"] == NodeStatus(
        "m",
        Status.SATISFIED,
        Reason.PREREQUISITES_MET,
        2,
        2,
        evidence=decisions_of("a", "b"),
        occurred_at=NOON - DAY,
    )


def test_milestone_fails_with_a_prerequisite() -> None:
    spec = version(milestone("m"), quiz("a"), before("a", "m"))

    assert evaluate(spec, failing(0), NOON).statuses["m"] == NodeStatus(
        "m",
        Status.FAILED,
        Reason.PREREQUISITE_FAILED,
        0,
        1,
        blocking=("a",),
        evidence=decisions_of("a"),
        occurred_at=NOON,
        is_attainable=False,
        is_open=False,
    )


@given(st.sets(st.sampled_from("abcdef")), st.integers(1, 6))
def test_group_law_n_of_m(met: set[str], need: int) -> None:
    """A group of N is met exactly when N or more of its members are."""
    spec = version(
        group("g", group_min_count=need),
        *(signoff(key) for key in "abcdef"),
        *(member(key, "g") for key in "abcdef"),
    )
    known = signed(**dict.fromkeys(sorted(met), NOON))

    found = evaluate(spec, known, NOON).statuses["g"]

    assert found.is_met is (len(met) >= need)
    assert found.have == len(met)
