"""Plans and what is agreed beside them: changed by the platform, each change on record."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.db import transaction

from apps.core.problems import Invalid
from apps.organizations.models import LimitName, Organization, OrganizationLimit, Plan
from apps.organizations.services import record_platform_action


class LimitInvalid(Invalid):
    code = "limit-invalid"
    title = "The plan or limit can't be like this."


@transaction.atomic
def set_plan(
    *, organization_id: uuid.UUID, plan: str, reason: str, actor_id: uuid.UUID | None
) -> Organization:
    """Return the organisation, on another plan. What it has above the new limits it keeps.

    Call inside `connection.platform()`. Raises LimitInvalid.
    """
    if plan not in Plan.values:
        raise LimitInvalid(detail=f"“{plan}” is no plan: {', '.join(Plan.values)}.")
    organization: Organization = Organization.objects.select_for_update().get(pk=organization_id)
    before, organization.plan = organization.plan, plan
    organization.save(update_fields=["plan"])
    record_platform_action(
        action="plan.changed",
        organization_id=organization_id,
        actor_id=actor_id,
        details={"before": before, "after": plan, "reason": reason},
    )
    return organization


@transaction.atomic
def agree_limit(
    *,
    organization_id: uuid.UUID,
    name: str,
    amount: Decimal | None,
    reason: str,
    actor_id: uuid.UUID | None,
) -> OrganizationLimit:
    """Return what is agreed with one organisation from now on; None is no limit.

    Call inside `connection.platform()`. Raises LimitInvalid.
    """
    if name not in LimitName.values:
        raise LimitInvalid(detail=f"“{name}” is no limit: {', '.join(LimitName.values)}.")
    if amount is not None and not 0 <= amount < Decimal(10) ** 18:
        raise LimitInvalid(detail="An amount is not negative, and below 10^18.")
    if not reason.strip():
        raise LimitInvalid(detail="Say why this organisation is an exception.")
    Organization.objects.select_for_update().get(pk=organization_id)
    agreed, _made = OrganizationLimit.objects.update_or_create(
        organization_id=organization_id,
        name=name,
        defaults={"amount": amount, "reason": reason.strip()},
    )
    told = None if amount is None else str(amount)
    record_platform_action(
        action="limit.agreed",
        organization_id=organization_id,
        actor_id=actor_id,
        details={"limit": name, "amount": told, "reason": agreed.reason},
    )
    return agreed


@transaction.atomic
def forget_agreed_limit(
    *, organization_id: uuid.UUID, name: str, actor_id: uuid.UUID | None
) -> None:
    """Let the plan's limit count again. Call inside `connection.platform()`."""
    Organization.objects.select_for_update().get(pk=organization_id)
    gone, _kinds = OrganizationLimit.objects.filter(
        organization_id=organization_id, name=name
    ).delete()
    if gone:
        record_platform_action(
            action="limit.forgotten",
            organization_id=organization_id,
            actor_id=actor_id,
            details={"limit": name},
        )
