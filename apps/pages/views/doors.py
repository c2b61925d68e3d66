"""Which of django-allauth's pages are open: on this host, and to whoever came in as they did."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.decorators import login_not_required
from allauth.account.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from apps.accounts.models import User
from apps.contacts.entering import announce, came_through
from apps.core.tenancy import connection
from apps.organizations import doors
from apps.organizations.middleware import refuse
from apps.organizations.models import OrgMembership

View = Callable[..., HttpResponse]


def entrance(view: View, *, shows_way: bool = False) -> View:
    """Return the view of a way in that closes once single sign-on is enforced.

    `shows_way`: the page itself may still be looked at, since it leads to the provider.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        is_look = shows_way and request.method in ("GET", "HEAD")
        if doors.is_enforced(connection.tenant) and not is_look:
            return refuse(request, doors.SsoEnforced())
        return view(request, *args, **kwargs)

    return guarded


def own_account(view: View) -> View:
    """Return the view of a page about password or factors, which the account alone decides on.

    An organisation's provider vouches for a membership. If its word were enough to change the
    account, it could take the account over, and with it the other organisations of its owner.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if came_through(request) == doors.SSO:
            return refuse(request, doors.SsoSession())
        return view(request, *args, **kwargs)

    return guarded


class BreakGlassView(LoginView):  # type: ignore[misc]
    """The way in of one owner, by password, when the identity provider fails.

    Anybody else is told that e-mail or password are wrong, as they are told for any other
    password: who the owner is stays unknown.
    """

    template_name = "account/break_glass.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not doors.is_enforced(connection.tenant):
            return redirect("account_login")
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        user: User = form.user
        membership_id = connection.tenant.sso_break_glass_id
        if not OrgMembership.objects.filter(pk=membership_id, user_id=user.pk).exists():
            form.add_error(None, get_adapter().error_messages["email_password_mismatch"])
            refused: HttpResponse = self.form_invalid(form)
            return refused
        announce(self.request, user=user, door=doors.BREAK_GLASS)
        response: HttpResponse = super().form_valid(form)
        return response


break_glass = login_not_required(BreakGlassView.as_view())
