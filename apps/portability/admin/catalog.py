"""The platform's catalog in the back office: what is offered, adopted, and newer than that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.models import CatalogCourse, CatalogCourseVersion
from apps.catalog.selectors import newest_of, offered_courses, versions_of
from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of, refusal_of, tell, url_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.portability.selectors.adoptions import Adoption, adoptions, changed_here
from apps.portability.services import (
    Updated,
    UpdatePreview,
    adopt_course,
    preview_update,
    update_course,
)
from apps.portability.vocabulary import Outcome
from apps.programs.models import Course

PER_PAGE = 20
LONGEST_SEARCH = 200


@admin.register(CatalogCourse)
class CatalogAdmin(ReadOnlyAdmin):
    """Courses that the platform offers."""

    section, place = Section.AUTHORING, 80
    menu = gettext_lazy("Catalog")
    change_capability = Capability.AUTHOR_CONTENT
    view_capability = Capability.VIEW_CONTENT

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(
                f"<uuid:object_id>/{verb}/",
                view(getattr(self, f"{verb}_page")),
                name=f"catalog_catalogcourse_{verb}",
            )
            for verb in ("adopt", "update")
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what was adopted, then what is offered, twenty a page; `?q=` searches that."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        search = request.GET.get("q", "")[:LONGEST_SEARCH].strip()
        shown = Paginator(offered_courses(search), PER_PAGE).get_page(request.GET.get("p"))
        known = adoptions()
        return self.page(
            request,
            "catalog",
            title=self.title,
            search=search,
            page=shown,
            query=f"{urlencode({'q': search})}&" if search else "",
            courses=[
                (version, known.get(version.course_id), url_of(version.course)) for version in shown
            ],
            adopted=[] if search else [_row(one) for one in known.values()],
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one course: its outline, its versions, and where the organisation stands."""
        course, newest = self._offered(request, object_id)
        adoption = adoptions([course.pk]).get(course.pk)
        return self.page(
            request,
            "catalog_course",
            title=newest.title,
            version=newest,
            versions=versions_of(course),
            adoption=adoption,
            course_url=url_of(adoption.course) if adoption else "",
            draft_url=url_of(adoption.draft) if adoption and adoption.draft else "",
            local=changed_here(adoption.course) if adoption else None,
            may_adopt=self._may_change(request),
            course=course,
        )

    def adopt_page(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Adopt the newest version, published at once or left as a draft."""
        course, newest = self._offered(request, str(object_id))
        if not self._may_change(request) or request.method != "POST":
            raise Http404
        taken: list[Course] = []

        def work() -> None:
            here, _is_new = adopt_course(
                version=newest,
                actor=actor_of(request),
                at=now(),
                leaves_draft="draft" in request.POST,
                is_this_one=False,
            )
            taken.append(here)

        problem = refusal_of(work)
        if problem is not None:
            tell(request, problem)
            return HttpResponseRedirect(url_of(course))
        messages.success(request, _("Adopted: it is one of your courses now."))
        return HttpResponseRedirect(url_of(taken[0]))

    def update_page(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show what an update would change, and make its draft."""
        course, newest = self._offered(request, str(object_id))
        if not self._may_change(request):
            raise Http404
        if request.method == "POST":
            return self._update(request, course, newest)
        seen: list[UpdatePreview] = []
        problem = refusal_of(
            lambda: seen.append(preview_update(version=newest, actor=actor_of(request), at=now()))
        )
        if problem is not None:
            tell(request, problem)
            return HttpResponseRedirect(url_of(course))
        [preview] = seen
        return self.page(
            request,
            "catalog_update",
            title=_("Update to version %(number)s") % {"number": newest.number},
            trail=[(url_of(course), newest.title)],
            preview=preview,
            version=newest,
            changed_parts=[
                part
                for part in preview.report.parts
                if part.outcome != Outcome.UNCHANGED and part != preview.report.root
            ],
            back=url_of(course),
        )

    def _update(
        self, request: HttpRequest, course: CatalogCourse, newest: CatalogCourseVersion
    ) -> HttpResponse:
        made: list[Updated] = []
        problem = refusal_of(
            lambda: made.append(update_course(version=newest, actor=actor_of(request), at=now()))
        )
        if problem is not None:
            tell(request, problem)
            return HttpResponseRedirect(url_of(course))
        draft = made[0].draft
        if draft is None:
            messages.success(request, _("Up to date: the new version says the same."))
            return HttpResponseRedirect(url_of(course))
        messages.success(request, _("The update is a draft: look at it, then publish it."))
        return HttpResponseRedirect(url_of(draft))

    def _offered(
        self, request: HttpRequest, object_id: str
    ) -> tuple[CatalogCourse, CatalogCourseVersion]:
        """Return a course with its newest version; 404 for what is not offered."""
        course = self.found(request, object_id)
        newest = newest_of([course.pk]).get(course.pk)
        if newest is None:
            raise Http404
        return course, newest


def _row(adoption: Adoption) -> tuple[Adoption, str, str]:
    """Return an adoption with the addresses of the course here, and of what is offered."""
    offered = ""
    if adoption.newest is not None:
        offered = reverse("admin:catalog_catalogcourse_change", args=[adoption.newest.course_id])
    return adoption, url_of(adoption.course), offered
