"""The demo's people with a login: an owner, and everybody whom the owner invited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import transaction

from apps.accounts.models import User
from apps.contacts.members import invite_member, join
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.selectors import principal_of
from apps.contacts.services import link_user, record_admin_action
from apps.core.tenancy import connection
from apps.demo.content.organizations import MemberPlan
from apps.organizations import services as organizations
from apps.organizations.models import OrgRole

SIGN_IN_WITH: Final = "many hands light work"
"""What every account of the demo signs in with; it protects nothing but invented people."""


def open_accounts(emails: Iterable[str]) -> None:
    """Make the accounts that are missing: they are the platform's, not an organisation's.

    The words are hashed once for all: a good hash is slow, and here it guards nothing.
    """
    with connection.platform():
        wanted = set(emails)
        wanted -= set(User.objects.filter(email__in=wanted).values_list("email", flat=True))
        if wanted:
            encoded = make_password(SIGN_IN_WITH)
            User.objects.bulk_create(
                (User(email=email, password=encoded) for email in sorted(wanted)),
                ignore_conflicts=True,
            )


@transaction.atomic
def found(plan: MemberPlan, *, at: datetime) -> Contact:
    """Return the contact of the organisation's first owner, whom nobody could invite."""
    organization_id = connection.tenant.id
    with connection.platform():
        user = User.objects.get(email=plan.email)
        organizations.add_member(organization_id=organization_id, user=user, org_role=OrgRole.OWNER)
        organizations.record_platform_action(
            action="member.joined", organization_id=organization_id, actor_id=user.id
        )
    contact = link_user(user_id=user.id, email=user.email, display_name=plan.name, at=at)
    record_admin_action(actor=contact, action="member.joined", entity=contact)
    return contact


@transaction.atomic
def welcome(plans: Sequence[MemberPlan], *, owner: Contact, at: datetime) -> list[Contact]:
    """Return the contacts of people who were invited by the owner and joined, in order."""
    principal = as_member(owner, OrgRole.OWNER)
    joined = []
    for plan in plans:
        invitation = invite_member(
            email=plan.email, org_role=plan.role, principal=principal, actor=owner, at=at
        )
        token = organizations.invitation_token(invitation.id)
        user = join(token=token, password=None, display_name=plan.name, at=at)
        joined.append(Contact.objects.get(user_id=user.id))
    return joined


def as_member(contact: Contact, role: str) -> Principal:
    """Return this person as the principal of their own requests."""
    return principal_of(
        contact=contact,
        user_id=contact.user_id,
        org_id=connection.tenant.id,
        org_role=role,
    )
