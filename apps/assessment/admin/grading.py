"""The grading queue: what waits, the next one, and the answer beside its rubric."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.assessment.admin.base import CohortReadOnly
from apps.assessment.forms.grading import GradeForm
from apps.assessment.models import GradingTask
from apps.assessment.selectors.grading import (
    GradingSheet,
    QueueProgress,
    grading_sheet,
    queue_progress,
)
from apps.assessment.services import (
    lease_next_task,
    lease_task,
    record_grade,
    record_rubric_grade,
    release_task,
)
from apps.assessment.vocabulary import TaskState
from apps.cohorts.selectors import staffed_by
from apps.contacts.admin_base import Section, actor_of, principal_of, refusal_of, tell, url_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.core.revisions import RevisionConflict
from apps.programs.markdown import render_markdown

TEMPLATE, COHORT = "attempt__template__id__exact", "attempt__enrollment__cohort__id__exact"


class StateFilter(admin.SimpleListFilter):
    """The queue shows what waits, unless somebody asks for the rest."""

    title = gettext_lazy("state")
    parameter_name = "shown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("done", _("Graded")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        chosen = self.value()
        yield {
            "selected": chosen is None,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "display": _("Waiting"),
        }
        for value, display in self.lookup_choices:
            yield {
                "selected": chosen == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": display,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "all":
                return queryset
            case "done":
                return queryset.filter(state=TaskState.DONE)
        return queryset.filter(state=TaskState.OPEN)


class AgeFilter(admin.SimpleListFilter):
    """How long an answer has been waiting."""

    title = gettext_lazy("waiting for")
    parameter_name = "waiting"
    days = {"1": 1, "3": 3, "7": 7}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("1", _("more than a day")),
            ("3", _("more than three days")),
            ("7", _("more than a week")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.days.get(self.value() or "")
        if days is None:
            return queryset
        return queryset.filter(created_at__lt=now() - timedelta(days=days))


@admin.register(GradingTask)
class GradingAdmin(CohortReadOnly):
    """Answers that wait for a person. One's own are not among them."""

    section, place = Section.TEACHING, 30
    menu = gettext_lazy("Grading queue")
    nothing_yet = gettext_lazy("Nothing waits for a grade.")
    to_cohort, to_contact = "attempt__enrollment__cohort", "attempt__contact"
    list_display = ("learner", "assessment", "question", "cohort", "created_at", "grader", "state")
    list_filter = (
        StateFilter,
        ("attempt__template", admin.RelatedOnlyFieldListFilter),
        ("attempt__enrollment__cohort", admin.RelatedOnlyFieldListFilter),
        AgeFilter,
    )
    search_fields = ("attempt__contact__display_name",)
    ordering = ("id",)
    change_list_template = "admin/assay/grading_change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .select_related(
                "item",
                "leased_by",
                "attempt__template",
                "attempt__contact",
                "attempt__enrollment__cohort",
            )
        )

    @admin.display(description=gettext_lazy("learner"), ordering="attempt__contact__display_name")
    def learner(self, obj: GradingTask) -> str:
        return obj.attempt.contact.display_name

    @admin.display(description=gettext_lazy("assessment"))
    def assessment(self, obj: GradingTask) -> str:
        return obj.attempt.template.title

    @admin.display(description=gettext_lazy("question"))
    def question(self, obj: GradingTask) -> str:
        return str(obj.item)

    @admin.display(description=gettext_lazy("cohort"))
    def cohort(self, obj: GradingTask) -> str:
        return obj.attempt.enrollment.cohort.title

    @admin.display(description=gettext_lazy("being graded by"))
    def grader(self, obj: GradingTask) -> str:
        return obj.leased_by.display_name if _is_leased(obj) and obj.leased_by else "–"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "assessment_gradingtask"
        return [
            path("next/", view(self.next_view), name=f"{name}_next"),
            path("<path:object_id>/lease/", view(self.lease_view), name=f"{name}_lease"),
            path("<path:object_id>/give-back/", view(self.give_back_view), name=f"{name}_back"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        template_id, cohort_id = _part_of(request.GET)
        context = {
            "progress": self._progress(request, template_id, cohort_id),
            "may_grade": principal_of(request).has(Capability.GRADE),
            "part": {TEMPLATE: template_id or "", COHORT: cohort_id or ""},
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def next_view(self, request: HttpRequest) -> HttpResponse:
        """Lease the next answer of the part of the queue that is shown, and open it."""
        if request.method != "POST" or not principal_of(request).has(Capability.GRADE):
            raise Http404
        return self._to_next(request, *_part_of(request.POST))

    def lease_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep the answer for a quarter of an hour."""
        task = self._to_grade(request, object_id)
        return self.carry_out(
            request,
            lambda: lease_task(task_id=task.id, grader=actor_of(request), at=now()),
            done=_("It is yours for a quarter of an hour."),
            back=url_of(task),
        )

    def give_back_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let others have the answer."""
        task = self._to_grade(request, object_id)
        return self.carry_out(
            request,
            lambda: release_task(task_id=task.id, grader=actor_of(request)),
            done=_("Given back."),
            back=self.changelist_url(),
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the answer beside its rubric; on POST record the grade."""
        task: GradingTask = self.found(request, object_id)
        may_grade = self.may_grade(request, task.attempt.enrollment.cohort_id)
        may_grade = may_grade and task.state != TaskState.CANCELLED
        sheet = grading_sheet(task)
        form = GradeForm(request.POST if request.method == "POST" else None, sheet=sheet)
        if request.method == "POST":
            if not may_grade:
                raise Http404
            if form.is_valid():
                done, form = self._graded(request, sheet, form)
                if done is not None:
                    return done
        return self._sheet_page(request, form, may_grade=may_grade)

    def _graded(
        self, request: HttpRequest, sheet: GradingSheet, form: GradeForm
    ) -> tuple[HttpResponse | None, GradeForm]:
        """Record the grade; refused, return the form again with what was entered."""
        problem = refusal_of(lambda: self._record(request, form))
        if problem is None:
            messages.success(request, _("The grade is recorded."))
            if "next" in request.POST:
                attempt = sheet.task.attempt
                cohort_id = attempt.enrollment.cohort_id
                return self._to_next(request, attempt.template_id, cohort_id), form
            return HttpResponseRedirect(self.changelist_url()), form
        if not isinstance(problem, RevisionConflict):
            tell(request, problem)
            return None, form
        messages.error(
            request,
            _(
                "Somebody else graded this in the meantime: see below. What you entered is kept; "
                "save again, with a reason, to put yours in its place."
            ),
        )
        fresh = grading_sheet(sheet.task)
        entered = request.POST.copy()
        entered["expected_revision"] = str(fresh.revision)
        return None, GradeForm(entered, sheet=fresh)

    def _record(self, request: HttpRequest, form: GradeForm) -> None:
        task, entered = form.sheet.task, form.cleaned_data
        common: dict[str, Any] = {
            "attempt_id": task.attempt_id,
            "item_id": task.item_id,
            "grader": actor_of(request),
            "expected_revision": entered["expected_revision"],
            "feedback": entered["feedback"],
            "reason": entered.get("reason", ""),
            "at": now(),
        }
        if form.sheet.rubric is None:
            record_grade(score=entered["score"], **common)
        else:
            record_rubric_grade(choices=form.choices(), **common)
        self.on_record(request, "graded", task)

    def _to_next(
        self, request: HttpRequest, template_id: UUID | None, cohort_id: UUID | None
    ) -> HttpResponse:
        task = lease_next_task(
            grader=actor_of(request),
            cohort_ids=self._cohorts(request, cohort_id),
            at=now(),
            template_id=template_id,
        )
        if task is not None:
            return HttpResponseRedirect(url_of(task))
        messages.success(request, _("Nothing waits here that nobody is at."))
        return HttpResponseRedirect(self.changelist_url())

    def _cohorts(self, request: HttpRequest, cohort_id: UUID | None) -> Collection[UUID] | None:
        allowed = staffed_by(principal_of(request))
        if cohort_id is None:
            return allowed
        return [cohort_id] if allowed is None or cohort_id in allowed else []

    def _to_grade(self, request: HttpRequest, object_id: str) -> GradingTask:
        task: GradingTask = self.found(request, object_id)
        if request.method != "POST" or not self.may_grade(
            request, task.attempt.enrollment.cohort_id
        ):
            raise Http404
        return task

    def _progress(
        self, request: HttpRequest, template_id: UUID | None, cohort_id: UUID | None
    ) -> QueueProgress:
        tasks = self.get_queryset(request)
        if template_id is not None:
            tasks = tasks.filter(attempt__template_id=template_id)
        if cohort_id is not None:
            tasks = tasks.filter(attempt__enrollment__cohort_id=cohort_id)
        return queue_progress(tasks)

    def _sheet_page(
        self, request: HttpRequest, form: GradeForm, *, may_grade: bool
    ) -> HttpResponse:
        task = form.sheet.task
        attempt = task.attempt
        return self.page(
            request,
            "grading_sheet",
            title=f"{attempt.template} · {attempt.contact}",
            sheet=form.sheet,
            task=task,
            attempt=attempt,
            prompt=_rendered(form.sheet),
            form=form,
            may_grade=may_grade,
            is_mine=_is_leased(task) and task.leased_by_id == principal_of(request).contact_id,
            held_by=task.leased_by if _is_leased(task) else None,
            progress=self._progress(request, attempt.template_id, attempt.enrollment.cohort_id),
            back=self.changelist_url(),
        )


def _rendered(sheet: GradingSheet) -> SafeString:
    return render_markdown(sheet.item.prompt_markdown)


def _is_leased(task: GradingTask) -> bool:
    return task.leased_until is not None and task.leased_until > now()


def _part_of(query: Any) -> tuple[UUID | None, UUID | None]:
    """Return the assessment and cohort to which the queue is narrowed."""
    return _uuid(query.get(TEMPLATE, "")), _uuid(query.get(COHORT, ""))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
