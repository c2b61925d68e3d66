"""Shops and the secrets they sign with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from apps.commerce.currencies import CODES
from apps.commerce.models import Source, SourceSecret
from apps.commerce.selectors import seal_owner
from apps.commerce.signatures import SECRET_PREFIX, new_secret
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.ids import uuid7
from apps.core.problems import Conflict, Invalid
from apps.core.revisions import violates
from apps.core.sealing import seal

HINT_LENGTH = len(SECRET_PREFIX) + 4
LONGEST_OVERLAP = timedelta(days=30)


class SourceInvalid(Invalid):
    code = "webhook-source-invalid"
    title = "The webhook source can't be like this."


class SecretRevoked(Conflict):
    code = "webhook-secret-revoked"
    title = "This secret was revoked before."


@dataclass(frozen=True)
class NewSecret:
    """A secret that was just made; `text` is told this once."""

    row: SourceSecret
    text: str


@transaction.atomic
def add_source(
    *, slug: str, title: str, currencies: Sequence[str], actor: Contact | None
) -> NewSecret:
    """Return the first secret of a new source. Raises SourceInvalid."""
    source = Source(slug=slug, title=title, currencies=_checked(currencies), created_by=actor)
    try:
        with transaction.atomic():
            source.save(force_insert=True)
    except IntegrityError as error:
        if not violates(error, "commerce_sources_slug"):
            raise
        message = "Another source has this short name."
        raise SourceInvalid(
            errors=[{"field": "slug", "code": "taken", "message": message}]
        ) from error
    record_admin_action(actor=actor, action="source.created", entity=source)
    return _new_secret(source, actor=actor)


@transaction.atomic
def change_source(
    *, source: Source, title: str, currencies: Sequence[str], actor: Contact
) -> Source:
    """Return the source with another title and currencies. Raises SourceInvalid."""
    locked = _lock(source)
    locked.title, locked.currencies = title, _checked(currencies)
    locked.save(update_fields=["title", "currencies"])
    details = {"title": title, "currencies": locked.currencies}
    record_admin_action(actor=actor, action="source.changed", entity=locked, details=details)
    return locked


@transaction.atomic
def rotate_secret(*, source: Source, overlap: timedelta, actor: Contact, at: datetime) -> NewSecret:
    """Return a new secret; the one in use is good for `overlap` more, at most LONGEST_OVERLAP.

    Without overlap every other secret is destroyed at once.
    """
    locked = _lock(source)
    others = locked.secrets.filter(revoked_at=None)
    if overlap <= timedelta(0):
        others.update(revoked_at=at, sealed=None)
    else:
        until = at + min(overlap, LONGEST_OVERLAP)
        others.filter(expires_at=None).update(expires_at=until)
    made = _new_secret(locked, actor=actor)
    details = {"hint": made.row.hint, "overlap_seconds": int(overlap.total_seconds())}
    record_admin_action(actor=actor, action="source.rotated", entity=locked, details=details)
    return made


@transaction.atomic
def revoke_secret(*, secret: SourceSecret, actor: Contact, at: datetime) -> SourceSecret:
    """Return the secret, destroyed: nothing that is signed with it is accepted any more.

    Raises SecretRevoked.
    """
    source = _lock(secret.source)
    if not source.secrets.filter(pk=secret.pk, revoked_at=None).update(revoked_at=at, sealed=None):
        raise SecretRevoked
    details = {"hint": secret.hint}
    record_admin_action(actor=actor, action="source.revoked", entity=source, details=details)
    secret.refresh_from_db()
    return secret


@transaction.atomic
def disable_source(*, source: Source, actor: Contact, at: datetime) -> Source:
    """Return the source, whose webhooks are refused from now on; what it sold stays."""
    locked = _lock(source)
    if locked.disabled_at is None:
        locked.disabled_at = at
        locked.save(update_fields=["disabled_at"])
        record_admin_action(actor=actor, action="source.disabled", entity=locked)
    return locked


@transaction.atomic
def enable_source(*, source: Source, actor: Contact) -> Source:
    """Return the source, whose webhooks are accepted again."""
    locked = _lock(source)
    if locked.disabled_at is not None:
        locked.disabled_at = None
        locked.save(update_fields=["disabled_at"])
        record_admin_action(actor=actor, action="source.enabled", entity=locked)
    return locked


def _lock(source: Source) -> Source:
    return Source.objects.select_for_update().get(pk=source.pk)


def _new_secret(source: Source, *, actor: Contact | None) -> NewSecret:
    text, secret_id = new_secret(), uuid7()
    row = SourceSecret.objects.create(
        id=secret_id,
        source=source,
        hint=text[:HINT_LENGTH],
        sealed=seal(text.encode(), bound_to=seal_owner(secret_id)),
        created_by=actor,
    )
    return NewSecret(row, text)


def _checked(currencies: Sequence[str]) -> list[str]:
    codes = sorted({code.strip().upper() for code in currencies} - {""})
    unknown = [code for code in codes if code not in CODES]
    if unknown:
        message = f"No ISO 4217 code: {', '.join(unknown)}."
        raise SourceInvalid(errors=[{"field": "currencies", "code": "unknown", "message": message}])
    return codes
