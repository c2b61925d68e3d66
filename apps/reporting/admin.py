"""Back office: the dashboards, counted from the facts, and the learners at risk."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of, principal_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.reporting.ai_drawing import SHOWN, ai_charts
from apps.reporting.charts import Chart, Table
from apps.reporting.drawing import charts
from apps.reporting.forms import AiScopeForm, ScopeForm, ThresholdsForm
from apps.reporting.models import FactAiUsage, FactProgress, RiskThresholds
from apps.reporting.risks import RiskKind
from apps.reporting.selectors.dashboards import analysed_cohorts, cohorts_to_choose
from apps.reporting.selectors.risks import AtRisk, at_risk, thresholds_of
from apps.reporting.services import set_thresholds
from apps.reporting.spreadsheets import csv_response

ON_A_PAGE = 50


@admin.register(FactProgress)
class DashboardAdmin(ReadOnlyAdmin):
    """One page for whatever program, cohort and days are chosen; single facts are nobody's."""

    section, place = Section.TEACHING, 5
    menu = gettext_lazy("Dashboards")
    change_capability = Capability.VIEW_ANALYTICS
    view_capability = Capability.VIEW_ANALYTICS

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name=f"reporting_{self.opts.model_name}_changelist")]

    days_mean: ClassVar[Any] = gettext_lazy(
        "Days mean: sessions held, work handed in, and enrolments whose time begins then."
    )
    form_class: ClassVar[type[ScopeForm]] = ScopeForm

    def drawn(self, form: Any, *, is_whole: bool) -> list[Chart]:
        """Return the charts; whole tables are for downloads."""
        return charts(form.scope, at=now())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show the charts, or with `?csv=` send the table of one of them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = self.form_class(request.GET, allowed=analysed_cohorts(principal_of(request)))
        wanted = request.GET.get("csv")
        drawn = self.drawn(form, is_whole=wanted is not None) if form.is_valid() else []
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
            days_mean=self.days_mean,
        )


@admin.register(RiskThresholds)
class AtRiskAdmin(ReadOnlyAdmin):
    """Who is at risk in the open cohorts, each with the reasons; and each cohort's thresholds."""

    section, place = Section.TEACHING, 6
    menu = gettext_lazy("Learners at risk")
    change_capability = Capability.RUN_COHORTS
    view_capability = Capability.VIEW_ANALYTICS

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="reporting_riskthresholds_changelist"),
            path("<uuid:cohort_id>/", view(self.thresholds), name="reporting_riskthresholds_set"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """List them, or with `?csv=1` send them as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        principal = principal_of(request)
        form = ScopeForm(request.GET, allowed=analysed_cohorts(principal), without_days=True)
        found = at_risk(form.scope, at=now()) if form.is_valid() else []
        if "csv" in request.GET:
            return csv_response("at-risk", _table(found))
        page = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
        chosen = request.GET.copy()
        chosen.pop("page", None)
        cohort = form.cleaned_data.get("cohort") if form.is_valid() else None
        return self.page(
            request,
            "at_risk",
            title=self.title,
            form=form,
            found=page,
            count=len(found),
            kinds=[(kind, RiskKind(kind).label) for kind in RiskKind.values],
            chosen=chosen.urlencode(),
            cohort=cohort,
            may_set=cohort is not None
            and principal.can(Capability.RUN_COHORTS, cohort_id=cohort.pk),
        )

    def thresholds(self, request: HttpRequest, cohort_id: UUID) -> HttpResponse:
        """Say from where on the learners of one cohort are at risk."""
        principal = principal_of(request)
        cohort = cohorts_to_choose(analysed_cohorts(principal)).filter(pk=cohort_id).first()
        if cohort is None or not self.has_view_permission(request):
            raise Http404
        if not principal.can(Capability.RUN_COHORTS, cohort_id=cohort.pk):
            raise PermissionDenied
        thresholds = thresholds_of([cohort.pk])[cohort.pk]
        form = ThresholdsForm(request.POST or None, initial=vars(thresholds))
        back = f"{reverse('admin:reporting_riskthresholds_changelist')}?cohort={cohort.pk}"
        title = _("When learners of “%(cohort)s” are at risk") % {"cohort": cohort.title}
        if not form.is_valid():
            return self.form_page(request, form, title=title, back=back)
        return self.filled_in(
            request,
            form,
            lambda: set_thresholds(
                cohort=cohort, thresholds=form.thresholds, actor=actor_of(request)
            ),
            title=title,
            done=_("Saved."),
            back=back,
        )


def _table(found: list[AtRisk]) -> Table:
    header = (_("Learner"), _("Cohort"), _("Last active"), _("Kind"), _("Reason"))
    return Table(
        header,
        tuple(
            (
                one.name,
                one.cohort_title,
                one.active_on or "",
                RiskKind(risk.kind).label,
                risk.sentence,
            )
            for one in found
            for risk in one.risks
        ),
    )


@admin.register(FactAiUsage)
class AiUsageAdmin(DashboardAdmin):
    """What AI conversations cost, what people thought of them, and what came after."""

    section, place = Section.AI, 30
    menu = gettext_lazy("AI usage")
    days_mean = gettext_lazy(
        "Days mean: those on which a model was asked, and attempts were handed in."
    )
    form_class = AiScopeForm

    def drawn(self, form: Any, *, is_whole: bool) -> list[Chart]:
        limit = None if is_whole else SHOWN
        return ai_charts(form.scope, window=form.time_before, limit=limit)
