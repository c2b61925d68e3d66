"""Reads about organisations: what a plan allows, and how much of it is used."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, Subquery

from apps.organizations.models import (
    Invitation,
    LimitName,
    MembershipStatus,
    Organization,
    OrganizationLimit,
    OrgMembership,
    PlanLimit,
)


@dataclass(frozen=True)
class Limit:
    """How much an organisation may have: None is no limit; its own, or its plan's."""

    name: str
    plan: str
    amount: Decimal | None
    is_own: bool


@dataclass(frozen=True)
class Seats:
    """Logins that are active, and those that open invitations would add."""

    active: int
    invited: int

    @property
    def taken(self) -> int:
        return self.active + self.invited


def limit_of(organization: Any, name: str) -> Decimal | None:
    """Return what the organisation may have of this, None for no limit; in one statement.

    Members in logins, storage in bytes, `ai_budget` in US dollars a month. What was agreed with
    the organisation goes before its plan. Callable as the organisation and as the platform.
    """
    return limits_of(organization.id, [name])[name].amount


def limits_of(organization_id: uuid.UUID, names: list[str] | None = None) -> Mapping[str, Limit]:
    """Return name -> limit of an organisation, in one statement.

    Raises Organization.DoesNotExist for one that is not there or that the caller may not see.
    """
    wanted = names or list(LimitName.values)
    described: dict[str, Any] = {}
    for name in wanted:
        own = OrganizationLimit.objects.filter(organization=OuterRef("pk"), name=name)
        of_plan = PlanLimit.objects.filter(plan=OuterRef("plan"), name=name)
        described[f"{name}_is_own"] = Exists(own)
        described[f"{name}_own"] = Subquery(own.values("amount")[:1])
        described[f"{name}_planned"] = Subquery(of_plan.values("amount")[:1])
    row = Organization.objects.annotate(**described).values().get(pk=organization_id)
    return {name: _limit(row, name) for name in wanted}


def _limit(row: Mapping[str, Any], name: str) -> Limit:
    is_own = bool(row[f"{name}_is_own"])
    amount = row[f"{name}_own"] if is_own else row[f"{name}_planned"]
    return Limit(name=name, plan=row["plan"], amount=amount, is_own=is_own)


def member_seats(organization_id: uuid.UUID, *, at: datetime) -> Seats:
    """Return how many logins there are and how many may come. Call as the platform."""
    members = OrgMembership.objects.filter(
        organization_id=organization_id, status=MembershipStatus.ACTIVE
    )
    invited = Invitation.objects.filter(
        organization_id=organization_id, accepted_at=None, withdrawn_at=None, expires_at__gt=at
    ).exclude(email__in=members.values("user__email"))
    return Seats(active=members.count(), invited=invited.count())
