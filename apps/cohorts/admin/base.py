"""What the pages of one cohort share."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.cohorts.models import Cohort, CohortSession
from apps.cohorts.selectors import of_staffed
from apps.contacts.admin_base import Pages, ReadOnlyAdmin, principal_of
from apps.contacts.capabilities import Capability


class CohortPages(Pages):
    """Pages about one cohort, for who works with it."""

    change_capability = Capability.RUN_COHORTS
    view_capability = Capability.VIEW_LEARNERS

    def may_run(self, request: HttpRequest, cohort: Cohort) -> bool:
        """Whether whoever is at work runs this cohort."""
        return principal_of(request).can(Capability.RUN_COHORTS, cohort_id=cohort.pk)

    def cohort_of(self, request: HttpRequest, object_id: str) -> Cohort:
        """Return the cohort to be looked at; 404 for who doesn't see it."""
        cohort: Cohort | None = self.get_object(request, object_id)
        if cohort is None or not self.has_view_permission(request, cohort):
            raise Http404
        return cohort

    def cohort_to_run(self, request: HttpRequest, object_id: str) -> Cohort:
        """Return the cohort to be changed by a form that was sent; 404 for who doesn't run it."""
        cohort = self.cohort_of(request, object_id)
        if request.method != "POST" or not self.may_run(request, cohort):
            raise Http404
        return cohort

    def cohort_page(
        self, request: HttpRequest, cohort: Cohort, template: str, **context: Any
    ) -> HttpResponse:
        """Return a page about the cohort, out of templates/admin/assay."""
        may_run = self.may_run(request, cohort)
        return self.page(request, template, about=cohort, cohort=cohort, may_run=may_run, **context)


class SessionViews(ReadOnlyAdmin):
    """Pages about one session, for who works with its cohort."""

    change_capability = Capability.RUN_COHORTS
    view_capability = Capability.VIEW_LEARNERS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        sessions = super().get_queryset(request).select_related("cohort")
        return of_staffed(sessions, principal_of(request), cohort="cohort")

    def may_run(self, request: HttpRequest, session: CohortSession) -> bool:
        """Whether whoever is at work runs the session's cohort."""
        return principal_of(request).can(Capability.RUN_COHORTS, cohort_id=session.cohort_id)

    def session_of(self, request: HttpRequest, object_id: str) -> CohortSession:
        """Return the session to be looked at; 404 for who doesn't see it."""
        session: CohortSession | None = self.get_object(request, object_id)
        if session is None or not self.has_view_permission(request, session):
            raise Http404
        return session

    def session_to_run(self, request: HttpRequest, object_id: str) -> CohortSession:
        """Return the session to be changed; 404 for who doesn't run its cohort."""
        session = self.session_of(request, object_id)
        if not self.may_run(request, session):
            raise Http404
        return session

    def session_page(
        self, request: HttpRequest, session: CohortSession, template: str, **context: Any
    ) -> HttpResponse:
        """Return a page about the session, out of templates/admin/assay."""
        starts, ends = wall_clock(session)
        cohort = session.cohort
        trail = [
            (cohort_url(cohort), cohort),
            (cohort_url(cohort, "sessions"), _("Sessions")),
            (session_url(session, "attendance"), session),
        ]
        return self.page(
            request,
            template,
            trail=trail,
            cohort=cohort,
            session=session,
            starts=starts,
            ends=ends,
            **context,
        )


def cohort_url(cohort: Cohort, page: str = "change") -> str:
    """Return the address of one of a cohort's pages."""
    return reverse(f"admin:cohorts_cohort_{page}", args=[cohort.pk])


def session_url(session: CohortSession, page: str = "change") -> str:
    """Return the address of one of a session's pages."""
    return reverse(f"admin:cohorts_cohortsession_{page}", args=[session.pk])


def wall_clock(session: CohortSession) -> tuple[datetime, datetime]:
    """Return start and end as clocks show them where the session takes place.

    Without a time zone: templates would else turn them into the reader's.
    """
    zone = ZoneInfo(session.timezone)
    starts, ends = session.starts_at.astimezone(zone), session.ends_at.astimezone(zone)
    return starts.replace(tzinfo=None), ends.replace(tzinfo=None)
