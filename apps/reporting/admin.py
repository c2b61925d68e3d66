"""Back office: the dashboards, counted from the facts."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base import ReadOnlyAdmin, Section, principal_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.reporting.drawing import charts
from apps.reporting.forms import ScopeForm
from apps.reporting.models import FactProgress
from apps.reporting.selectors.dashboards import analysed_cohorts
from apps.reporting.spreadsheets import csv_response


@admin.register(FactProgress)
class DashboardAdmin(ReadOnlyAdmin):
    """One page for whatever program, cohort and days are chosen; single facts are nobody's."""

    section, place = Section.TEACHING, 5
    menu = gettext_lazy("Dashboards")
    change_capability = Capability.VIEW_ANALYTICS
    view_capability = Capability.VIEW_ANALYTICS

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="reporting_factprogress_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show the charts, or with `?csv=` send the table of one of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ScopeForm(request.GET, allowed=analysed_cohorts(principal_of(request)))
        drawn = charts(form.scope, at=now()) if form.is_valid() else []
        wanted = request.GET.get("csv")
        if wanted is not None:
            found = next((one for one in drawn if one.key == wanted), None)
            if found is None:
                raise Http404
            return csv_response(found.key, found.table)
        chosen = request.GET.copy()
        chosen.pop("csv", None)
        return self.page(
            request,
            "dashboard",
            title=self.title,
            form=form,
            charts=drawn,
            chosen=chosen.urlencode(),
        )
