"""Windows of cohorts and accommodations of learners."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.assessment.admin.base import staffed_cohorts
from apps.assessment.forms.terms import AccommodationForm, WindowForm, WindowTermsForm
from apps.assessment.models import Accommodation, AssessmentWindow
from apps.assessment.services import (
    change_window,
    end_accommodation,
    grant_accommodation,
    open_window,
    remove_window,
)
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.selectors import of_staffed
from apps.contacts.admin_base import Pages, Section, actor_of, ended, principal_of
from apps.contacts.capabilities import Capability
from apps.contacts.models import Contact
from apps.core.clock import now

RUN = Capability.RUN_COHORTS


class RunnersPages(Pages):
    """What who runs cohorts decides for their learners."""

    change_capability = RUN
    view_capability = Capability.VIEW_LEARNERS

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


@admin.register(AssessmentWindow)
class WindowAdmin(RunnersPages):
    """When cohorts may take assessments, on the clocks of the cohorts."""

    section, place = Section.TEACHING, 60
    menu = gettext_lazy("Assessment windows")
    nothing_yet = gettext_lazy("No window yet: assessments are open by their own terms.")
    list_display = ("template", "cohort", "opens_at", "due_at", "closes_at", "attempts_allowed")
    list_filter = (
        ("cohort", admin.RelatedOnlyFieldListFilter),
        ("template", admin.RelatedOnlyFieldListFilter),
    )
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("cohort", "template")
        return of_staffed(rows, principal_of(request), cohort="cohort")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.remove_view)
        name = "assessment_assessmentwindow_remove"
        return [path("<path:object_id>/remove/", view, name=name), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise Http404
        form = WindowForm(request.POST or None, cohorts=staffed_cohorts(request))
        if request.method == "POST" and form.is_valid():
            entered = form.cleaned_data

            def work() -> None:
                open_window(
                    cohort=entered["cohort"],
                    template=entered["template"],
                    terms=form.terms(),
                    actor=actor_of(request),
                )

            if self.succeeded(request, work, done=_("The window is set.")):
                return HttpResponseRedirect(self.changelist_url())
        title = _("A cohort's window, on its own clock")
        return self.form_page(request, form, title=title, back=self.changelist_url())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        window: AssessmentWindow = self.found(request, object_id)
        if not principal_of(request).can(RUN, cohort_id=window.cohort_id):
            return super().change_view(request, object_id, form_url, extra_context)
        form = WindowTermsForm(request.POST or None, window=window)
        if request.method == "POST" and form.is_valid():

            def work() -> None:
                change_window(window=window, terms=form.terms(), actor=actor_of(request))

            if self.succeeded(
                request, work, done=_("Changed. Attempts keep what they started under.")
            ):
                return HttpResponseRedirect(self.changelist_url())
        zone = window.cohort.timezone
        return self.page(
            request,
            "window_form",
            title=f"{window} ({zone})",
            form=form,
            back=self.changelist_url(),
            window=window,
        )

    def remove_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        window = self._to_run(request, object_id)
        if request.method != "POST":
            raise Http404
        return self.carry_out(
            request,
            lambda: remove_window(window=window, actor=actor_of(request)),
            done=_("Removed: the assessment's own terms hold again."),
            back=self.changelist_url(),
        )

    def _to_run(self, request: HttpRequest, object_id: str) -> AssessmentWindow:
        window: AssessmentWindow = self.found(request, object_id)
        if not principal_of(request).can(RUN, cohort_id=window.cohort_id):
            raise Http404
        return window


@admin.register(Accommodation)
class AccommodationAdmin(RunnersPages):
    """What learners are granted; a new one ends the one that stood for the same."""

    section, place = Section.TEACHING, 70
    nothing_yet = gettext_lazy("Nobody was granted anything yet.")
    list_display = (
        "contact",
        "template",
        "time_multiplier",
        "extra_attempts",
        "granted_by",
        "ended_at",
    )
    list_filter = (
        (
            "ended_at",
            ended(gettext_lazy("validity"), no=gettext_lazy("in force"), yes=gettext_lazy("ended")),
        ),
    )
    search_fields = ("contact__display_name",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("contact", "template", "granted_by")
        if principal_of(request).visible_cohorts is None:
            return rows
        return rows.filter(contact__in=self._learners(request))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.end_view)
        name = "assessment_accommodation_end"
        return [path("<path:object_id>/end/", view, name=name), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise Http404
        form = AccommodationForm(request.POST or None, learners=self._learners(request))
        if request.method == "POST" and form.is_valid():

            def work() -> None:
                grant_accommodation(actor=actor_of(request), at=now(), **form.cleaned_data)

            if self.succeeded(request, work, done=_("Granted, for attempts started from now on.")):
                return HttpResponseRedirect(self.changelist_url())
        title = _("Grant an accommodation")
        return self.form_page(request, form, title=title, back=self.changelist_url())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show it, and offer to end it."""
        accommodation = self.found(request, object_id)
        return self.page(
            request,
            "accommodation",
            title=accommodation,
            accommodation=accommodation,
            may_end=self._may_end(request, accommodation),
            back=self.changelist_url(),
        )

    def end_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        accommodation = self.found(request, object_id)
        if request.method != "POST" or not self._may_end(request, accommodation):
            raise Http404
        return self.carry_out(
            request,
            lambda: end_accommodation(
                accommodation=accommodation, actor=actor_of(request), at=now()
            ),
            done=_("Ended. Attempts keep what it said."),
            back=self.changelist_url(),
        )

    def _learners(self, request: HttpRequest) -> QuerySet[Contact]:
        """Return whom whoever is at work may grant something: never themselves."""
        enrolled = of_staffed(
            CohortEnrollment.objects.all(), principal_of(request), cohort="cohort"
        )
        people = Contact.objects.filter(id__in=enrolled.values("contact_id"), merged_into=None)
        return people.exclude(id=principal_of(request).contact_id).order_by("display_name")

    def _may_end(self, request: HttpRequest, accommodation: Accommodation) -> bool:
        """Whether to offer it; the list holds only what they may see, the service does the rest."""
        principal = principal_of(request)
        is_own = accommodation.contact_id == principal.contact_id
        return accommodation.ended_at is None and principal.has(RUN) and not is_own
