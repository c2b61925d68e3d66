"""A roster into a cohort: tried first, shown row by row, then imported, by a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.cohorts.admin.base import CohortPages, cohort_url
from apps.cohorts.forms import RosterForm
from apps.cohorts.models import Cohort, ImportStatus, RosterImport, RosterImportRow
from apps.cohorts.roster_reports import report_csv, report_name
from apps.cohorts.services import IMPORT, confirm_import, request_import
from apps.cohorts.services.imports import CREATED, OUTCOMES, REFUSED, UNCHANGED, UPDATED
from apps.contacts.admin_base import actor_of, tell
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.problems import Problem

PER_PAGE = 200
LISTED = 20

OUTCOME_NAMES = {
    CREATED: gettext_lazy("new"),
    UPDATED: gettext_lazy("changed"),
    UNCHANGED: gettext_lazy("as before"),
    REFUSED: gettext_lazy("refused"),
}
EFFECT_NAMES = {
    "contact.created": gettext_lazy("added to the people"),
    "contact.updated": gettext_lazy("details changed"),
    "email.added": gettext_lazy("address added"),
    "enrolled": gettext_lazy("enrolled"),
    "waitlisted": gettext_lazy("put on the waitlist"),
    "withdrawn": gettext_lazy("withdrawn"),
    "staff.added": gettext_lazy("made staff"),
    "staff.removed": gettext_lazy("no longer staff"),
}


class RosterImportPages(CohortPages):
    """The import pages: choose a file, read what it would do, confirm, read what it did."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        one = "<uuid:object_id>/roster/imports/<uuid:import_id>/"
        pages: list[tuple[str, Callable[..., HttpResponse], str]] = [
            ("<uuid:object_id>/roster/import/", self.import_view, "import"),
            (one, self.one_import_view, "one_import"),
            (f"{one}confirm/", self.confirm_view, "confirm_import"),
            (f"{one}report.csv", self.report_view, "import_report"),
        ]
        own = [
            path(where, view(page), name=f"cohorts_cohort_{name}") for where, page, name in pages
        ]
        return [*own, *super().get_urls()]

    def import_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a file and have it tried."""
        if request.method != "POST":
            return self._form_page(request, self.cohort_of(request, object_id), RosterForm())
        cohort = self.cohort_to_run(request, object_id)
        form = RosterForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._form_page(request, cohort, form)
        file: UploadedFile[bytes] = form.cleaned_data["file"]
        try:
            trial = request_import(
                cohort=cohort,
                filename=file.name or "roster",
                data=file.read(),
                is_dry_run=True,
                class_id=form.cleaned_data["class_id"],
                actor=actor_of(request),
                at=now(),
            )
        except Problem as problem:
            form.add_error(None, [problem.detail or problem.title, *_messages(problem.errors)])
            return self._form_page(request, cohort, form)
        return HttpResponseRedirect(_address(trial))

    def _form_page(self, request: HttpRequest, cohort: Cohort, form: RosterForm) -> HttpResponse:
        recent = cohort.roster_imports.select_related("requested_by").order_by("-created_at")
        imports = [(one, _address(one)) for one in recent[:LISTED]]
        return self.cohort_page(
            request,
            cohort,
            "cohort_import",
            title=_("Import a roster"),
            form=form,
            imports=imports,
            back=cohort_url(cohort, "roster"),
        )

    def _import_of(self, cohort: Cohort, import_id: str) -> RosterImport:
        found = cohort.roster_imports.select_related("requested_by").filter(pk=import_id).first()
        if found is None:
            raise Http404
        return found

    def one_import_view(self, request: HttpRequest, object_id: str, import_id: str) -> HttpResponse:
        """Show how far an import is, and its report: refused rows first, so none is missed."""
        cohort = self.cohort_of(request, object_id)
        asked = self._import_of(cohort, import_id)
        outcome = request.GET.get("outcome", "")
        rows = asked.rows.alias(is_refused=Q(outcome=REFUSED)).order_by("-is_refused", "position")
        if outcome in OUTCOMES:
            rows = rows.filter(outcome=outcome)
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
        args = [cohort.pk, asked.pk]
        confirmed = RosterImport.objects.filter(confirms=asked).first()
        return self.cohort_page(
            request,
            cohort,
            "cohort_one_import",
            title=asked.filename,
            trail=[(cohort_url(cohort, "import"), _("Import a roster"))],
            asked=asked,
            delivery=_delivery(asked),
            outcome=outcome,
            counts=[
                (name, OUTCOME_NAMES[name], asked.counts.get(name, 0))
                for name in OUTCOMES
                if asked.counts.get(name) or name == outcome
            ],
            query=f"outcome={outcome}&" if outcome in OUTCOMES else "",
            page=page,
            rows=[(_place(asked, row), row, *_words(row)) for row in page],
            may_confirm=confirmed is None and _can_be_confirmed(asked),
            changes_nothing=_changes_nothing(asked),
            confirmed=confirmed and _address(confirmed),
            confirm=reverse("admin:cohorts_cohort_confirm_import", args=args),
            report=reverse("admin:cohorts_cohort_import_report", args=args),
            again=cohort_url(cohort, "import"),
            back=cohort_url(cohort, "roster"),
        )

    def confirm_view(self, request: HttpRequest, object_id: str, import_id: str) -> HttpResponse:
        """Import the file that was tried; once, however often it is clicked."""
        cohort = self.cohort_to_run(request, object_id)
        trial = self._import_of(cohort, import_id)
        try:
            begun = confirm_import(trial=trial, actor=actor_of(request), at=now())
        except Problem as problem:
            tell(request, problem)
            return HttpResponseRedirect(_address(trial))
        return HttpResponseRedirect(_address(begun))

    def report_view(self, request: HttpRequest, object_id: str, import_id: str) -> HttpResponse:
        """Send the report as a file; the mark at its beginning tells Excel that it is UTF-8."""
        asked = self._import_of(self.cohort_of(request, object_id), import_id)
        headers = {"Content-Disposition": f'attachment; filename="{report_name(asked)}"'}
        return HttpResponse(
            f"\ufeff{report_csv(asked)}", content_type="text/csv; charset=utf-8", headers=headers
        )


def _address(asked: RosterImport) -> str:
    return reverse("admin:cohorts_cohort_one_import", args=[asked.cohort_id, asked.pk])


def _changes_nothing(asked: RosterImport) -> bool:
    return not asked.counts.get(CREATED) and not asked.counts.get(UPDATED)


def _can_be_confirmed(asked: RosterImport) -> bool:
    is_tried = asked.is_dry_run and asked.status == ImportStatus.DONE
    return is_tried and bool(asked.object_name) and not _changes_nothing(asked)


def _place(asked: RosterImport, row: RosterImportRow) -> str:
    """Return where a row stands: its file only where there are several."""
    line = "" if row.line is None else str(row.line)
    return line if row.file == asked.filename else f"{row.file} {line}".strip()


def _words(row: RosterImportRow) -> tuple[Any, str]:
    """Return an outcome and what it consists of, or why not, as people say it."""
    said = ", ".join(str(EFFECT_NAMES.get(done, done)) for done in row.did)
    if row.code:
        said = f"{row.column}: {row.message}" if row.column else row.message
    return OUTCOME_NAMES.get(row.outcome, row.outcome), said


def _messages(errors: Any) -> list[str]:
    return [error["message"] for error in errors]


def _delivery(asked: RosterImport) -> OutboxMessage | None:
    """Return the message that still owes the import, if trying it failed before."""
    if asked.is_finished:
        return None
    return OutboxMessage.objects.filter(topic=IMPORT, key=str(asked.pk), attempts__gt=0).first()
