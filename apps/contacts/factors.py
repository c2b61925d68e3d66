"""Second factors: how django-allauth keeps them here, and who must have one.

A factor belongs to the account, like the password. Whoever came through an organisation's identity
provider is believed by that organisation alone: they need no factor of the account, and may not
touch one.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.conf import settings
from django.http import HttpRequest

from apps.accounts.models import User
from apps.contacts.capabilities import Capability
from apps.contacts.entering import announced_door, came_through
from apps.contacts.principal import Principal
from apps.core.problems import Forbidden
from apps.core.sealing import open_sealed, seal
from apps.core.tenancy import connection
from apps.organizations import doors

SEALED_FOR = "accounts/authenticator"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class FactorRequired(Forbidden):
    code = "factor-required"
    title = "This organisation wants its staff to use a second factor: set one up first."


def needs_factor(request: HttpRequest, principal: Principal | None) -> bool:
    """Whether this person must set up a second factor before they may work here.

    One statement, and only where the organisation wants it and staff came in by the ordinary way.
    """
    if principal is None or not getattr(connection.tenant, "mfa_required", False):
        return False
    if not principal.has(Capability.USE_BACK_OFFICE) or came_through(request) == doors.SSO:
        return False
    known: bool | None = getattr(request, "_assay_needs_factor", None)
    if known is None:
        known = not Authenticator.objects.filter(
            user_id=principal.user_id, type__in=FACTORS
        ).exists()
        request._assay_needs_factor = known  # type: ignore[attr-defined]
    return known


class OrganizationMfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets rest sealed; a passkey is good on every host below the platform's own name."""

    def encrypt(self, text: str) -> str:
        return b64encode(seal(text.encode(), bound_to=SEALED_FOR)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return open_sealed(b64decode(encrypted_text), bound_to=SEALED_FOR).decode()

    def get_totp_issuer(self) -> str:
        return "Assay"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the name that a passkey is bound to (WebAuthn Level 2, section 5.1.2, RP ID).

        An account is one on all hosts, so that its passkeys are bound to the platform's host
        where this one stands below it. A host of an organisation's own has passkeys of its own.
        """
        host = context.request.get_host().partition(":")[0]
        below_platform = "." in settings.PLATFORM_HOST and host.endswith(
            f".{settings.PLATFORM_HOST}"
        )
        return {"id": settings.PLATFORM_HOST if below_platform else host, "name": "Assay"}


class OwnFactorStage(AuthenticateStage):  # type: ignore[misc]
    """Asks for the account's second factor, except of those whom a provider signed in."""

    def _should_handle(self, request: HttpRequest) -> bool:
        user: User | None = self.login.user
        if user is not None and announced_door(request, user) == doors.SSO:
            return False
        asked: bool = super()._should_handle(request)
        return asked


STAGES: dict[str, Any] = {
    "allauth.mfa.stages.AuthenticateStage": "apps.contacts.factors.OwnFactorStage",
}
