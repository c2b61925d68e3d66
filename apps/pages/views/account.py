"""One's own account: how one is named, and the API tokens on one's behalf."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.contacts.models import ApiToken
from apps.contacts.ports import may_make_tokens
from apps.contacts.services import (
    check_may_make_tokens,
    create_api_token,
    record_admin_action,
    revoke_api_token,
)
from apps.core.clock import now
from apps.core.problems import NotFound
from apps.core.tenancy import connection
from apps.organizations.doors import is_enforced
from apps.pages.forms import ProfileForm, TokenForm
from apps.pages.selectors.people import own_tokens
from apps.pages.views.member import MemberRequest, member_page


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def account(request: MemberRequest) -> HttpResponse:
    """Show the profile and change it."""
    form = ProfileForm(request.POST if request.method == "POST" else None, instance=request.contact)
    if request.method == "POST" and form.is_valid():
        # Only what was changed: another process may have linked or merged the contact meanwhile.
        form.instance.save(update_fields=form.changed_data)
        messages.success(request, _("Your profile is saved."))
        return redirect("pages:account")
    return render(request, "pages/account.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def tokens(request: MemberRequest) -> HttpResponse:
    """List the API tokens; on POST make one and show its secret, this once."""
    at, secret = now(), ""
    form = TokenForm(
        request.POST if request.method == "POST" else None, principal=request.principal, at=at
    )
    if request.method == "POST" and form.is_valid():
        check_may_make_tokens(request.principal)
        token, secret = create_api_token(
            contact=request.contact,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data.get("scopes", ()),
            expires_at=form.cleaned_data["expires_on"],
        )
        record_admin_action(actor=request.contact, action="apitoken.created", entity=token)
        form = TokenForm(principal=request.principal, at=at)
    closed = is_enforced(connection.tenant) and not may_make_tokens(request.principal)
    context = {
        "closed": closed,
        "form": form,
        "secret": secret,
        "tokens": own_tokens(request.contact),
        "at": at,
    }
    return render(request, "pages/tokens.html", context)


@require_POST
@member_page
def revoke_token(request: MemberRequest, token_id: UUID) -> HttpResponse:
    """End one of one's own tokens at once."""
    token = ApiToken.objects.filter(pk=token_id, contact=request.contact).first()
    if token is None:
        raise NotFound
    revoke_api_token(token=token, actor=request.contact, at=now())
    messages.success(request, _("“%(name)s” is revoked.") % {"name": token.name})
    return redirect("pages:tokens")
