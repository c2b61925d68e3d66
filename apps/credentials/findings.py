"""How a check ends: the state, the reason and the details of one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from apps.credentials.reasons import Reason


class State(StrEnum):
    """How one check, or all of them together, ended."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Step:
    """What one check found; `detail` is for engineers."""

    name: str
    state: State
    reason: Reason
    detail: str = ""

    @property
    def sentence(self) -> str:
        return self.reason.sentence


class Finding(Exception):
    """Ends a check early with its outcome."""

    def __init__(self, state: State, reason: Reason, detail: object = "") -> None:
        super().__init__(reason)
        self.state, self.reason, self.detail = state, reason, str(detail)[:500]


def run_step(name: str, check: Callable[[], Reason]) -> Step:
    """Return the step a check ends in: valid with the reason it returns, or its finding."""
    try:
        return Step(name, State.VALID, check())
    except Finding as finding:
        return Step(name, finding.state, finding.reason, finding.detail)
