"""An order as a shop tells it, once its webhook was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.commerce.rules.mirroring import Mark, effective_state, stage_of
from apps.commerce.vocabulary import PaymentState


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody by their address; the name may be missing."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ToldLine:
    """A line; without a beneficiary it is for the buyer."""

    external_id: str
    sku: str
    amount: Decimal
    state: PaymentState = PaymentState.PAID
    title: str = ""
    quantity: int = 1
    beneficiary: Person | None = None


@dataclass(frozen=True, slots=True)
class ToldOrder:
    """A whole order: lines that it does not tell are not in it any more."""

    external_id: str
    state: PaymentState
    currency: str
    total: Decimal
    buyer: Person
    updated_at: datetime
    lines: tuple[ToldLine, ...]
    number: str = ""
    revision: int | None = None
    placed_at: datetime | None = None

    def state_of(self, line: ToldLine) -> PaymentState:
        """Return what the line's state comes to in this order."""
        return effective_state(order=self.state, line=line.state)

    def mark(self, *, gone: int = 0) -> Mark:
        """Return where in the order's life this state belongs; `gone` lines are cancelled."""
        states = [self.state_of(line) for line in self.lines]
        states += [PaymentState.CANCELLED] * gone
        return Mark(self.revision, self.updated_at, stage_of(states))
