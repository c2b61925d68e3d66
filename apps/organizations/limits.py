"""What a plan allows is demanded wherever something is added."""

from __future__ import annotations

import uuid
from decimal import Decimal

from apps.core.problems import Problem
from apps.organizations.models import LimitName
from apps.organizations.selectors import limits_of

MEGABYTE = 1_000_000


class PlanLimitReached(Problem):
    """402: nothing is wrong with the request or the rights of who sends it, but with the plan.

    The members `limit`, `allowed`, `used` and `plan` say which, how much, and how much there is.
    """

    code, status, title = (
        "plan-limit-reached",
        402,
        "The organisation's plan allows no more of this.",
    )


def demand_room(*, organization_id: uuid.UUID, name: str, used: int, adding: int = 1) -> None:
    """Raise PlanLimitReached unless `adding` more may be had.

    The caller holds a lock under which `used` was counted: else two could take the last place.
    """
    limit = limits_of(organization_id, [name])[name]
    if limit.amount is None or used + adding <= limit.amount:
        return
    raise PlanLimitReached(
        detail=_told(name, limit.amount, used),
        limit=name,
        allowed=int(limit.amount),
        used=used,
        plan=limit.plan,
    )


def _told(name: str, allowed: Decimal, used: int) -> str:
    if name == LimitName.STORAGE:
        of = f"{used / MEGABYTE:,.0f} of {allowed / MEGABYTE:,.0f} MB of storage are used"
    else:
        of = f"{used} of {allowed:.0f} {name} are taken"
    return f"{of}. Ask whoever runs the platform for a larger plan."
