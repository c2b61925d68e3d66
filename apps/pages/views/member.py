"""What every page of a member shares: who reads it, in which language and time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache

from apps.cohorts.models import Cohort
from apps.contacts.authentication import principal_of_request
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.core.problems import Forbidden, Problem
from apps.organizations.middleware import refuse

P = ParamSpec("P")


class NotAMember(Forbidden):
    code = "not-a-member"
    title = "Your account is not a member of this organisation."


class MemberRequest(HttpRequest):
    """A request of a signed-in member; `contact` is who they are in this organisation."""

    principal: Principal
    contact: Contact


def member_page(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Return the view for members only; strangers sign in first, problems become pages."""

    @never_cache
    @login_required
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        principal = principal_of_request(request)
        if principal is None:
            return refuse(request, NotAMember())
        member = cast(MemberRequest, request)
        member.contact = principal.contact or Contact.objects.get(pk=principal.contact_id)
        with preferences(member.contact):
            try:
                response = view(member, *args, **kwargs)
            except Problem as problem:
                response = refuse(request, problem)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
        return response

    return page


@contextmanager
def preferences(contact: Contact) -> Iterator[None]:
    """Speak the contact's language and show their local time, as far as they chose."""
    language = contact.locale or translation.get_language() or settings.LANGUAGE_CODE
    if language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    with translation.override(language), timezone.override(zone_of(contact)):
        yield


def zone_of(contact: Contact) -> ZoneInfo:
    """Return the contact's time zone, or the platform's where none or an unknown one is kept."""
    try:
        return ZoneInfo(contact.timezone or settings.TIME_ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(settings.TIME_ZONE)


def use_zone_of(request: MemberRequest, cohort: Cohort) -> None:
    """Show this page's times as the cohort has them, to readers who chose no time zone.

    Holds until the page is answered: `preferences` then restores what was before.
    """
    if not request.contact.timezone:
        timezone.activate(ZoneInfo(cohort.timezone))
