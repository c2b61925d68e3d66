from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.rules.policy import VersionTerms, WindowTerms, effective_policy
from apps.assessment.rules.record import Candidate, choose_result, is_released
from apps.assessment.vocabulary import ReleasePolicy, ResultPolicy

DUE = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FIRST = Candidate(1, Decimal(60), is_final=True, is_void=False)
BEST = Candidate(2, Decimal(90), is_final=True, is_void=False)
LAST = Candidate(3, Decimal(40), is_final=True, is_void=False)
OPEN = Candidate(4, Decimal(95), is_final=False, is_void=False)
VOID = Candidate(5, Decimal(100), is_final=False, is_void=True)


@pytest.mark.parametrize(
    ("policy", "chosen"),
    [(ResultPolicy.HIGHEST, BEST), (ResultPolicy.LATEST, OPEN), (ResultPolicy.FIRST, FIRST)],
)
def test_choose_result_follows_the_policy_and_leaves_out_void_attempts(
    policy: str, chosen: Candidate
) -> None:
    assert choose_result(policy, [LAST, VOID, OPEN, BEST, FIRST]) == chosen


def test_choose_result_of_nothing_valid_is_nothing() -> None:
    assert choose_result(ResultPolicy.HIGHEST, []) is None
    assert choose_result(ResultPolicy.LATEST, [VOID]) is None


def test_choose_result_takes_the_earlier_of_two_equals() -> None:
    again = Candidate(6, Decimal(90), is_final=True, is_void=False)

    assert choose_result(ResultPolicy.HIGHEST, [again, BEST]) == BEST


candidates = st.lists(
    st.builds(Candidate, st.integers(1, 9), st.integers(0, 100).map(Decimal), st.booleans(),
              st.booleans()),
    unique_by=lambda c: c.attempt_no,
    max_size=6,
)  # fmt: skip


@given(policy=st.sampled_from(ResultPolicy.values), tried=candidates)
def test_choose_result_does_not_depend_on_the_order(policy: str, tried: list[Candidate]) -> None:
    assert choose_result(policy, tried) == choose_result(policy, tried[::-1])


@pytest.mark.parametrize(
    ("policy", "is_final", "decision", "at", "released"),
    [
        (ReleasePolicy.IMMEDIATELY, False, None, DUE - SECOND, True),
        (ReleasePolicy.AFTER_DUE, True, None, DUE - SECOND, False),
        (ReleasePolicy.AFTER_DUE, True, None, DUE, True),
        (ReleasePolicy.AFTER_DUE, False, None, DUE, False),
        (ReleasePolicy.MANUAL, True, None, DUE, False),
        (ReleasePolicy.MANUAL, True, True, DUE, True),
        (ReleasePolicy.IMMEDIATELY, True, False, DUE, False),
    ],
)
def test_is_released_by_policy_or_decision(
    policy: str, is_final: bool, decision: bool | None, at: datetime, released: bool
) -> None:
    terms = effective_policy(VersionTerms(release_policy=policy), WindowTerms(due_at=DUE))

    assert is_released(terms, decision=decision, is_final=is_final, at=at) is released
