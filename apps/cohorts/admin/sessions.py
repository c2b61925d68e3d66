"""Sessions of a cohort, and the attendance sheet of each on one page."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.cohorts.admin.base import CohortPages, cohort_url, wall_clock
from apps.cohorts.admin.sheets import SheetPages
from apps.cohorts.forms import MeetingForm, RescheduleForm
from apps.cohorts.models import Cohort, CohortSession, CohortStatus
from apps.cohorts.rules.schedule import moment
from apps.cohorts.services import (
    cancel_session,
    reschedule_session,
    schedule_series,
    schedule_session,
)
from apps.contacts.admin_base import Section, actor_of, tell
from apps.core.problems import Problem


class SessionPages(CohortPages):
    """The sessions of a cohort in order, and the form that schedules one or a series."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:object_id>/sessions/",
            self.admin_site.admin_view(self.sessions_view),
            name="cohorts_cohort_sessions",
        )
        return [page, *super().get_urls()]

    def sessions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return self._sessions(request, self.cohort_of(request, object_id), MeetingForm())
        cohort = self.cohort_to_run(request, object_id)
        form = MeetingForm(request.POST)
        if form.is_valid() and self._schedule(request, cohort, form):
            messages.success(request, _("Scheduled."))
            return HttpResponseRedirect(cohort_url(cohort, "sessions"))
        return self._sessions(request, cohort, form)

    def _schedule(self, request: HttpRequest, cohort: Cohort, form: MeetingForm) -> bool:
        """Return whether the session or series could be scheduled; else tell why not."""
        said, actor = form.cleaned_data, actor_of(request)
        zone = said["timezone"] or cohort.timezone
        try:
            with transaction.atomic():
                if said["rule"]:
                    schedule_series(
                        cohort=cohort,
                        meeting=form.meeting,
                        first=said["first"],
                        length=form.length,
                        rule=said["rule"],
                        timezone=zone,
                        actor=actor,
                    )
                else:
                    starts_at = moment(said["first"], ZoneInfo(zone))
                    schedule_session(
                        cohort=cohort,
                        meeting=form.meeting,
                        starts_at=starts_at,
                        ends_at=starts_at + form.length,
                        timezone=zone,
                        actor=actor,
                    )
        except Problem as problem:
            tell(request, problem)
            return False
        return True

    def _sessions(self, request: HttpRequest, cohort: Cohort, form: MeetingForm) -> HttpResponse:
        running = cohort.status in (CohortStatus.PLANNED, CohortStatus.OPEN)
        return self.cohort_page(
            request,
            cohort,
            "cohort_sessions",
            title=_("Sessions"),
            sessions=[(session, *wall_clock(session)) for session in cohort.sessions.all()],
            form=form if running and self.may_run(request, cohort) else None,
        )


@admin.register(CohortSession)
class SessionAdmin(SheetPages):
    """Sessions, and who was there."""

    section, place = Section.TEACHING, 20
    menu = gettext_lazy("Sessions")
    nothing_yet = gettext_lazy("No session yet. They are scheduled on the page of their cohort.")
    list_display = ("title", "cohort", "starts_at", "timezone", "is_required", "cancelled_at")
    list_filter = ("is_required",)
    search_fields = ("title", "cohort__title")
    ordering = ("-starts_at",)
    change_form_template = "admin/assay/session_change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        pages = {
            "reschedule": self.reschedule_view,
            "cancel": self.cancel_view,
        }
        own = [
            path(f"<uuid:object_id>/{name}/", view(page), name=f"cohorts_cohortsession_{name}")
            for name, page in pages.items()
        ]
        return [*own, *super().get_urls()]

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        session = kwargs.get("obj")
        context["may_run"] = session is not None and self.may_run(request, session)
        return super().render_change_form(request, context, *args, **kwargs)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask once more, then cancel the session."""
        session = self.session_to_run(request, object_id)
        if request.method == "POST":
            return self.carry_out(
                request,
                lambda: cancel_session(session=session, actor=actor_of(request)),
                done=_("The session is cancelled."),
                back=cohort_url(session.cohort, "sessions"),
            )
        return self.session_page(request, session, "session_cancel", title=_("Cancel"))

    def reschedule_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Move the session, by its own wall clock."""
        session = self.session_to_run(request, object_id)
        form = RescheduleForm.of(session, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self.session_page(
                request, session, "session_reschedule", title=_("Reschedule"), form=form
            )
        said, zone = form.cleaned_data, ZoneInfo(session.timezone)
        return self.carry_out(
            request,
            lambda: reschedule_session(
                session=session,
                starts_at=moment(said["starts"], zone),
                ends_at=moment(said["ends"], zone),
                location=said["location"],
                url=said["url"],
                actor=actor_of(request),
            ),
            done=_("The session was moved."),
            back=cohort_url(session.cohort, "sessions"),
        )
