"""Which attempt counts, and when its result may be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.assessment.rules.policy import EffectivePolicy
from apps.assessment.vocabulary import ReleasePolicy, ResultPolicy


@dataclass(frozen=True, slots=True)
class Candidate:
    """The current result of one attempt, as far as choosing among attempts cares."""

    attempt_no: int
    percent: Decimal
    is_final: bool
    is_void: bool


def choose_result(policy: str, candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the result of record by `highest`, `latest` or `first`; void ones never count.

    Under `highest` a final result goes before a provisional one, whose score may still change;
    of equal ones the earlier attempt counts.
    """
    valid = sorted((c for c in candidates if not c.is_void), key=lambda c: c.attempt_no)
    if not valid:
        return None
    if policy == ResultPolicy.FIRST:
        return valid[0]
    if policy == ResultPolicy.LATEST:
        return valid[-1]
    return max(valid, key=lambda c: (c.is_final, c.percent, -c.attempt_no))


def is_released(
    policy: EffectivePolicy, *, decision: bool | None, is_final: bool, at: datetime
) -> bool:
    """Return whether the learner may see a result at `at`.

    `decision` is the latest recorded one, True to release and False to hold back; it goes before
    the policy. A provisional result is shown only by the policy `immediately`.
    """
    if decision is not None:
        return decision
    if policy.release_policy == ReleasePolicy.IMMEDIATELY:
        return True
    if policy.release_policy == ReleasePolicy.AFTER_DUE:
        return is_final and (policy.due_at is None or at >= policy.due_at)
    return False
