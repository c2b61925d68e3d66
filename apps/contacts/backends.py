"""Django's permissions, answered from the capability table for the organisation in force."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from apps.accounts.models import User
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.selectors import principal_of_user
from apps.core.db.base import PUBLIC_SCHEMA
from apps.core.tenancy import connection
from apps.organizations.identity import recall

C = Capability

# What a model permission asks: app -> capability that changes, capability that views.
APP_CAPABILITIES: dict[str, tuple[Capability, Capability]] = {
    "programs": (C.AUTHOR_CONTENT, C.VIEW_CONTENT),
    "cohorts": (C.RUN_COHORTS, C.VIEW_LEARNERS),
    "assessment": (C.AUTHOR_CONTENT, C.VIEW_CONTENT),
    "requirements": (C.AUTHOR_CONTENT, C.VIEW_CONTENT),
    "credentials": (C.AWARD, C.VIEW_LEARNERS),
    "commerce": (C.MANAGE_COMMERCE, C.VIEW_COMMERCE),
    "contacts": (C.MANAGE_CONTACTS, C.VIEW_LEARNERS),
    "organizations": (C.MANAGE_MEMBERS, C.AUDIT_READ),
    "sso": (C.MANAGE_OWNERS, C.AUDIT_READ),
    "core": (C.MANAGE_SETTINGS, C.AUDIT_READ),
}


def capability_of(perm: str) -> str | None:
    """Return the capability behind `app.action_model` or `assay.capability`; None: nobody's."""
    app, _, name = perm.partition(".")
    if app == "assay":
        return name
    change, view = APP_CAPABILITIES.get(app, (None, None))
    return view if name.startswith("view") else change


class PrincipalBackend(AuthenticationBackend):  # type: ignore[misc]
    """Signs in by e-mail and password (allauth); answers `user.has_perm` by the principal."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the user who is signed in; the session's row has often told already."""
        identity = recall(connection.schema_name, user_id)
        user: User | None = identity.user if identity else super().get_user(user_id)
        return user if user is not None and user.is_active else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active:
            return False
        principal = cached_principal(user_obj)
        capability = capability_of(perm)
        return principal is not None and capability is not None and principal.has(capability)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return nothing: permissions are asked one by one, there are no rows of them."""
        return set()


def cached_principal(user: User) -> Principal | None:
    """Return the user's principal here, looked up once for this user object and schema."""
    schema = connection.schema_name
    if schema in (None, PUBLIC_SCHEMA):
        return None
    known: dict[str | None, Principal | None] | None = getattr(user, "_principals", None)
    if known is None:
        known = user._principals = {}  # type: ignore[attr-defined] # on the user, not on its proxy
    if schema not in known:
        known[schema] = principal_of_user(user.pk)
    return known[schema]
