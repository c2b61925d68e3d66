"""Which messages of a history are new, and in which order a conversation was had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ai_logs.rules.history import LARGEST_TABLE, Print, Said, in_order, matched, unseen
from tests.ai_logs.factories import NOON


def one(role: str, words: str) -> Print:
    return role[0] + role[1:], words.encode()


def u(words: str) -> Print:
    return "user", words.encode()


def a(words: str) -> Print:
    return "assistant", words.encode()


def s(words: str) -> Print:
    return "system", words.encode()


class Log:
    """A session's log as calls arrive: what is stored of each, by the rules alone."""

    def __init__(self) -> None:
        self.rows: list[Said] = []

    def call(self, inputs: Sequence[Print], answer: Print | None, *, minute: int) -> list[Print]:
        """Store a call made at this minute; return which of its inputs were new."""
        fresh = [inputs[place] for place in unseen(self.rows, inputs, answer)]
        call_id = UUID(int=1000 + len(self.rows) + len(fresh) + 1)
        at = NOON + timedelta(minutes=minute)
        for role, digest in fresh:
            self._add(UUID(int=1000 + len(self.rows) + 1), role, digest, call_id, at)
        digest = answer[1] if answer else None
        self._add(call_id, "assistant", digest, None, at + timedelta(seconds=30))
        return fresh

    def _add(
        self, key: UUID, role: str, digest: bytes | None, call: UUID | None, at: object
    ) -> None:
        self.rows.append(Said(key, len(self.rows) + 1, role, digest, call, at))  # type: ignore[arg-type]

    @property
    def words(self) -> list[Print]:
        return [row.print for row in in_order(self.rows) if row.print]


FIRST = [s("be kind"), u("hi")]
SECOND = [*FIRST, a("hello"), u("why?")]
THIRD = [*SECOND, a("because"), u("yes")]
WHOLE = [*THIRD, a("good")]


def test_each_call_adds_only_what_is_new_to_the_log() -> None:
    log = Log()

    assert log.call(FIRST, a("hello"), minute=1) == FIRST
    assert log.call(SECOND, a("because"), minute=2) == [u("why?")]
    assert log.call(THIRD, a("good"), minute=3) == [u("yes")]
    assert log.words == WHOLE


def test_the_same_words_in_a_new_turn_are_a_new_message() -> None:
    log = Log()
    log.call([u("yes")], a("ok"), minute=1)

    assert log.call([u("yes"), a("ok"), u("yes")], a("fine"), minute=2) == [u("yes")]
    assert log.call([u("yes")], a("ok"), minute=3) == [u("yes")]
    assert log.words == [u("yes"), a("ok"), u("yes"), a("fine"), u("yes"), a("ok")]


def test_a_window_of_the_history_is_recognised() -> None:
    log = Log()
    log.call(FIRST, a("hello"), minute=1)
    log.call(SECOND, a("because"), minute=2)

    assert log.call([a("because"), u("hi")], a("again?"), minute=3) == [u("hi")]


def test_a_second_try_after_a_failure_repeats_nothing() -> None:
    log = Log()
    log.call(FIRST, None, minute=1)

    assert log.call(FIRST, a("hello"), minute=2) == []
    assert log.words == [*FIRST, a("hello")]


def test_instructions_are_kept_once_until_they_change() -> None:
    log = Log()
    log.call(FIRST, a("hello"), minute=1)

    assert log.call([s("be kind"), u("next")], a("ok"), minute=2) == [u("next")]
    assert log.call([s("be brief"), u("more")], a("ok"), minute=3) == [s("be brief"), u("more")]


def test_history_that_no_call_told_of_is_kept() -> None:
    log = Log()

    assert log.call(SECOND, a("because"), minute=2) == SECOND
    assert log.words == [*SECOND, a("because")]


def test_calls_that_arrive_in_the_wrong_order_tell_the_same_conversation() -> None:
    log = Log()
    log.call(THIRD, a("good"), minute=3)
    assert log.call(FIRST, a("hello"), minute=1) == []
    assert log.call(SECOND, a("because"), minute=2) == []

    assert log.words == WHOLE


@given(st.permutations([0, 1, 2]))
def test_any_order_of_arrival_tells_the_same_conversation(order: list[int]) -> None:
    calls = [(FIRST, a("hello")), (SECOND, a("because")), (THIRD, a("good"))]
    log = Log()
    for number in order:
        log.call(*calls[number], minute=number + 1)

    assert log.words == WHOLE


def test_calls_without_history_are_ordered_by_their_time() -> None:
    log = Log()
    log.call([u("second")], a("2"), minute=2)
    log.call([u("first")], a("1"), minute=1)

    assert log.words == [u("first"), a("1"), u("second"), a("2")]


turns = st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("pq")), min_size=1, max_size=8)


@given(turns, st.booleans())
def test_whatever_is_said_the_log_is_the_conversation(
    turns: list[tuple[str, str]], has_instructions: bool
) -> None:
    log = Log()
    history: list[Print] = [s("be kind")] if has_instructions else []
    for minute, (question, answer) in enumerate(turns):
        history.append(u(question))
        log.call(history, a(answer), minute=minute)
        history = [*history, a(answer)]

    assert log.words == history


prints = st.lists(st.sampled_from([u("x"), u("y"), a("x"), a("z")]), max_size=9)


@given(prints, prints)
def test_matched_is_a_longest_common_subsequence(stored: list[Print], given_: list[Print]) -> None:
    found = sorted(matched(stored, given_))

    rest = iter(stored)
    assert all(given_[place] in rest for place in found)
    assert len(found) == longest(stored, given_)


def longest(one: list[Print], other: list[Print]) -> int:
    """The textbook recursion, as the oracle."""
    if not one or not other:
        return 0
    if one[-1] == other[-1]:
        return longest(one[:-1], other[:-1]) + 1
    return max(longest(one[:-1], other), longest(one, other[:-1]))


def test_matched_counts_where_a_table_would_be_too_large() -> None:
    size = int(LARGEST_TABLE**0.5) + 10
    stored = [u(str(n)) for n in range(size)]

    assert matched(stored, [a("new"), *stored]) == set(range(1, size + 1))


@pytest.mark.parametrize("count", [0, 1])
def test_in_order_of_little_is_little(count: int) -> None:
    rows = [Said(UUID(int=1), 1, "user", b"x", None, NOON)][:count]

    assert in_order(rows) == rows
