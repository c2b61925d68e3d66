"""Writes about people: locking, finding, linking, merging, tokens, the record of admin actions."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction

from apps.contacts import ports
from apps.contacts.models import AdminAction, ApiToken, ChannelKind, Contact, ContactChannel
from apps.contacts.principal import Principal
from apps.core.problems import Conflict, Invalid
from apps.core.revisions import violates
from apps.core.tenancy import connection
from apps.organizations import doors


class ContactGone(Conflict):
    code = "contact-merged"
    title = "This contact was merged into another one."


class EmailTaken(Conflict):
    code = "email-taken"
    title = "This e-mail address belongs to another contact."


class MergeRefused(Conflict):
    code = "merge-refused"
    title = "These two contacts can't be merged."


class UnknownScope(Invalid):
    code = "unknown-scope"
    title = "The token asks for a capability that does not exist."


def lock_learner(contact_id: uuid.UUID) -> None:
    """Hold this learner's facts and decisions still until the transaction ends."""
    lock_learners([contact_id])


def lock_learners(contact_ids: Iterable[uuid.UUID]) -> None:
    """Lock the contacts, always in the order of their ids, so that two lockers can't deadlock.

    FOR NO KEY UPDATE: rows that merely refer to the contact may still be inserted.
    """
    ids = sorted(set(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM crm_contacts WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids]
        )


def record_admin_action(
    *,
    actor: Contact | None,
    action: str,
    entity: models.Model | None = None,
    details: dict[str, Any] | None = None,
) -> AdminAction:
    """Return the new row that tells who did what, to which row."""
    return AdminAction.objects.create(
        actor=actor,
        action=action,
        entity_type=entity._meta.label_lower if entity is not None else "",
        entity_id=entity.pk if entity is not None and isinstance(entity.pk, uuid.UUID) else None,
        details=details or {},
    )


def normalized_email(value: str) -> str:
    return value.strip().lower()


@transaction.atomic
def create_contact(
    *,
    display_name: str,
    email: str = "",
    legal_name: str = "",
    external_id: str | None = None,
    locale: str = "",
    timezone: str = "",
) -> Contact:
    """Return a new contact with its primary e-mail channel.

    Raises EmailTaken when the address leads to somebody else.
    """
    contact = Contact.objects.create(
        display_name=display_name,
        legal_name=legal_name,
        external_id=external_id or None,
        locale=locale,
        timezone=timezone,
    )
    if email:
        add_email(contact=contact, email=email, is_primary=True)
    return contact


def add_email(
    *, contact: Contact, email: str, is_primary: bool = False, verified_at: datetime | None = None
) -> ContactChannel:
    """Return the contact's new e-mail channel; raises EmailTaken."""
    try:
        with transaction.atomic():
            return ContactChannel.objects.create(
                contact=contact,
                kind=ChannelKind.EMAIL,
                value=normalized_email(email),
                is_primary=is_primary,
                verified_at=verified_at,
            )
    except IntegrityError as error:
        if violates(error, "channel_leads_to_one_contact"):
            raise EmailTaken(
                errors=[{"field": "email", "code": "taken", "message": EmailTaken.title}]
            ) from error
        raise


def contact_by_email(email: str) -> Contact | None:
    """Return whom this address leads to."""
    channel = (
        ContactChannel.objects.filter(kind=ChannelKind.EMAIL, value=normalized_email(email))
        .select_related("contact")
        .first()
    )
    return channel.contact if channel else None


def find_or_create_contact(*, email: str, display_name: str, legal_name: str = "") -> Contact:
    """Return the contact this address leads to, or a new one of that name."""
    found = contact_by_email(email)
    if found is not None:
        return found
    try:
        return create_contact(display_name=display_name, email=email, legal_name=legal_name)
    except EmailTaken:
        winner = contact_by_email(email)
        if winner is None:
            raise
        return winner


@transaction.atomic
def link_user(*, user_id: uuid.UUID, email: str, display_name: str, at: datetime) -> Contact:
    """Return the contact of a user who joins: the one their address leads to, or a new one.

    Joining never makes a second contact of somebody the roster knows already. The user's address
    was proved by the invitation, so the channel counts as verified.
    """
    linked = Contact.objects.filter(user_id=user_id).first()
    if linked is not None:
        return linked
    contact = find_or_create_contact(email=email, display_name=display_name)
    lock_learner(contact.id)
    contact.refresh_from_db()
    if contact.user_id is not None:
        raise EmailTaken(detail="The contact of this address has another login already.")
    contact.user_id = user_id
    contact.save(update_fields=["user_id"])
    ContactChannel.objects.filter(
        contact=contact, kind=ChannelKind.EMAIL, value=normalized_email(email), verified_at=None
    ).update(verified_at=at)
    return contact


@transaction.atomic
def merge_contacts(*, source: Contact, into: Contact, actor: Contact | None) -> Contact:
    """Return the surviving contact, to which `source` now points.

    History stays where it is: facts load for a contact and its aliases. Channels move, an older
    alias of the source is pointed at the survivor, and a login moves if the survivor has none.
    Raises MergeRefused for a contact merged into itself, one merged before, or two logins.
    """
    lock_learners([source.id, into.id])
    source.refresh_from_db()
    into.refresh_from_db()
    _check_merge(source, into)
    user_id = source.user_id
    Contact.objects.filter(merged_into=source).update(merged_into=into)
    ContactChannel.objects.filter(contact=source).update(contact=into, is_primary=False)
    Contact.objects.filter(pk=source.pk).update(merged_into=into, user_id=None)
    if user_id is not None:
        Contact.objects.filter(pk=into.pk).update(user_id=user_id)
    ApiToken.objects.filter(contact=source).update(contact=into)
    into.refresh_from_db()
    record_admin_action(
        actor=actor,
        action="contact.merged",
        entity=into,
        details={"source": str(source.id), "user_moved": user_id is not None},
    )
    return into


def _check_merge(source: Contact, into: Contact) -> None:
    if source.pk == into.pk:
        raise MergeRefused(detail="A contact can't be merged into itself.")
    if source.merged_into_id or into.merged_into_id:
        raise MergeRefused(detail="One of them was merged into another contact before.")
    if source.user_id and into.user_id:
        raise MergeRefused(detail="Both have a login: deactivate one of them first.")


def hash_token(secret: str) -> str:
    """Return how a secret of 256 random bits is stored: SHA-256 needs no salt for those."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_may_make_tokens(principal: Principal, *, by_token: bool = False) -> None:
    """Raise SsoEnforced where a token would be a way around the identity provider.

    While single sign-on is enforced nobody makes tokens, unless an owner allowed it to who manages
    the settings; and no token makes another.
    """
    if doors.is_enforced(connection.tenant) and (by_token or not ports.may_make_tokens(principal)):
        raise doors.SsoEnforced(detail="API tokens can't be made by members here.")


def create_api_token(
    *, contact: Contact, name: str, scopes: Iterable[str] = (), expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Return the token's row and its secret, which is shown once and never stored."""
    secret = f"assay_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        contact=contact,
        name=name,
        prefix=secret[:12],
        token_hash=hash_token(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    return token, secret


@transaction.atomic
def revoke_api_token(*, token: ApiToken, actor: Contact, at: datetime) -> None:
    """End a token at once; a second time changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at):
        record_admin_action(actor=actor, action="apitoken.revoked", entity=token)
