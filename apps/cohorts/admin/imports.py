"""A roster into a cohort: tried first, shown row by row, then imported."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.cohorts.admin.base import CohortPages, cohort_url
from apps.cohorts.forms import RosterConfirmation, RosterForm
from apps.cohorts.models import Cohort
from apps.cohorts.roster import read_roster
from apps.cohorts.services import (
    KeptRoster,
    RosterReport,
    forget_roster,
    import_roster,
    keep_roster,
    kept_roster,
)
from apps.contacts.admin_base import actor_of, principal_of, tell
from apps.core.clock import now
from apps.core.problems import Problem

SHOWN = 1_000
"""How many rows a page shows: the refused ones first, so that none of those is missed."""


class RosterImportPages(CohortPages):
    """The import page: choose a file, read what it would do, confirm."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:object_id>/roster/import/",
            self.admin_site.admin_view(self.import_view),
            name="cohorts_cohort_import",
        )
        return [page, *super().get_urls()]

    def import_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            cohort = self.cohort_of(request, object_id)
            return self._import_page(request, cohort, form=RosterForm())
        cohort = self.cohort_to_run(request, object_id)
        if "token" in request.POST:
            return self._confirmed(request, cohort)
        return self._tried(request, cohort)

    def _tried(self, request: HttpRequest, cohort: Cohort) -> HttpResponse:
        """Try the file, keep it, and ask."""
        form = RosterForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._import_page(request, cohort, form=form)
        file: UploadedFile[bytes] = form.cleaned_data["file"]
        roster = KeptRoster(
            filename=file.name or "roster", class_id=form.cleaned_data["class_id"], data=file.read()
        )
        report = self._import(request, cohort, roster, dry_run=True)
        if report is None or report.failed:
            return self._import_page(request, cohort, form=form, report=report)
        token = keep_roster(
            cohort_id=cohort.pk,
            actor_id=principal_of(request).contact_id,
            filename=roster.filename,
            class_id=roster.class_id,
            data=roster.data,
            at=now(),
        )
        confirmation = RosterConfirmation(initial={"token": token})
        return self._import_page(request, cohort, report=report, confirmation=confirmation)

    def _confirmed(self, request: HttpRequest, cohort: Cohort) -> HttpResponse:
        """Import the file that was tried, once, and show what really became of each row."""
        owner = {"cohort_id": cohort.pk, "actor_id": principal_of(request).contact_id}
        token = request.POST["token"]
        try:
            roster = kept_roster(token, **owner)
        except Problem as problem:
            tell(request, problem)
            return self._import_page(request, cohort, form=RosterForm())
        report = self._import(request, cohort, roster, dry_run=False)
        if report is None:
            return self._import_page(request, cohort, form=RosterForm())
        forget_roster(token, **owner)
        return self._import_page(request, cohort, report=report)

    def _import(
        self, request: HttpRequest, cohort: Cohort, roster: KeptRoster, *, dry_run: bool
    ) -> RosterReport | None:
        """Return the report, or None after telling why the roster can't be imported at all."""
        try:
            with transaction.atomic():
                return import_roster(
                    cohort=cohort,
                    roster=read_roster(roster.data, roster.filename),
                    actor=actor_of(request),
                    at=now(),
                    dry_run=dry_run,
                    class_id=roster.class_id,
                )
        except Problem as problem:
            tell(request, problem)
            for known in problem.extensions.get("classes", []):
                label = _("Class %(id)s: %(title)s") % known
                tell(request, Problem(label))
        return None

    def _import_page(
        self,
        request: HttpRequest,
        cohort: Cohort,
        *,
        form: RosterForm | None = None,
        report: RosterReport | None = None,
        confirmation: RosterConfirmation | None = None,
    ) -> HttpResponse:
        outcomes = report.outcomes if report else ()
        in_order = sorted(outcomes, key=lambda outcome: outcome.outcome != "refused")
        context: dict[str, Any] = {
            "form": form,
            "confirmation": confirmation,
            "report": report,
            "rows": in_order[:SHOWN],
            "not_shown": max(len(in_order) - SHOWN, 0),
            "back": cohort_url(cohort, "roster"),
        }
        return self.cohort_page(
            request, cohort, "cohort_import", title=_("Import a roster"), **context
        )
