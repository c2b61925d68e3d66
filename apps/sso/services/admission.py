"""Letting somebody in whom the organisation's identity provider signed in.

What is authenticated is a membership. A new account is made, an existing one becomes a member
here; its password, its factors and its address stay as they are, whatever the provider says.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.contacts.services import EmailTaken, link_user, record_admin_action
from apps.core.revisions import violates
from apps.core.tenancy import connection
from apps.organizations.limits import PlanLimitReached
from apps.organizations.models import Invitation, MembershipStatus, Organization, OrgMembership
from apps.organizations.services import add_member, record_platform_action
from apps.sso.models import SsoConnection, SsoIdentity, UsedAssertion
from apps.sso.problems import (
    AccountDeactivated,
    AlreadyUsed,
    ContactTaken,
    IdentityTaken,
    MemberDeactivated,
    NoSeat,
    NotInvited,
    WrongProvider,
)
from apps.sso.rules import Asserted, believed_email, check_subject
from apps.sso.selectors import verified_domains


@transaction.atomic
def spend_assertion(*, assertion_id: str, expires_at: datetime) -> None:
    """Note that an assertion opened the door. Raises AlreadyUsed the second time."""
    organization_id = connection.tenant.id
    with connection.platform():
        try:
            with transaction.atomic():
                UsedAssertion.objects.create(
                    organization_id=organization_id,
                    assertion_id=assertion_id[:300],
                    expires_at=expires_at,
                )
        except IntegrityError as error:
            if violates(error, "sso_assertion_used_once"):
                raise AlreadyUsed(why=assertion_id) from error
            raise


@transaction.atomic
def admit(*, asserted: Asserted, at: datetime) -> User:
    """Return the user whom the provider signed in, a member here and linked to their contact.

    The first time, the address decides: of a verified domain it leads to the account of that
    address, or to a new one. From then on the provider's subject does, whatever the address.
    Raises SignInRefused in the kind that says why not.
    """
    organization_id: UUID = connection.tenant.id
    with connection.platform():
        row = _connection(organization_id, asserted)
        identity = _known(organization_id, asserted) or _bind(row, asserted, at)
        user = identity.user
        if not user.is_active:
            raise AccountDeactivated
        joined_as = _ensure_member(row, user, identity.email, at)
        SsoIdentity.objects.filter(pk=identity.pk).update(last_used_at=at)
    _ensure_contact(user, identity.email, asserted, joined_as, at)
    return user


def recognise(*, asserted: Asserted) -> UUID | None:
    """Return whom the provider signed in, as far as is known here, and change nothing.

    Raises SignInRefused where the provider is not believed.
    """
    organization_id: UUID = connection.tenant.id
    with connection.platform():
        row = _connection(organization_id, asserted)
        identity = _known(organization_id, asserted)
        if identity is not None:
            return identity.user_id
        email = _believed(row, asserted)
        return User.objects.filter(email=email).values_list("pk", flat=True).first()


def _connection(organization_id: UUID, asserted: Asserted) -> SsoConnection:
    check_subject(asserted)
    row = SsoConnection.objects.filter(organization_id=organization_id).first()
    if row is None or row.provider_id != asserted.provider_id:
        raise WrongProvider(why=f"asserted by {asserted.provider_id}")
    return row


def _known(organization_id: UUID, asserted: Asserted) -> SsoIdentity | None:
    return (
        SsoIdentity.objects.select_related("user")
        .filter(
            organization_id=organization_id,
            provider_id=asserted.provider_id,
            subject=asserted.subject,
        )
        .first()
    )


def _believed(row: SsoConnection, asserted: Asserted) -> str:
    return believed_email(
        asserted,
        verified_domains=verified_domains(row.organization_id),
        believes_unverified=row.believes_unverified_email,
    )


def _bind(row: SsoConnection, asserted: Asserted, at: datetime) -> SsoIdentity:
    """Return the new binding of this subject to the account of its address, new if need be."""
    email = _believed(row, asserted)
    # One at a time from here: two first sign-ins of one person make one account.
    Organization.objects.select_for_update(no_key=True).get(pk=row.organization_id)
    bound_meanwhile = _known(row.organization_id, asserted)
    if bound_meanwhile is not None:
        return bound_meanwhile
    user = User.objects.filter(email=email).first()
    if user is None:
        _role_to_join_in(row, email, at)
        user = User.objects.create_user(email)
    try:
        with transaction.atomic():
            identity = SsoIdentity.objects.create(
                organization_id=row.organization_id,
                provider_id=asserted.provider_id,
                subject=asserted.subject,
                user=user,
                email=email,
            )
    except IntegrityError as error:
        if violates(error, "sso_identity_one_subject_per_user"):
            raise IdentityTaken(why=f"subject {asserted.subject}") from error
        raise
    record_platform_action(
        action="sso.linked",
        organization_id=row.organization_id,
        actor_id=user.id,
        details={"identity": str(identity.id), "provider": asserted.provider_id},
    )
    return identity


def _open_invitations(row: SsoConnection, email: str, at: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        organization_id=row.organization_id,
        email=email,
        accepted_at=None,
        withdrawn_at=None,
        expires_at__gt=at,
    )


def _role_to_join_in(row: SsoConnection, email: str, at: datetime) -> str:
    """Return the role that an invitation offers, or the organisation's. Raises NotInvited."""
    role = _open_invitations(row, email, at).values_list("org_role", flat=True).first()
    if role is None and not row.provisions_members:
        raise NotInvited(why=f"no membership and no invitation of {email}")
    return role or row.joining_role


def _ensure_member(row: SsoConnection, user: User, email: str, at: datetime) -> str:
    """Return the role in which the user has just joined, or "" for who was a member before."""
    member = OrgMembership.objects.filter(
        organization_id=row.organization_id, user_id=user.id
    ).first()
    if member is not None and member.status == MembershipStatus.DEACTIVATED:
        raise MemberDeactivated
    if member is not None and member.status == MembershipStatus.ACTIVE:
        return ""
    role = member.org_role if member is not None else _role_to_join_in(row, email, at)
    _open_invitations(row, email, at).update(accepted_at=at)
    try:
        add_member(organization_id=row.organization_id, user=user, org_role=role)
    except PlanLimitReached as limit:
        raise NoSeat(why=limit.detail) from limit
    record_platform_action(
        action="member.joined",
        organization_id=row.organization_id,
        actor_id=user.id,
        details={"through": "sso", "role": role},
    )
    return role


def _ensure_contact(
    user: User, email: str, asserted: Asserted, joined_as: str, at: datetime
) -> None:
    try:
        contact = link_user(
            user_id=user.id,
            email=email,
            display_name=(asserted.display_name.strip() or email)[:200],
            at=at,
        )
    except EmailTaken as error:
        raise ContactTaken(why=str(error)) from error
    if joined_as:
        details: dict[str, Any] = {"role": joined_as, "provider": asserted.provider_id}
        record_admin_action(
            actor=contact, action="sso.member_joined", entity=contact, details=details
        )
