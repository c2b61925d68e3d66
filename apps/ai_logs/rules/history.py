"""Which messages of a history are new, and in which order a conversation was had.

A client sends the whole history with every call (`gen_ai.input.messages`), sometimes cut, and the
calls of a conversation may arrive in any order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.ai_logs.vocabulary import Role

Print = tuple[str, bytes]
"""By what a message is recognised: its role and the digest of its text."""

LARGEST_TABLE = 250_000
"""Beyond so many comparisons messages are matched by count alone."""


@dataclass(frozen=True, slots=True)
class Said:
    """A stored message, as far as recognising and ordering it goes."""

    id: UUID
    seq: int
    role: str
    digest: bytes | None
    call_id: UUID | None
    occurred_at: datetime

    @property
    def print(self) -> Print | None:
        return None if self.digest is None else (self.role, self.digest)

    @property
    def is_answer(self) -> bool:
        """Whether a model said this when it was asked, and not the history of a later call."""
        return self.role == Role.ASSISTANT and self.call_id is None

    @property
    def is_echo(self) -> bool:
        """Whether this is an answer known only from the history of a later call."""
        return self.role == Role.ASSISTANT and self.call_id is not None


def in_order(said: Sequence[Said]) -> list[Said]:
    """Return the messages as the conversation was had.

    A call's new inputs come right before its answer, calls by the time they began. An answer that
    arrived after a later call had told it stands where it was told, and only once.
    """
    groups: dict[UUID, list[Said]] = {}
    for one in sorted(said, key=lambda one: one.seq):
        groups.setdefault(one.call_id or one.id, []).append(one)
    ordered = sorted(
        groups.values(), key=lambda group: (min(one.occurred_at for one in group), group[0].seq)
    )
    for group in ordered:
        group.sort(key=lambda one: (one.call_id is None, one.seq))
    return _each_answer_once(ordered)


def _each_answer_once(groups: list[list[Said]]) -> list[Said]:
    answers = [
        (group, one)
        for group in groups
        for one in group
        if one.is_answer and one.digest is not None
    ]
    taken: dict[UUID, list[Said]] = {}
    moved: set[int] = set()
    for group in groups:
        for echo in group:
            if not echo.is_echo:
                continue
            late = next(
                (
                    own
                    for own, answer in answers
                    if answer.digest == echo.digest
                    and answer.seq > echo.seq
                    and own is not group
                    and id(own) not in moved
                ),
                None,
            )
            if late is not None:
                taken[echo.id] = late
                moved.add(id(late))
    told: list[Said] = []
    for group in groups:
        if id(group) not in moved:
            told += _unfolded(group, taken)
    return told


def _unfolded(group: list[Said], taken: dict[UUID, list[Said]]) -> list[Said]:
    """Return a group with late answers in the places of their echoes, and those in theirs."""
    told: list[Said] = []
    for one in group:
        told += _unfolded(taken[one.id], taken) if one.id in taken else [one]
    return told


def unseen(stored: Sequence[Said], inputs: Sequence[Print], answer: Print | None) -> list[int]:
    """Return the places in a call's inputs of the messages that are not stored yet.

    Instructions are known if they were ever given. What stands before the last answer is history,
    and known as far as it can be found in the same order. What stands after it is the new turn:
    the same words again are a new message, unless the earlier ones got no answer (the call is a
    second try) or a later call has told of this very answer already.
    """
    instructions = {one.digest for one in stored if one.role == Role.SYSTEM}
    fresh = []
    for place, (role, digest) in enumerate(inputs):
        if role == Role.SYSTEM and digest not in instructions:
            instructions.add(digest)
            fresh.append(place)
    talk = [place for place, (role, _digest) in enumerate(inputs) if role != Role.SYSTEM]
    answers = [n for n, place in enumerate(talk) if inputs[place][0] == Role.ASSISTANT]
    turn = answers[-1] + 1 if answers else 0
    known = [one for one in in_order(stored) if one.print and one.role != Role.SYSTEM]
    for places, among in (
        (talk[:turn], known),
        (talk[turn:], _open_turn(known, answer)),
    ):
        found = matched([one.print for one in among], [inputs[place] for place in places])
        fresh += [place for n, place in enumerate(places) if n not in found]
    return sorted(fresh)


def _open_turn(known: Sequence[Said], answer: Print | None) -> Sequence[Said]:
    """Return the stored messages that a call's new turn may consist of."""
    told = [n for n, one in enumerate(known) if one.is_echo and one.print == answer]
    if told:
        return known[: told[-1]]
    last = max((n for n, one in enumerate(known) if one.role == Role.ASSISTANT), default=-1)
    return known[last + 1 :]


def matched(stored: Sequence[Print | None], given: Sequence[Print]) -> set[int]:
    """Return the places in `given` of a longest common subsequence; of equals, the latest."""
    start = 0
    while start < min(len(stored), len(given)) and stored[start] == given[start]:
        start += 1
    found = set(range(start))
    rest, asked = stored[start:], given[start:]
    if not rest or not asked:
        return found
    if len(rest) * len(asked) > LARGEST_TABLE:
        return found | {start + n for n in _matched_by_count(rest, asked)}
    return found | {start + n for n in _longest(rest, asked)}


def _longest(rest: Sequence[Print | None], asked: Sequence[Print]) -> set[int]:
    lengths = [[0] * (len(asked) + 1) for _ in range(len(rest) + 1)]
    for i, one in enumerate(rest, start=1):
        row, above = lengths[i], lengths[i - 1]
        for j, other in enumerate(asked, start=1):
            row[j] = above[j - 1] + 1 if one == other else max(above[j], row[j - 1])
    found = set()
    i, j = len(rest), len(asked)
    while i and j:
        if rest[i - 1] == asked[j - 1]:
            i, j = i - 1, j - 1
            found.add(j)
        elif lengths[i][j - 1] >= lengths[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return found


def _matched_by_count(rest: Sequence[Print | None], asked: Sequence[Print]) -> set[int]:
    left = Counter(rest)
    found = set()
    for n, one in enumerate(asked):
        if left[one]:
            left[one] -= 1
            found.add(n)
    return found
