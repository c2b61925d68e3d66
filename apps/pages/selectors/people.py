"""What the pages about people show."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import User
from apps.contacts.models import ApiToken, Contact
from apps.contacts.services import contact_by_email
from apps.core.tenancy import connection
from apps.organizations.services import open_invitation


@dataclass(frozen=True)
class OfferedMembership:
    """An open invitation, as its recipient sees it."""

    email: str
    expires_at: datetime
    has_account: bool
    known_name: str


def offered_membership(token: str, *, at: datetime) -> OfferedMembership:
    """Return what the link of an invitation offers; raises InvitationGone."""
    organization_id: uuid.UUID = connection.tenant.id
    with connection.platform():
        invitation = open_invitation(organization_id=organization_id, token=token, at=at)
        has_account = User.objects.filter(email=invitation.email).exists()
    contact = contact_by_email(invitation.email)
    return OfferedMembership(
        email=invitation.email,
        expires_at=invitation.expires_at,
        has_account=has_account,
        known_name=contact.display_name if contact else "",
    )


def own_tokens(contact: Contact) -> list[ApiToken]:
    """Return the contact's API tokens that were not revoked, the newest first."""
    return list(ApiToken.objects.filter(contact=contact, revoked_at=None).order_by("-id"))
