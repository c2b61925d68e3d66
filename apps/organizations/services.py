"""Writes about organisations and memberships, in the public schema."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.core.ids import uuid7
from apps.core.problems import Conflict, NotFound
from apps.core.revisions import violates
from apps.organizations.endings import end_sessions
from apps.organizations.hosts import require_names
from apps.organizations.limits import demand_room
from apps.organizations.models import (
    Invitation,
    LimitName,
    MembershipStatus,
    Organization,
    OrganizationDomain,
    OrgMembership,
    OrgRole,
    PlatformAction,
    schema_of,
)
from apps.organizations.selectors import member_seats

INVITATION_LASTS = timedelta(days=14)
INVITATION_SALT = "assay.invitation"


class HostTaken(Conflict):
    code = "host-taken"
    title = "This host or short name belongs to another organisation."


class InvitationGone(NotFound):
    code = "invitation-gone"
    title = "This invitation is not open any more."


class AlreadyMember(Conflict):
    code = "already-member"
    title = "This person is a member already."


class BreakGlassOwner(Conflict):
    code = "break-glass-owner"
    title = "This owner comes in when the identity provider is down: choose another one first."


class LastOwner(Conflict):
    code = "last-owner"
    title = "An organisation keeps at least one owner."


@transaction.atomic
def request_organization(*, slug: str, name: str, host: str | None = None) -> Organization:
    """Return a new organisation's row with its host; `provision` makes its schema.

    Raises Invalid for what can be no host or no name, and HostTaken.
    """
    name, host = name.strip(), (host or f"{slug}.{settings.PLATFORM_HOST}").lower()
    require_names(slug=slug, name=name, host=host)
    organization_id = uuid7()
    organization = Organization(
        id=organization_id, slug=slug, name=name, schema_name=schema_of(organization_id)
    )
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
            OrganizationDomain.objects.create(tenant=organization, domain=host, is_primary=True)
    except IntegrityError as error:
        if violates(error, "organizations_slug", "organization_domains_domain"):
            raise HostTaken from error
        raise
    return organization


def record_platform_action(
    *,
    action: str,
    organization_id: uuid.UUID | None,
    actor_id: uuid.UUID | None,
    details: dict[str, Any] | None = None,
) -> None:
    """Record who acted across organisations. Call inside `connection.platform()`."""
    PlatformAction.objects.create(
        action=action, organization_id=organization_id, actor_id=actor_id, details=details or {}
    )


def invitation_token(invitation_id: uuid.UUID) -> str:
    """Return the secret part of an invitation's link: its id, signed."""
    return signing.dumps(str(invitation_id), salt=INVITATION_SALT)


@transaction.atomic
def invite(
    *, organization_id: uuid.UUID, email: str, org_role: str, invited_by_id: uuid.UUID, at: datetime
) -> Invitation:
    """Return the open invitation of this address; an older one is replaced.

    It holds a place of the plan until it is over. Call inside `connection.platform()`. Raises
    AlreadyMember, PlanLimitReached.
    """
    email = email.strip().lower()
    Organization.objects.select_for_update().get(pk=organization_id)
    if OrgMembership.objects.filter(
        organization_id=organization_id, user__email=email, status=MembershipStatus.ACTIVE
    ).exists():
        raise AlreadyMember
    Invitation.objects.filter(
        organization_id=organization_id, email=email, accepted_at=None, withdrawn_at=None
    ).update(withdrawn_at=at)
    _demand_seat(organization_id, member_seats(organization_id, at=at).taken)
    invitation = Invitation.objects.create(
        organization_id=organization_id,
        email=email,
        org_role=org_role,
        invited_by_id=invited_by_id,
        expires_at=at + INVITATION_LASTS,
    )
    record_platform_action(
        action="member.invited",
        organization_id=organization_id,
        actor_id=invited_by_id,
        details={"invitation": str(invitation.id), "role": org_role},
    )
    return invitation


def open_invitation(*, organization_id: uuid.UUID, token: str, at: datetime) -> Invitation:
    """Return the invitation behind a link; raises InvitationGone when used, old or foreign."""
    try:
        invitation_id = signing.loads(token, salt=INVITATION_SALT)
    except signing.BadSignature as error:
        raise InvitationGone from error
    invitation = Invitation.objects.filter(
        pk=invitation_id,
        organization_id=organization_id,
        accepted_at=None,
        withdrawn_at=None,
        expires_at__gt=at,
    ).first()
    if invitation is None:
        raise InvitationGone
    return invitation


@transaction.atomic
def accept_invitation(
    *, organization_id: uuid.UUID, token: str, password: str | None, at: datetime
) -> User:
    """Return the user who is now a member; an existing account keeps its password.

    The link came to the address itself, so the address is proved. Call inside
    `connection.platform()`. Raises InvitationGone, PlanLimitReached.
    """
    Organization.objects.select_for_update().get(pk=organization_id)
    invitation = open_invitation(organization_id=organization_id, token=token, at=at)
    user = User.objects.filter(email=invitation.email).first()
    if user is None:
        user = User.objects.create_user(invitation.email, password)
    add_member(organization_id=organization_id, user=user, org_role=invitation.org_role)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=at)
    record_platform_action(
        action="member.joined",
        organization_id=organization_id,
        actor_id=user.id,
        details={"invitation": str(invitation.id)},
    )
    return user


@transaction.atomic
def add_member(*, organization_id: uuid.UUID, user: User, org_role: str) -> OrgMembership:
    """Return the user's active membership, made or re-activated with this role.

    Only members count against the plan here, not invitations: who was invited must not be kept
    out by those invited later. Call inside `connection.platform()`. Raises PlanLimitReached.
    """
    Organization.objects.select_for_update().get(pk=organization_id)
    active = OrgMembership.objects.filter(
        organization_id=organization_id, status=MembershipStatus.ACTIVE
    )
    if not active.filter(user=user).exists():
        _demand_seat(organization_id, active.count())
    membership, _ = OrgMembership.objects.update_or_create(
        organization_id=organization_id,
        user=user,
        defaults={"org_role": org_role, "status": MembershipStatus.ACTIVE},
    )
    return membership


@transaction.atomic
def change_member(
    *,
    membership: OrgMembership,
    actor_id: uuid.UUID | None,
    org_role: str | None = None,
    status: str | None = None,
) -> OrgMembership:
    """Return the membership with its new role or status; a deactivated one loses its sessions.

    Call inside `connection.platform()`. Raises LastOwner, BreakGlassOwner, PlanLimitReached.
    """
    Organization.objects.select_for_update().get(pk=membership.organization_id)
    membership = OrgMembership.objects.select_for_update().get(pk=membership.pk)
    before = {"org_role": membership.org_role, "status": membership.status}
    if status == MembershipStatus.ACTIVE and membership.status != status:
        active = OrgMembership.objects.filter(
            organization_id=membership.organization_id, status=MembershipStatus.ACTIVE
        )
        _demand_seat(membership.organization_id, active.count())
    membership.org_role = org_role or membership.org_role
    membership.status = status or membership.status
    _save_standing(membership)
    _keep_an_owner(membership.organization_id)
    if membership.status != MembershipStatus.ACTIVE:
        end_sessions(organization_id=membership.organization_id, user_id=membership.user_id)
    record_platform_action(
        action="member.changed",
        organization_id=membership.organization_id,
        actor_id=actor_id,
        details={
            "user": str(membership.user_id),
            "before": before,
            "after": {"org_role": membership.org_role, "status": membership.status},
        },
    )
    return membership


def _save_standing(membership: OrgMembership) -> None:
    try:
        with transaction.atomic():
            membership.save(update_fields=["org_role", "status"])
    except IntegrityError as error:
        if violates(error, "break_glass_is_an_active_owner"):
            raise BreakGlassOwner from error
        raise


def _demand_seat(organization_id: uuid.UUID, used: int) -> None:
    demand_room(organization_id=organization_id, name=LimitName.MEMBERS, used=used)


def _keep_an_owner(organization_id: uuid.UUID) -> None:
    owners = OrgMembership.objects.filter(
        organization_id=organization_id, org_role=OrgRole.OWNER, status=MembershipStatus.ACTIVE
    )
    if not owners.exists():
        raise LastOwner
