"""The learners' search: what one takes, and what one may begin."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.contacts.capabilities import Capability
from apps.pages.views.member import MemberRequest, member_page
from apps.search.forms import SearchForm
from apps.search.models import DocumentKind
from apps.search.rules import QueryTooLong, QueryTooShort, read_query
from apps.search.selectors.findings import Finding, search_as_learner

HITS_ON_A_PAGE = 10
KINDS = (DocumentKind.LESSON, DocumentKind.COURSE, DocumentKind.PROGRAM)


@require_safe
@member_page
def search(request: MemberRequest) -> HttpResponse:
    """Show what a member finds as a learner; staff search everything in the back office."""
    form = SearchForm(request.GET, kinds=KINDS)
    finding, refused = _found(request, form)
    found: Any = finding or ()
    pages: Any = Paginator(found, HITS_ON_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    chosen = request.GET.copy()
    chosen.pop("page", None)
    context = {
        "form": form,
        "finding": finding,
        "refused": refused,
        "page": page,
        "hits": list(page.object_list),
        "chosen": chosen.urlencode(),
        "searches_all": request.principal.has(Capability.VIEW_CONTENT)
        and request.principal.has(Capability.USE_BACK_OFFICE),
    }
    return render(request, "pages/search.html", context)


def _found(request: MemberRequest, form: SearchForm) -> tuple[Finding | None, str]:
    """Return what was found, or why nothing was looked for; neither before one asks."""
    asked = form.data.get("q", "").strip()
    if not form.is_valid() or not asked:
        return None, ""
    try:
        query = read_query(asked)
    except (QueryTooShort, QueryTooLong) as problem:
        return None, _(problem.title)
    kind = form.cleaned_data["kind"]
    return search_as_learner(request.contact.id, query, [kind] if kind else []), ""
