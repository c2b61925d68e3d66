"""Which of two states of an order is the later one, and what a line's state comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from apps.commerce.vocabulary import PaymentState

STAGES = {
    PaymentState.PENDING: 0,
    PaymentState.PAID: 1,
    PaymentState.REFUNDED: 2,
    PaymentState.CANCELLED: 2,
}
"""How far a payment is: what was paid was pending before, what was refunded was paid."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where in an order's life a state of it belongs.

    `stage` is the sum of its lines' stages: it decides between states of the same moment.
    """

    revision: int | None
    updated_at: datetime
    stage: int


class Standing(Enum):
    """A state that is told, next to the one that is known."""

    NEWER = "newer"
    SAME = "same"
    OLDER = "older"


def standing(known: Mark, told: Mark) -> Standing:
    """Return how a told state stands to the known one.

    Revisions decide where both have one, else the moments of the last change. At the same
    revision or moment the state that is further along is the newer: shops count in whole seconds.
    """
    if known.revision is not None and told.revision is not None:
        is_newer, is_older = told.revision > known.revision, told.revision < known.revision
    else:
        is_newer, is_older = told.updated_at > known.updated_at, told.updated_at < known.updated_at
    if is_newer or is_older:
        return Standing.NEWER if is_newer else Standing.OLDER
    if told.stage == known.stage:
        return Standing.SAME
    return Standing.NEWER if told.stage > known.stage else Standing.OLDER


def effective_state(*, order: PaymentState, line: PaymentState) -> PaymentState:
    """Return a line's state once its order's is taken into account.

    Nothing of an unpaid order is paid, nothing of a refunded one is kept; a line of a paid order
    may be refunded or cancelled by itself.
    """
    if order == PaymentState.PAID:
        return line
    if order == PaymentState.PENDING and STAGES[line] == STAGES[PaymentState.CANCELLED]:
        return line
    return order


def stage_of(states: Iterable[PaymentState]) -> int:
    """Return how far the lines of an order are, together."""
    return sum(STAGES[state] for state in states)
