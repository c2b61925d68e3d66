"""How django-allauth's social accounts behave here: one provider each organisation, its own.

allauth's tables of apps and accounts stay empty. The app is made from the organisation's row, and
who is behind a subject is `services.admission`'s to say, for this organisation alone.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.utils import perform_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.http import HttpRequest, HttpResponse

from apps.contacts.entering import announce
from apps.core.clock import now
from apps.core.outbound import OutboundSession
from apps.organizations import doors
from apps.organizations.models import SsoProvider
from apps.sso.models import SsoConnection
from apps.sso.oidc import check_nonce
from apps.sso.pages import conclude_test, refuse_sign_in
from apps.sso.problems import (
    Cancelled,
    NotAsked,
    ProviderRefused,
    ProviderUnreachable,
    SignInRefused,
)
from apps.sso.saml.provider import ATTRIBUTES
from apps.sso.selectors import client_secret, own_connection
from apps.sso.services.admission import admit, spend_assertion

ALLAUTH_PROVIDERS = {SsoProvider.SAML: "saml", SsoProvider.OIDC: "openid_connect"}


def app_of(row: SsoConnection) -> SocialApp:
    """Return the organisation's identity provider as django-allauth wants it; never saved."""
    app = SocialApp(
        provider=ALLAUTH_PROVIDERS[SsoProvider(row.kind)],
        provider_id=row.provider_id,
        name="",
        client_id=row.client_id,
        settings={
            "attribute_mapping": ATTRIBUTES,
            "server_url": row.provider_id.rstrip("/"),
            "oauth_pkce_enabled": True,
        },
    )
    if row.kind == SsoProvider.OIDC:
        app.secret = client_secret(row)
    app.connection = row
    return app


class OrganizationSocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        row = own_connection()
        if row is None:
            return []
        app = app_of(row)
        return [app] if provider in (None, app.provider, app.provider_id) else []

    def get_requests_session(self) -> OutboundSession:
        return OutboundSession()

    def authenticate_by_email(self, login: Any) -> None:
        """Never: an address is believed by the rules of the organisation's domains only."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Sign the person in, or say why not: nothing of allauth's own flow comes after."""
        try:
            response = self._enter(request, sociallogin)
        except SignInRefused as refused:
            response = refuse_sign_in(request, refused)
        raise ImmediateHttpResponse(response)

    def _enter(self, request: HttpRequest, login: Any) -> HttpResponse:
        assertion = getattr(login, "assertion", None)
        if assertion is None:
            check_nonce(login)
        else:
            spend_assertion(assertion_id=assertion.assertion_id, expires_at=assertion.expires_at)
        if login.state.get("process") == AuthProcess.REDIRECT:
            return conclude_test(request, login.asserted, state=login.state)
        user = admit(asserted=login.asserted, at=now())
        if request.user.is_authenticated:
            get_account_adapter(request).logout(request)
        announce(request, user=user, door=doors.SSO)
        response: HttpResponse = perform_login(request, user, redirect_url=login.state.get("next"))
        return response

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        refused = _refusal(request, error, exception, extra_context or {})
        raise ImmediateHttpResponse(refuse_sign_in(request, refused))


def _refusal(
    request: HttpRequest, error: Any, exception: Exception | None, context: dict[str, Any]
) -> SignInRefused:
    if error == AuthError.CANCELLED or request.GET.get("error") == "access_denied":
        return Cancelled()
    if isinstance(exception, OAuth2Error) or "error" in request.GET:
        told = request.GET.get("error_description") or request.GET.get("error") or str(exception)
        return ProviderRefused(why=told[:500])
    if exception is not None:
        return ProviderUnreachable(why=repr(exception)[:500])
    return NotAsked(why=f"no sign-in is known as {context.get('state_id')}")
