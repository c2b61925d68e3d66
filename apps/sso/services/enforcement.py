"""Making the identity provider the only way in, with one owner's way around it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.contacts.models import ApiToken, Contact
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict, Invalid
from apps.core.tenancy import connection
from apps.organizations.endings import end_sessions
from apps.organizations.models import (
    TEST_SIGN_IN_COUNTS,
    MembershipStatus,
    Organization,
    OrgMembership,
    OrgRole,
    SsoProvider,
)
from apps.organizations.services import record_platform_action
from apps.sso.services.connections import check_owner


class NotTested(Conflict):
    code = "sso-not-tested"
    title = "Sign in once through the identity provider, as a test, within the hour before."


class NotOffered(Conflict):
    code = "sso-not-offered"
    title = "Offer single sign-on on the sign-in page first."


class NoBreakGlass(Invalid):
    code = "sso-break-glass"
    title = "Choose an owner who has a password to come in when the identity provider is down."


@transaction.atomic
def record_test(*, organization_id: UUID, actor: Contact, at: datetime) -> None:
    """Note that an owner has come in through the provider as it is described now."""
    with connection.platform():
        Organization.objects.filter(pk=organization_id).update(sso_tested_at=at)
        record_platform_action(
            action="sso.tested", organization_id=organization_id, actor_id=actor.user_id
        )
    record_admin_action(actor=actor, action="sso.tested")


@transaction.atomic
def enforce_sso(
    *,
    principal: Principal,
    actor: Contact,
    break_glass_id: UUID,
    revokes_tokens: bool,
    at: datetime,
) -> None:
    """Close every door but the provider's and the break-glass owner's.

    Sessions that came through another door end with their next request; API tokens go on unless
    they are revoked along. Raises OwnersChangeSso, NotOffered, NotTested, NoBreakGlass.
    """
    check_owner(principal)
    with connection.platform():
        organization = Organization.objects.select_for_update().get(pk=principal.org_id)
        if organization.sso_provider == SsoProvider.NONE:
            raise NotOffered
        tested_at = organization.sso_tested_at
        if tested_at is None or at - tested_at > TEST_SIGN_IN_COUNTS:
            raise NotTested
        organization.sso_break_glass = _break_glass(principal.org_id, break_glass_id)
        organization.sso_enforced = True
        organization.sso_enforced_at = at
        organization.save(update_fields=["sso_break_glass", "sso_enforced", "sso_enforced_at"])
    revoked = _revoke_tokens(at) if revokes_tokens else 0
    _record(
        principal, actor, "sso.enforced", break_glass=str(break_glass_id), tokens_revoked=revoked
    )


@transaction.atomic
def relax_sso(*, principal: Principal, actor: Contact) -> None:
    """Open the other doors again. Raises OwnersChangeSso."""
    check_owner(principal)
    with connection.platform():
        Organization.objects.filter(pk=principal.org_id).update(
            sso_enforced=False, sso_enforced_at=None, sso_break_glass=None
        )
    _record(principal, actor, "sso.relaxed")


@transaction.atomic
def change_break_glass(*, principal: Principal, actor: Contact, break_glass_id: UUID) -> None:
    """Let another owner come in by password while sign-on is enforced; the former is signed out.

    Raises OwnersChangeSso, NoBreakGlass.
    """
    check_owner(principal)
    with connection.platform():
        organization = Organization.objects.select_for_update().get(pk=principal.org_id)
        former = organization.sso_break_glass
        organization.sso_break_glass = _break_glass(principal.org_id, break_glass_id)
        organization.save(update_fields=["sso_break_glass"])
        if former is not None and former.pk != break_glass_id:
            end_sessions(organization_id=principal.org_id, user_id=former.user_id)
    _record(principal, actor, "sso.break_glass_changed", break_glass=str(break_glass_id))


def _break_glass(organization_id: UUID, membership_id: UUID) -> OrgMembership:
    owner = (
        OrgMembership.objects.select_related("user")
        .filter(
            pk=membership_id,
            organization_id=organization_id,
            org_role=OrgRole.OWNER,
            status=MembershipStatus.ACTIVE,
        )
        .first()
    )
    if owner is None or not owner.user.is_active or not owner.user.has_usable_password():
        raise NoBreakGlass
    return owner


def _revoke_tokens(at: datetime) -> int:
    """Revoke what members made for themselves; tokens of contacts without a login stay."""
    return ApiToken.objects.filter(revoked_at=None, contact__user_id__isnull=False).update(
        revoked_at=at
    )


def _record(principal: Principal, actor: Contact, action: str, **details: Any) -> None:
    record_admin_action(actor=actor, action=action, details=details)
    with connection.platform():
        record_platform_action(
            action=action,
            organization_id=principal.org_id,
            actor_id=principal.user_id,
            details=details,
        )
