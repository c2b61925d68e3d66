"""The addresses of single sign-on on an organisation's host."""

from __future__ import annotations

from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.core import ratelimit
from allauth.socialaccount.helpers import complete_social_login
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.sessions import LoginSession
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from apps.contacts.authentication import principal_of_request
from apps.core.clock import now
from apps.core.problems import Problem
from apps.core.tenancy import connection
from apps.organizations.middleware import refuse
from apps.organizations.models import SsoProvider
from apps.sso.adapters import app_of
from apps.sso.pages import refuse_sign_in
from apps.sso.problems import AnswerUnreadable, NotAsked, SignInRefused, SsoNotConfigured
from apps.sso.saml.toolkit import LARGEST_RESPONSE, answered_request, own_metadata, read_response
from apps.sso.selectors import own_connection, provider_metadata, service_provider
from apps.sso.services.connections import OwnersChangeSso, check_owner

WAITS_SECONDS = 300


def provider_here(request: HttpRequest, *, kind: str | None = None) -> Any:
    """Return the organisation's provider. Raises SsoNotConfigured, also for another kind."""
    row = own_connection()
    if row is None or (kind is not None and row.kind != kind):
        raise SsoNotConfigured
    return app_of(row).get_provider(request)


def _send(request: HttpRequest, provider: Any, process: str, **kwargs: Any) -> HttpResponse:
    try:
        response: HttpResponse = provider.redirect(request, process, **kwargs)
    except SignInRefused as refused:
        return refuse_sign_in(request, refused)
    return response


@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """Send a member to the organisation's identity provider."""
    if connection.tenant.sso_provider == SsoProvider.NONE:
        return refuse(request, SsoNotConfigured())
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="sso")
    if limited is not None:
        return limited
    try:
        provider = provider_here(request)
    except SsoNotConfigured as problem:
        return refuse(request, problem)
    return _send(request, provider, AuthProcess.LOGIN, next_url=get_next_redirect_url(request))


@never_cache
@require_safe
def test(request: HttpRequest) -> HttpResponse:
    """Send an owner there as a test; it signs nobody in and changes nothing but its own note."""
    principal = principal_of_request(request)
    try:
        if principal is None:
            raise OwnersChangeSso
        check_owner(principal)
        provider = provider_here(request)
    except Problem as problem:
        return refuse(request, problem)
    tester = {"tester": str(principal.user_id)}
    return _send(request, provider, AuthProcess.REDIRECT, data=tester)


@csrf_exempt
@require_POST
def acs(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer (HTTP-POST binding) and read it in the browser's own session.

    The browser sends no session cookie along with a form of another site: the answer waits in a
    session of its own, for a few minutes, until the redirect brings the cookie.
    """
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="sso")
    if limited is not None:
        return limited
    answer = request.POST.get("SAMLResponse", "")
    if not answer or len(answer) > LARGEST_RESPONSE:
        return refuse_sign_in(request, AnswerUnreadable(why=f"{len(answer)} characters"))
    response = redirect("sso_finish")
    waiting = LoginSession(request, "saml_acs_session", "saml-acs-session")
    waiting.store["answer"] = answer
    waiting.store.set_expiry(WAITS_SECONDS)
    waiting.save(response)
    return response


@never_cache
@require_safe
def finish(request: HttpRequest) -> HttpResponse:
    """Read the answer that waits, and sign in whom it proves."""
    waiting = LoginSession(request, "saml_acs_session", "saml-acs-session")
    answer = waiting.store.get("answer")
    waiting.delete()
    try:
        if not answer:
            raise NotAsked(why="no answer waits for this browser")
        return _finish(request, answer)
    except SignInRefused as refused:
        return refuse_sign_in(request, refused)
    except SsoNotConfigured as problem:
        return refuse(request, problem)


def _finish(request: HttpRequest, answer: str) -> HttpResponse:
    provider = provider_here(request, kind=SsoProvider.SAML)
    row = provider.app.connection
    request_id = answered_request(answer)
    try:
        state = provider.unstash_redirect_state(request, request_id)
    except PermissionDenied as error:
        raise NotAsked(why=f"no sign-in of this browser is known as {request_id}") from error
    assertion = read_response(
        answer,
        own=service_provider(row),
        provider=provider_metadata(row, at=now()),
        request_id=request_id,
    )
    login = provider.sociallogin_from_response(request, assertion)
    login.state = state
    response: HttpResponse = complete_social_login(request, login)
    return response


@never_cache
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Take the OpenID provider's answer, and sign in whom it proves."""
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="sso")
    if limited is not None:
        return limited
    try:
        provider = provider_here(request, kind=SsoProvider.OIDC)
        view = OAuth2CallbackView.adapter_view(provider.get_oauth2_adapter(request))
        response: HttpResponse = view(request)
    except SignInRefused as refused:
        return refuse_sign_in(request, refused)
    except SsoNotConfigured as problem:
        return refuse(request, problem)
    return response


@require_safe
def metadata(request: HttpRequest) -> HttpResponse:
    """Return how this organisation's host presents itself to a SAML identity provider."""
    row = own_connection()
    if row is None:
        return refuse(request, SsoNotConfigured())
    own = service_provider(row)
    return HttpResponse(own_metadata(own), content_type="application/samlmetadata+xml")
