"""Into which cohort a purchase leads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open cohort in which somebody could take what they bought.

    `free` counts the seats behind everybody who waits already, None for no limit; `is_taken`:
    they take part or wait there already; `days_to_start` is negative once it has begun.
    """

    id: UUID
    starts_on: date
    days_to_start: int
    is_self_paced: bool
    is_taken: bool
    free: int | None


def choose(candidates: Iterable[Candidate]) -> UUID | None:
    """Return the cohort to enrol in, None where there is none at all.

    1. The one they are in already.
    2. The first with a free seat: of the scheduled ones that have not begun the next to start;
       then the newest self-paced one; then, of those that have begun, the one that began last.
    3. Without a free seat anywhere, the first in that same order, to wait there.
    """
    in_order = sorted(candidates, key=_preference)
    taken = next((one for one in in_order if one.is_taken), None)
    seat = next((one for one in in_order if one.free is None or one.free > 0), None)
    chosen = taken or seat or next(iter(in_order), None)
    return chosen.id if chosen else None


def _preference(one: Candidate) -> tuple[int, int, str]:
    if one.is_self_paced:
        return 1, -one.starts_on.toordinal(), str(one.id)
    if one.days_to_start >= 0:
        return 0, one.days_to_start, str(one.id)
    return 2, -one.days_to_start, str(one.id)
