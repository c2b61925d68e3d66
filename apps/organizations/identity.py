"""The user and role that came with the session's row, in one statement, for this request."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from apps.accounts.models import User


@dataclass(frozen=True)
class Identity:
    """A signed-in user as the session's row told; `org_role` is empty for who is no member."""

    schema_name: str
    user: User
    org_role: str


_loaded: ContextVar[Identity | None] = ContextVar("identity", default=None)


def remember(identity: Identity | None) -> None:
    """Keep what the session's row told, until the request ends."""
    _loaded.set(identity)


def recall(schema_name: str | None, user_id: object) -> Identity | None:
    """Return what the session's row told of this user in this schema, if it did."""
    identity = _loaded.get()
    if identity is None or identity.schema_name != schema_name:
        return None
    return identity if str(identity.user.pk) == str(user_id) else None
