"""The gradebook: learners of a cohort × its assessments, with the results of record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.assessment.models import CohortGradebook
from apps.assessment.selectors.gradebook import (
    Cell,
    CellState,
    Gradebook,
    Wanted,
    gradebook,
)
from apps.cohorts.models import CohortStatus, EnrollmentState
from apps.cohorts.selectors import of_staffed
from apps.contacts.admin_base import ReadOnlyAdmin, Section, principal_of
from apps.contacts.capabilities import Capability
from apps.contacts.selectors import alias_ids
from apps.core.clock import now
from apps.core.spreadsheets import Cell as SheetCell
from apps.core.spreadsheets import csv_bytes

PER_PAGE = 50

LOOKS = {CellState.PASSED: "good", CellState.NOT_PASSED: "bad", CellState.AWAITS_GRADING: "warn"}
"""How the words about a cell are coloured."""


@admin.register(CohortGradebook)
class GradebookAdmin(ReadOnlyAdmin):
    """One page: choose a cohort, narrow it down, follow a result to the attempt behind it."""

    section, place = Section.TEACHING, 40
    menu = gettext_lazy("Gradebook")
    nothing_yet = gettext_lazy("You work with no cohort yet.")
    view_capability = Capability.VIEW_LEARNERS
    change_capability = Capability.VIEW_LEARNERS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return of_staffed(super().get_queryset(request), principal_of(request), cohort="pk")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.csv_view)
        name = "assessment_cohortgradebook_csv"
        return [path("<uuid:object_id>/csv/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the gradebook of this cohort."""
        cohort = self.found(request, object_id)
        return HttpResponseRedirect(f"{self.changelist_url()}?cohort={cohort.pk}")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a page of the chosen cohort's gradebook; without a choice, of the one that runs."""
        cohorts = list(self.get_queryset(request).order_by("-starts_on", "title"))
        cohort = _chosen(cohorts, request.GET.get("cohort", ""))
        if cohort is None:
            return self.page(request, "gradebook", title=self.title)
        wanted = _wanted(request)
        number = _number(request.GET.get("p", ""))
        book = gradebook(cohort.pk, wanted, offset=(number - 1) * PER_PAGE, limit=PER_PAGE)
        _require_assessment(book, wanted)
        filters = _filters(request.GET, cohort)
        return self.page(
            request,
            "gradebook",
            title=_("Gradebook of %(cohort)s") % {"cohort": cohort},
            cohort=cohort,
            cohorts=cohorts,
            book=book,
            wanted=wanted,
            is_narrowed=bool(wanted.template_id or wanted.state or wanted.name),
            states=CellState.choices,
            lines=[(row, [_shown(cell) for cell in row.cells]) for row in book.rows],
            enrolled=EnrollmentState.ENROLLED,
            pages=Paginator(range(book.total), PER_PAGE).get_page(number),
            query=f"{filters.urlencode()}&" if filters else "",
            csv_url=f"{reverse('admin:assessment_cohortgradebook_csv', args=[cohort.pk])}"
            f"?{filters.urlencode()}",
        )

    def csv_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Return what the page is narrowed to, all pages of it, as a CSV file."""
        cohort = self.found(request, str(object_id))
        if request.method != "GET":
            raise Http404
        wanted = _wanted(request)
        book = gradebook(cohort.pk, wanted)
        _require_assessment(book, wanted)
        self.on_record(request, "exported", cohort, {"learners": book.total})
        name = f"{slugify(_('gradebook'))}-{cohort.slug}-{now().date():%Y-%m-%d}.csv"
        return HttpResponse(
            csv_bytes(table_of(book)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def table_of(book: Gradebook) -> list[list[SheetCell]]:
    """Return the gradebook as rows for a spreadsheet: of each assessment percent and state."""
    header: list[SheetCell] = [_("Learner"), _("External id"), _("Enrolment")]
    for column in book.columns:
        header += [_("%(assessment)s (%%)") % {"assessment": column.title}, column.title]
    rows = [header]
    for row in book.rows:
        line: list[SheetCell] = [
            row.name,
            row.external_id,
            str(EnrollmentState(row.enrollment_state).label),
        ]
        for cell in row.cells:
            said = ", ".join(str(state.label) for state in cell.states)
            line += [cell.fact.percent if cell.fact else None, said]
        rows.append(line)
    return rows


def _chosen(cohorts: list[CohortGradebook], asked: str) -> CohortGradebook | None:
    """Return the cohort that was asked for, else one that runs, else the newest; raises Http404."""
    if asked:
        cohort = next((one for one in cohorts if str(one.pk) == asked), None)
        if cohort is None:
            raise Http404
        return cohort
    running = (one for one in cohorts if one.status == CohortStatus.OPEN)
    return next(running, cohorts[0] if cohorts else None)


def _wanted(request: HttpRequest) -> Wanted:
    """Return what the page is narrowed to. Who works here and learns here too is left out."""
    asked = request.GET
    try:
        template_id = UUID(asked["assessment"]) if asked.get("assessment") else None
    except ValueError:
        raise Http404 from None
    state = asked.get("state", "")
    return Wanted(
        template_id=template_id,
        state=CellState(state) if state in CellState.values else None,
        name=asked.get("q", "").strip().replace("\x00", ""),
        without=alias_ids(principal_of(request).contact_id),
    )


def _require_assessment(book: Gradebook, wanted: Wanted) -> None:
    if wanted.template_id is not None and not book.columns:
        raise Http404


def _number(asked: str) -> int:
    return max(int(asked), 1) if asked.isdecimal() and len(asked) < 6 else 1


def _filters(asked: QueryDict, cohort: CohortGradebook) -> QueryDict:
    """Return what the page is narrowed to as a query, without the number of the page."""
    kept = QueryDict(mutable=True)
    kept["cohort"] = str(cohort.pk)
    for name in ("assessment", "state", "q"):
        if asked.get(name):
            kept[name] = str(asked[name])
    return kept


def _shown(cell: Cell) -> dict[str, Any]:
    """Return a cell as the page shows it: the figure, the words, the attempt behind them."""
    return {
        "percent": cell.fact.percent.normalize() if cell.fact else None,
        "states": [(state.label, LOOKS.get(state, "")) for state in cell.states],
        "attempts": cell.attempts,
        "attempt_id": cell.attempt_id,
    }
