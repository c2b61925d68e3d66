"""Who calls the API: a bearer token of this organisation, or a signed-in browser."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.authentication import SessionAuthentication as DrfSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.accounts.models import User
from apps.contacts.backends import cached_principal
from apps.contacts.factors import FactorRequired, needs_factor
from apps.contacts.models import ApiToken
from apps.contacts.principal import Principal
from apps.contacts.selectors import org_role_of, principal_of
from apps.contacts.services import hash_token
from apps.core.clock import now
from apps.core.tenancy import connection
from apps.organizations.models import OrgRole

INVALID = AuthenticationFailed("The token is unknown, expired or revoked.", code="invalid-token")


class TokenUser(AnonymousUser):
    """The bearer of a token: a contact, with a login or without one."""

    is_anonymous = False  # type: ignore[assignment]
    is_authenticated = True  # type: ignore[assignment]
    is_active = True  # type: ignore[assignment]

    def __init__(self, principal: Principal) -> None:
        super().__init__()
        self.principal = principal
        self.pk = principal.contact_id  # type: ignore[assignment]


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer assay_…`. Two statements: the token with its contact, the membership.

    A contact without a login acts as a learner: a token never has more than a member's role.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise INVALID
        token = self._token(parts[1].decode("ascii", "replace"))
        principal = principal_of(
            contact=token.contact,
            user_id=token.contact.user_id,
            org_id=connection.tenant.id,
            org_role=role_behind(token.contact.user_id),
            scopes=frozenset(token.scopes),
        )
        request._request.principal = principal  # type: ignore[attr-defined]
        return TokenUser(principal), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="assay"'

    def _token(self, secret: str) -> ApiToken:
        at = now()
        token = (
            ApiToken.objects.select_related("contact").filter(token_hash=hash_token(secret)).first()
        )
        if token is None or token.revoked_at or (token.expires_at and token.expires_at <= at):
            raise INVALID
        if token.last_used_on != at.date():
            ApiToken.objects.filter(pk=token.pk).update(last_used_on=at.date())
        return token


def role_behind(user_id: uuid.UUID | None) -> str:
    """Return the role of a contact's login here; raises AuthenticationFailed when deactivated."""
    if user_id is None:
        return OrgRole.LEARNER
    role = org_role_of(user_id)
    if not role:
        raise INVALID
    return role


class SessionAuthentication(DrfSessionAuthentication):
    """A signed-in member of this organisation, with CSRF protection."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        user = getattr(request._request, "user", None)
        if not isinstance(user, User) and not (user is not None and user.is_authenticated):
            return None
        principal = cached_principal(user)
        if principal is None:
            return None
        self.enforce_csrf(request)
        if needs_factor(request._request, principal):
            raise FactorRequired
        return user, None


def principal_of_request(request: HttpRequest | Request) -> Principal | None:
    """Return who asks, or None."""
    principal: Principal | None = getattr(request, "principal", None)
    return principal or None


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "assay_session"}
