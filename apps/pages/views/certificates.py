"""What a learner was awarded, and the page on which anybody can verify it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core.clock import now
from apps.core.problems import NotFound
from apps.core.throttling import VerificationThrottle
from apps.credentials.selectors.awards import held_awards
from apps.credentials.selectors.verification import credential_page
from apps.organizations.middleware import refuse
from apps.pages.views.member import MemberRequest, member_page
from apps.pages.views.problems import too_many_requests


@require_safe
@member_page
def certificates(request: MemberRequest) -> HttpResponse:
    awards = held_awards(request.contact.id, at=now())
    return render(request, "pages/certificates.html", {"awards": awards})


@require_safe
@never_cache
def credential(request: HttpRequest, award_id: UUID) -> HttpResponse:
    """Show, to anybody, what was signed and whether it holds at this moment."""
    throttle = VerificationThrottle()
    if not throttle.allow_request(request):
        return too_many_requests(request, wait=throttle.wait())
    page = credential_page(award_id, at=now())
    if page is None:
        return refuse(request, NotFound())
    invalid = [step for step in page.verdict.steps if step.state == "invalid"]
    context = {"page": page, "content": page.content, "invalid": invalid}
    return render(request, "pages/credential.html", context)
