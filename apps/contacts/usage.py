"""How much of its plan the organisation in force uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.contacts import ports
from apps.core.models import StorageUsage
from apps.core.tenancy import connection
from apps.organizations.models import LimitName
from apps.organizations.selectors import Limit, Seats, limits_of, member_seats


@dataclass(frozen=True)
class Used:
    """One limit and what is used of it; None where nobody measures it."""

    limit: Limit
    used: Decimal | None

    @property
    def is_full(self) -> bool:
        return (
            self.limit.amount is not None
            and self.used is not None
            and self.used >= self.limit.amount
        )


def seats_here(*, at: datetime) -> Seats:
    """Return the logins of the organisation in force, and those that are invited."""
    organization_id = connection.tenant.id
    with connection.platform():
        return member_seats(organization_id, at=at)


def plan_usage(*, at: datetime) -> list[Used]:
    """Return what the plan of the organisation in force limits, and how much of it is used."""
    used: dict[str, Decimal | None] = {
        LimitName.MEMBERS: Decimal(seats_here(at=at).taken),
        LimitName.STORAGE: Decimal(sum(StorageUsage.objects.values_list("bytes", flat=True))),
        LimitName.AI_BUDGET: ports.ai_cost_this_month(at),
    }
    limits = limits_of(connection.tenant.id)
    return [Used(limits[name], used[name]) for name in LimitName.values]
