"""Members of the organisation in force: inviting, changing, deactivating.

Tenant code can't write memberships, so that no organisation can claim a stranger's account: each
of these acts goes through `connection.platform()` and leaves a row on both sides.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from apps.accounts.models import User
from apps.contacts.capabilities import Capability
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import link_user, record_admin_action
from apps.core.outbox import owe
from apps.core.problems import Forbidden, NotFound
from apps.core.tenancy import connection
from apps.organizations import services as organizations
from apps.organizations.hosts import base_url
from apps.organizations.models import Invitation, OrgMembership, OrgRole

SEND_INVITATION = "contacts.send_invitation"


class OwnersOnly(Forbidden):
    code = "owners-only"
    title = "Only an owner may make or change an owner."


class UnknownMember(NotFound):
    code = "unknown-member"
    title = "There is no such member here."


def _check_owner_rule(principal: Principal, *roles: str | None) -> None:
    if OrgRole.OWNER in roles and not principal.has(Capability.MANAGE_OWNERS):
        raise OwnersOnly


@transaction.atomic
def invite_member(
    *, email: str, org_role: str, principal: Principal, actor: Contact, at: datetime
) -> Invitation:
    """Return the new invitation; the mail is owed in the same transaction.

    Raises AlreadyMember, OwnersOnly.
    """
    _check_owner_rule(principal, org_role)
    with connection.platform():
        invitation = organizations.invite(
            organization_id=principal.org_id,
            email=email,
            org_role=org_role,
            invited_by_id=principal.user_id or principal.contact_id,
            at=at,
        )
    owe(SEND_INVITATION, str(invitation.id))
    record_admin_action(
        actor=actor,
        action="member.invited",
        details={"email": invitation.email, "role": org_role, "invitation": str(invitation.id)},
    )
    return invitation


def send_invitation(key: str, payloads: list[dict[str, object]]) -> None:
    """Mail the invitation's link, unless it was used or withdrawn in the meantime."""
    organization = connection.tenant
    with connection.platform():
        invitation = Invitation.objects.filter(
            pk=key, organization_id=organization.id, accepted_at=None, withdrawn_at=None
        ).first()
        domain = organization.domains.get(is_primary=True).domain
    if invitation is None:
        return
    context = {
        "organization": organization,
        "invitation": invitation,
        "url": f"{base_url(domain)}/invitations/{organizations.invitation_token(invitation.id)}",
    }
    message = EmailMultiAlternatives(
        subject=render_to_string("email/invitation_subject.txt", context).strip(),
        body=render_to_string("email/invitation.txt", context),
        to=[invitation.email],
    )
    message.send()


@transaction.atomic
def join(*, token: str, password: str | None, display_name: str, at: datetime) -> User:
    """Return the user who accepted an invitation, now a member and linked to their contact.

    Raises InvitationGone, EmailTaken.
    """
    organization_id = connection.tenant.id
    with connection.platform():
        user = organizations.accept_invitation(
            organization_id=organization_id, token=token, password=password, at=at
        )
    contact = link_user(
        user_id=user.id, email=user.email, display_name=display_name or user.email, at=at
    )
    record_admin_action(actor=contact, action="member.joined", entity=contact)
    return user


@transaction.atomic
def change_member(
    *,
    membership_id: uuid.UUID,
    principal: Principal,
    actor: Contact,
    org_role: str | None = None,
    status: str | None = None,
) -> OrgMembership:
    """Return the member with the new role or status; a deactivated one is signed out at once.

    Raises UnknownMember, OwnersOnly, LastOwner.
    """
    with connection.platform():
        membership = OrgMembership.objects.filter(
            pk=membership_id, organization_id=principal.org_id
        ).first()
        if membership is None:
            raise UnknownMember
        _check_owner_rule(principal, membership.org_role, org_role)
        before = {"org_role": membership.org_role, "status": membership.status}
        membership = organizations.change_member(
            membership=membership, actor_id=principal.user_id, org_role=org_role, status=status
        )
    record_admin_action(
        actor=actor,
        action="member.changed",
        details={
            "membership": str(membership.id),
            "user": str(membership.user_id),
            "before": before,
            "after": {"org_role": membership.org_role, "status": membership.status},
        },
    )
    return membership
