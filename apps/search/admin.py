"""Back office: one search over everything that is published, and its language."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of
from apps.contacts.capabilities import Capability
from apps.search.forms import LanguageForm, SearchForm
from apps.search.languages import Language
from apps.search.models import DocumentKind, SearchDocument
from apps.search.rules import QueryTooLong, QueryTooShort, read_query
from apps.search.selectors.findings import Finding, Hit, search_as_staff
from apps.search.selectors.sources import language_here
from apps.search.services import change_language

HITS_ON_A_PAGE = 20


def page_of(hit: Hit) -> str:
    """Return the page of the back office that shows a hit; a lesson stands on its version's."""
    name, row_id = {
        DocumentKind.PROGRAM: ("programs_programversion", hit.program_version_id),
        DocumentKind.COURSE: ("programs_courseversion", hit.course_version_id),
        DocumentKind.LESSON: ("programs_courseversion", hit.course_version_id),
        DocumentKind.QUESTION: ("assessment_assessmentitem", hit.assessment_item_id),
    }[DocumentKind(hit.kind)]
    return reverse(f"admin:{name}_change", args=[row_id])


@admin.register(SearchDocument)
class SearchAdmin(ReadOnlyAdmin):
    """A page to search on; rows of the index are nobody's."""

    section, place = Section.AUTHORING, 1
    menu = gettext_lazy("Search")
    view_capability = Capability.VIEW_CONTENT
    change_capability = Capability.MANAGE_SETTINGS

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        base = "search_searchdocument"
        return [
            path("", view(self.changelist_view), name=f"{base}_changelist"),
            path("language/", view(self.language_view), name=f"{base}_language"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = SearchForm(request.GET, kinds=tuple(DocumentKind))
        finding, refused = self._found(form)
        found: Any = finding or ()
        pages: Any = Paginator(found, HITS_ON_A_PAGE)
        page: Page[Hit] = pages.get_page(request.GET.get("page"))
        chosen = request.GET.copy()
        chosen.pop("page", None)
        return self.page(
            request,
            "search",
            title=self.title,
            form=form,
            refused=refused,
            finding=finding,
            page=page,
            hits=[(hit, page_of(hit)) for hit in page.object_list],
            chosen=chosen.urlencode(),
            language=Language(language_here()).label,
            may_change=self._may_change(request),
        )

    def _found(self, form: SearchForm) -> tuple[Finding | None, str]:
        """Return what was found, or why nothing was looked for; neither before one asks."""
        asked = form.data.get("q", "").strip()
        if not form.is_valid() or not asked:
            return None, ""
        try:
            query = read_query(asked)
        except (QueryTooShort, QueryTooLong) as problem:
            return None, _(problem.title)
        kind = form.cleaned_data["kind"]
        return search_as_staff(query, [kind] if kind else []), ""

    def language_view(self, request: HttpRequest) -> HttpResponse:
        if not self._may_change(request):
            raise PermissionDenied
        posted = request.POST if request.method == "POST" else None
        form = LanguageForm(posted, initial={"language": language_here()})
        terms = {"title": _("Language of the content"), "back": self.changelist_url()}
        if not form.is_valid():
            return self.form_page(request, form, **terms)
        return self.filled_in(
            request,
            form,
            lambda: change_language(
                language=form.cleaned_data["language"], actor=actor_of(request)
            ),
            done=_("The language is set."),
            **terms,
        )
