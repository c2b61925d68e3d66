"""What the person at the door sees when a sign-in through the provider ends without a session."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.forms import LoginForm
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.clock import now
from apps.core.logs import request_id
from apps.core.tenancy import connection
from apps.sso.problems import SignInRefused, TestByAnother, TestRefused
from apps.sso.rules import Asserted
from apps.sso.services.admission import recognise
from apps.sso.services.enforcement import record_test

log = logging.getLogger("assay.sso")


def note_refusal(refused: SignInRefused) -> None:
    """Leave the refusal in the log and in the organisation's record, with the request's id.

    Never raised to the person: `why` names keys and addresses that a stranger should not learn.
    """
    details = {"code": refused.code, "why": refused.why, "request_id": request_id.get()}
    log.warning("sign-in refused", extra={"code": refused.code, "why": refused.why})
    record_admin_action(actor=None, action="sso.refused", details=details)


def refuse_sign_in(request: HttpRequest, refused: SignInRefused) -> HttpResponse:
    """Return the sign-in page with what went wrong and the number to ask about."""
    note_refusal(refused)
    context = {
        "form": LoginForm(request=request),
        "refused": refused,
        "reference": request_id.get(),
    }
    return render(request, "account/login.html", context, status=refused.status)


def conclude_test(
    request: HttpRequest, asserted: Asserted, *, state: dict[str, Any]
) -> HttpResponse:
    """Note the outcome of an owner's test sign-in; nobody is signed in by it."""
    back = redirect("admin:sso_ssoconnection_changelist")
    tester = request.user.pk if request.user.is_authenticated else None
    contact = Contact.objects.filter(user_id=tester).first() if tester else None
    if contact is None or (state.get("data") or {}).get("tester") != str(tester):
        raise TestRefused(why="the session is not that of the owner who began the test")
    try:
        if recognise(asserted=asserted) != tester:
            raise TestByAnother
        record_test(organization_id=connection.tenant.id, actor=contact, at=now())
    except (SignInRefused, TestByAnother) as refused:
        if isinstance(refused, SignInRefused):
            note_refusal(refused)
        messages.error(request, refused.detail or refused.title)
    else:
        messages.success(request, _("The test sign-in worked: your provider and we agree."))
    return back
