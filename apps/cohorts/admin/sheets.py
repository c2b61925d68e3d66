"""The attendance sheet of a session: everybody on one page, each colleague's words respected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.cohorts.admin.base import SessionViews
from apps.cohorts.forms import MAX_LINES, SheetFormSet, sheet_initial
from apps.cohorts.models import AttendanceStatus, CohortSession
from apps.cohorts.selectors import SheetRow, attendance_sheet
from apps.cohorts.services import record_attendance
from apps.contacts.admin_base import actor_of, principal_of, tell
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.core.problems import Problem
from apps.core.revisions import RevisionConflict


class SheetPages(SessionViews):
    """The sheet of a session."""

    def get_urls(self) -> list[URLPattern]:
        page = path(
            "<uuid:object_id>/attendance/",
            self.admin_site.admin_view(self.attendance_view),
            name="cohorts_cohortsession_attendance",
        )
        return [page, *super().get_urls()]

    def _may_take(self, request: HttpRequest, session: CohortSession) -> bool:
        principal = principal_of(request)
        allowed = principal.can(Capability.TAKE_ATTENDANCE, cohort_id=session.cohort_id)
        return allowed and session.cancelled_at is None

    def attendance_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session = self.session_of(request, object_id)
        if request.method == "POST":
            if not self._may_take(request, session):
                raise Http404
            return self._taken(request, session)
        rows = Paginator(attendance_sheet(session), MAX_LINES).get_page(request.GET.get("p"))
        formset = SheetFormSet(initial=sheet_initial(rows))
        return self._sheet(request, session, rows, formset)

    def _taken(self, request: HttpRequest, session: CohortSession) -> HttpResponse:
        """Write the lines that were touched: all of them, or none and what was typed is kept."""
        said = request.POST.copy()
        if "all_present" in said:
            mark_the_rest_present(said)
        formset = SheetFormSet(said)
        changed: set[str] = set()
        if not formset.is_valid():
            messages.error(request, _("Nothing was saved: please look at the marked lines."))
        else:
            try:
                count = self._record(request, session, formset)
            except RevisionConflict as conflict:
                changed = set(conflict.extensions.get("enrollments", ()))
                text = _("Nothing was saved: somebody else wrote about the marked lines meanwhile.")
                messages.error(request, text)
            except Problem as problem:
                tell(request, problem)
            else:
                text = ngettext("%(count)d line was saved.", "%(count)d lines were saved.", count)
                messages.success(request, text % {"count": count})
                return HttpResponseRedirect(request.get_full_path())
        rows = attendance_sheet(session)
        if changed:
            formset = SheetFormSet(seen(said, rows, changed))
        return self._sheet(request, session, rows, formset, changed)

    def _record(self, request: HttpRequest, session: CohortSession, formset: Any) -> int:
        touched = [form for form in formset if form.is_touched]
        with transaction.atomic():
            records = record_attendance(
                session=session,
                entries=[form.entry for form in touched],
                recorded_by=actor_of(request),
                at=now(),
                expected_revisions={
                    form.cleaned_data["enrollment_id"]: form.cleaned_data["revision"]
                    for form in touched
                },
            )
            if records:
                self.on_record(request, "attendance-taken", session, {"lines": len(records)})
        return len(records)

    def _sheet(
        self,
        request: HttpRequest,
        session: CohortSession,
        rows: Sequence[SheetRow] | Any,
        formset: Any,
        changed: set[str] | None = None,
    ) -> HttpResponse:
        known = {str(row.enrollment_id): row for row in rows}
        lines = [
            {"form": form, "row": known.get(learner), "is_stale": learner in (changed or ())}
            for form in formset
            for learner in [str(form["enrollment_id"].value())]
        ]
        return self.session_page(
            request,
            session,
            "session_attendance",
            title=_("Attendance"),
            formset=formset,
            lines=lines,
            pages=rows if hasattr(rows, "has_next") else None,
            may_take=self._may_take(request, session),
        )


def mark_the_rest_present(said: QueryDict) -> None:
    """Choose “present” for everybody about whom the sheet says nothing yet."""
    for name in list(said):
        if name.startswith("form-") and name.endswith("-status") and not said[name]:
            said[name] = AttendanceStatus.PRESENT.value


def seen(said: QueryDict, rows: Sequence[SheetRow], changed: set[str]) -> QueryDict:
    """Return what was sent, as by somebody who has now seen what others wrote about `changed`."""
    revisions = {str(row.enrollment_id): row.revision for row in rows}
    again = said.copy()
    for name in list(said):
        learner = said[name]
        if name.endswith("-enrollment_id") and learner in changed and learner in revisions:
            again[name.replace("-enrollment_id", "-revision")] = str(revisions[learner])
    return again
