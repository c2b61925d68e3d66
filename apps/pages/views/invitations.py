"""Joining an organisation by the link of an invitation."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.contacts.members import join
from apps.core.clock import now
from apps.core.problems import Problem
from apps.core.tenancy import connection
from apps.organizations.doors import SsoEnforced, is_enforced
from apps.organizations.middleware import refuse
from apps.organizations.services import InvitationGone
from apps.pages.forms import JoinForm
from apps.pages.selectors.people import OfferedMembership, offered_membership


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites whom; on POST join, and sign in with the new account.

    An existing account keeps its password, and its owner signs in with it: holding the link is
    enough to join, not to take an account over.
    """
    try:
        offer = offered_membership(token, at=now())
        if is_enforced(connection.tenant):
            return _through_provider(request, offer)
        form = _form(request, offer)
        if request.method == "POST" and form.is_valid():
            return _join(request, token, offer, form)
    except InvitationGone:
        return render(request, "pages/invitation_gone.html", status=InvitationGone.status)
    except Problem as problem:
        return refuse(request, problem)
    return render(request, "pages/invitation.html", {"offer": offer, "form": form})


def _through_provider(request: HttpRequest, offer: OfferedMembership) -> HttpResponse:
    """Show the only way to join where members sign in through a provider."""
    if request.method == "POST":
        raise SsoEnforced
    return render(request, "pages/invitation_sso.html", {"offer": offer})


def _form(request: HttpRequest, offer: OfferedMembership) -> JoinForm:
    return JoinForm(
        request.POST if request.method == "POST" else None,
        email=offer.email,
        needs_name=not offer.known_name,
        needs_password=not offer.has_account,
    )


def _join(
    request: HttpRequest, token: str, offer: OfferedMembership, form: JoinForm
) -> HttpResponse:
    user = join(
        token=token,
        password=form.cleaned_data.get("password"),
        display_name=form.cleaned_data.get("display_name", ""),
        at=now(),
    )
    if offer.has_account:
        messages.success(request, _("You have joined. Sign in with the password you have already."))
        return redirect("account_login")
    response: HttpResponse = perform_login(request, user)
    return response
