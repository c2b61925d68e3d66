"""Rows that many tests need. Everything else is made by the app's own services."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from apps.accounts.models import User
from apps.contacts.models import Contact
from apps.contacts.services import create_contact
from apps.organizations.models import MembershipStatus, OrgMembership, OrgRole

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"

_numbers = itertools.count(1)


def contact(name: str = "", **fields: Any) -> Contact:
    """Return a new contact with an e-mail address of its own."""
    number = next(_numbers)
    name = name or f"Person {number}"
    email = fields.pop("email", f"person{number}@example.org")
    return create_contact(display_name=name, email=email, **fields)


def member(role: str = OrgRole.LEARNER, *, name: str = "", **fields: Any) -> Contact:
    """Return the contact of a new user with this role in the organisation in force."""
    person = contact(name, **fields)
    email = person.channels.get(is_primary=True).value
    tenant = connection.tenant
    with connection.platform():
        user = User.objects.create_user(email, PASSWORD)
        OrgMembership.objects.create(
            organization_id=tenant.id, user=user, org_role=role, status=MembershipStatus.ACTIVE
        )
    person.user_id = user.id
    person.save(update_fields=["user_id"])
    return person


def some_uuid() -> uuid.UUID:
    return uuid.uuid4()
