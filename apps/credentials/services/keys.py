"""The organisation's signing keys: made when first needed, rotated, withdrawn."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict
from apps.core.revisions import violates
from apps.core.sealing import wrapping_key
from apps.credentials.keys import generate, seal
from apps.credentials.models import IssuerKey
from apps.credentials.multikey import encode_public_key
from apps.credentials.vocabulary import KeyState
from apps.requirements.services.words import given_reason


class KeyRevoked(Conflict):
    code = "key-revoked"
    title = "This key was withdrawn before."


def ensure_issuer_key(*, at: datetime, actor: Contact | None = None) -> IssuerKey:
    """Return the key that signs, made and sealed on the first call; one for many at once."""
    active = IssuerKey.objects.filter(state=KeyState.ACTIVE)
    found = active.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return _new_key(at=at, actor=actor)
    except IntegrityError as error:
        if not violates(error, "issuerkey_one_active"):
            raise
        return active.get()


def _new_key(*, at: datetime, actor: Contact | None) -> IssuerKey:
    private_key = generate()
    public_key = encode_public_key(private_key.public_key())
    return IssuerKey.objects.create(
        public_key=public_key,
        sealed_private_key=seal(private_key, wrapping_key=wrapping_key(), key_id=public_key),
        valid_from=at,
        created_by=actor,
    )


@transaction.atomic
def rotate_key(*, actor: Contact, at: datetime) -> IssuerKey:
    """Return the new key that signs from now on.

    The old one stays published, so that what it signed verifies, but its private half is
    destroyed. Rotations at the same moment are one.
    """
    old = IssuerKey.objects.select_for_update().filter(state=KeyState.ACTIVE).first()
    if old is None:
        return ensure_issuer_key(at=at, actor=actor)
    _retire(old, at)
    new = _new_key(at=at, actor=actor)
    record_admin_action(
        actor=actor, action="issuerkey.rotated", entity=new, details={"old": old.public_key}
    )
    return new


@transaction.atomic
def revoke_key(*, key: IssuerKey, actor: Contact, reason: str, at: datetime) -> IssuerKey:
    """Return the key, withdrawn: nothing that it signed verifies any more.

    For a key that others may know. The one that signs is rotated first. Raises ReasonMissing,
    KeyRevoked.
    """
    reason = given_reason(reason)
    locked = IssuerKey.objects.select_for_update().get(pk=key.pk)
    if locked.state == KeyState.REVOKED:
        raise KeyRevoked
    if locked.state == KeyState.ACTIVE:
        _retire(locked, at)
        _new_key(at=at, actor=actor)
    locked.state = KeyState.REVOKED
    locked.revoked_at = at
    locked.save(update_fields=["state", "revoked_at"])
    record_admin_action(
        actor=actor, action="issuerkey.revoked", entity=locked, details={"reason": reason}
    )
    return locked


def _retire(key: IssuerKey, at: datetime) -> None:
    key.state = KeyState.RETIRED
    key.retired_at = at
    key.sealed_private_key = None
    key.save(update_fields=["state", "retired_at", "sealed_private_key"])
