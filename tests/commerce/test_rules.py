"""Which state is the later one, what a line comes to, and into which cohort a purchase leads."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.commerce.currencies import CODES, decimals, in_words
from apps.commerce.rules.choosing import Candidate, choose
from apps.commerce.rules.mirroring import (
    STAGES,
    Mark,
    Standing,
    effective_state,
    stage_of,
    standing,
)
from apps.commerce.vocabulary import PaymentState

P = PaymentState
T = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
MARKS = st.builds(
    Mark,
    revision=st.none() | st.integers(0, 3),
    updated_at=st.sampled_from([T, T + timedelta(seconds=1), T + timedelta(seconds=2)]),
    stage=st.integers(0, 3),
)


# --- Which state is the later one ---------------------------------------------------------------


@given(MARKS, MARKS)
def test_of_two_states_at_most_one_is_newer(one: Mark, other: Mark) -> None:
    opposite = {
        Standing.NEWER: Standing.OLDER,
        Standing.OLDER: Standing.NEWER,
        Standing.SAME: Standing.SAME,
    }

    assert standing(other, one) is opposite[standing(one, other)]


@given(st.permutations([Mark(1, T, 1), Mark(2, T, 1), Mark(2, T, 2), Mark(3, T, 0)]))
def test_in_whatever_order_states_come_the_last_one_is_kept(marks: list[Mark]) -> None:
    kept = marks[0]
    for mark in marks[1:]:
        if standing(kept, mark) is Standing.NEWER:
            kept = mark

    assert kept == Mark(3, T, 0)


@pytest.mark.parametrize(
    ("known", "told", "how"),
    [
        (Mark(1, T, 1), Mark(2, T - timedelta(days=1), 0), Standing.NEWER),
        (Mark(2, T, 1), Mark(1, T + timedelta(days=1), 2), Standing.OLDER),
        (Mark(2, T, 1), Mark(2, T + timedelta(days=1), 1), Standing.SAME),
        (Mark(None, T, 1), Mark(None, T + timedelta(seconds=1), 0), Standing.NEWER),
        (Mark(None, T, 1), Mark(None, T, 2), Standing.NEWER),
        (Mark(None, T, 2), Mark(None, T, 1), Standing.OLDER),
        (Mark(None, T, 1), Mark(None, T, 1), Standing.SAME),
        (Mark(5, T, 1), Mark(None, T + timedelta(seconds=1), 1), Standing.NEWER),
        (Mark(None, T, 1), Mark(1, T - timedelta(seconds=1), 1), Standing.OLDER),
    ],
)
def test_standing(known: Mark, told: Mark, how: Standing) -> None:
    assert standing(known, told) is how


# --- What a line comes to -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "line", "state"),
    [
        (P.PENDING, P.PENDING, P.PENDING),
        (P.PENDING, P.PAID, P.PENDING),
        (P.PENDING, P.CANCELLED, P.CANCELLED),
        (P.PAID, P.PAID, P.PAID),
        (P.PAID, P.PENDING, P.PENDING),
        (P.PAID, P.REFUNDED, P.REFUNDED),
        (P.PAID, P.CANCELLED, P.CANCELLED),
        (P.REFUNDED, P.PAID, P.REFUNDED),
        (P.CANCELLED, P.PAID, P.CANCELLED),
        (P.CANCELLED, P.PENDING, P.CANCELLED),
    ],
)
def test_effective_state(order: P, line: P, state: P) -> None:
    assert effective_state(order=order, line=line) is state


@given(st.sampled_from(P), st.sampled_from(P))
def test_a_line_is_paid_only_where_both_say_so(order: P, line: P) -> None:
    is_paid = effective_state(order=order, line=line) is P.PAID

    assert is_paid == (order is P.PAID and line is P.PAID)


@given(st.lists(st.sampled_from(P)))
def test_stage_grows_with_every_step(states: list[P]) -> None:
    assert stage_of(states) == sum(STAGES[state] for state in states)
    assert stage_of([*states, P.PAID]) > stage_of([*states, P.PENDING])
    assert stage_of([*states, P.REFUNDED]) > stage_of([*states, P.PAID])


# --- Into which cohort --------------------------------------------------------------------------


def candidate(
    number: int,
    days: int = 10,
    *,
    free: int | None = None,
    is_self_paced: bool = False,
    is_taken: bool = False,
) -> Candidate:
    return Candidate(
        id=UUID(int=number),
        starts_on=TODAY + timedelta(days=days),
        days_to_start=days,
        is_self_paced=is_self_paced,
        is_taken=is_taken,
        free=free,
    )


@pytest.mark.parametrize(
    ("offered", "number"),
    [
        ([candidate(1, 20), candidate(2, 10), candidate(3, 30)], 2),
        ([candidate(1, -1), candidate(2, 0)], 2),
        ([candidate(1, -1), candidate(2, -90, is_self_paced=True)], 2),
        (
            [candidate(1, -90, is_self_paced=True), candidate(2, -3, is_self_paced=True)],
            2,
        ),
        ([candidate(1, -30), candidate(2, -3)], 2),
        ([candidate(1, 10, free=0), candidate(2, 20, free=1)], 2),
        ([candidate(1, 10, free=0), candidate(2, -5, is_self_paced=True)], 2),
        ([candidate(1, 10, free=0), candidate(2, 20, free=0)], 1),
        ([candidate(1, 10, free=3), candidate(2, -50, free=0, is_taken=True)], 2),
    ],
)
def test_choose(offered: list[Candidate], number: int) -> None:
    assert choose(offered) == UUID(int=number)


def test_choose_of_nothing_is_nothing() -> None:
    assert choose([]) is None


CANDIDATES = st.lists(
    st.builds(
        candidate,
        st.integers(1, 1000),
        st.integers(-50, 50),
        free=st.none() | st.integers(0, 2),
        is_self_paced=st.booleans(),
        is_taken=st.booleans(),
    ),
    unique_by=lambda one: one.id,
    max_size=6,
)


@given(CANDIDATES, st.randoms())
def test_choose_does_not_depend_on_the_order(offered: list[Candidate], random: object) -> None:
    shuffled = list(offered)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert choose(shuffled) == choose(offered)


@given(CANDIDATES)
def test_nobody_waits_while_there_is_a_seat(offered: list[Candidate]) -> None:
    chosen = choose(offered)

    by_id = {one.id: one for one in offered}
    if any(one.is_taken for one in offered):
        assert chosen is not None
        assert by_id[chosen].is_taken
    elif any(one.free is None or one.free for one in offered):
        assert chosen is not None
        assert by_id[chosen].free != 0
    else:
        assert (chosen is None) == (not offered)


# --- Amounts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("120.0000", "EUR", "120.00 EUR"),
        ("1234.5", "USD", "1,234.50 USD"),
        ("1500.0000", "JPY", "1,500 JPY"),
        ("1.2340", "KWD", "1.234 KWD"),
        ("0.1250", "EUR", "0.125 EUR"),
        ("0.0000", "EUR", "0.00 EUR"),
        ("1000000", "XYZ", "1,000,000.00 XYZ"),
    ],
)
def test_in_words(amount: str, currency: str, words: str) -> None:
    assert in_words(Decimal(amount), currency) == words


def test_currencies_are_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CODES)
    assert {decimals(code) for code in CODES} == {0, 2, 3}
