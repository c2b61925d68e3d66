"""Attempts with their answers and events, results, and the decisions about both."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.assessment.admin.base import CohortReadOnly, staffed_cohorts
from apps.assessment.forms.terms import CohortDecisionForm, DecisionForm, ReasonForm
from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResult,
    GradingEvent,
    ResultRelease,
)
from apps.assessment.rules.policy import Source
from apps.assessment.selectors.attempts import (
    attempt_paper,
    current_result,
    release_decision,
    with_feedback,
)
from apps.assessment.selectors.grading import answer_in_words
from apps.assessment.services import decide_attempt_release, decide_release, void_attempt
from apps.assessment.vocabulary import AttemptStatus, ReleasePolicy
from apps.cohorts.selectors import staffed_by
from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of, principal_of, url_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now

RELATED = ("template", "contact", "enrollment__cohort")


TERMS = {
    "opens_at": gettext_lazy("Opens"),
    "due_at": gettext_lazy("Due"),
    "closes_at": gettext_lazy("Closes"),
    "attempts_allowed": gettext_lazy("Attempts"),
    "time_limit_seconds": gettext_lazy("Time limit, in seconds"),
    "grace_seconds": gettext_lazy("Grace, in seconds"),
    "time_multiplier": gettext_lazy("Time is multiplied by"),
    "late_percent_per_day": gettext_lazy("Taken off for each day late, in %"),
    "late_cap_percent": gettext_lazy("Taken off at most, in %"),
    "late_cut_off_days": gettext_lazy("Not accepted after, in days"),
    "release_policy": gettext_lazy("Results are shown"),
}
SOURCES = {
    Source.VERSION: gettext_lazy("the version"),
    Source.WINDOW: gettext_lazy("the cohort's window"),
    Source.ACCOMMODATION: gettext_lazy("an accommodation"),
    Source.DEFAULT: gettext_lazy("as usual"),
}
"""Where a term comes from."""


@admin.register(AssessmentAttempt)
class AttemptAdmin(CohortReadOnly):
    """Attempts: what was answered, what it was given, and by whom."""

    section, place = Section.RECORDS, 50
    menu = gettext_lazy("Attempts")
    nothing_yet = gettext_lazy("Nobody has begun an assessment yet.")
    to_cohort, to_contact = "enrollment__cohort", "contact"
    list_display = ("contact", "template", "attempt_no", "cohort", "status", "started_at")
    list_filter = (
        "status",
        ("template", admin.RelatedOnlyFieldListFilter),
        ("enrollment__cohort", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("contact__display_name", "template__title")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(*RELATED)

    @admin.display(description=gettext_lazy("cohort"))
    def cohort(self, obj: AssessmentAttempt) -> str:
        return obj.enrollment.cohort.title

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "assessment_assessmentattempt"
        return [
            path("<path:object_id>/void/", view(self.void_view), name=f"{name}_void"),
            path("<path:object_id>/release/", view(self.release_view), name=f"{name}_release"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the attempt; it changes through services alone."""
        attempt: AssessmentAttempt = self.found(request, object_id)
        if request.method != "GET":
            raise Http404
        may_grade = self.may_grade(request, attempt.enrollment.cohort_id)
        paper, result = attempt_paper(attempt), current_result(attempt)
        feedback = {}
        if result is not None:
            scored = with_feedback(attempt, result, paper.items).items
            feedback = {one.item.id: one for one in scored}
        events = GradingEvent.objects.filter(attempt=attempt).select_related("item", "grader")
        return self.page(
            request,
            "assessment_attempt",
            title=_("%(assessment)s · %(learner)s · attempt %(number)d")
            % {
                "assessment": attempt.template,
                "learner": attempt.contact,
                "number": attempt.attempt_no,
            },
            attempt=attempt,
            terms=terms_in_words(attempt.policy),
            lines=[(item, answer_in_words(item), feedback.get(item.id)) for item in paper.items],
            result=result,
            events=events.order_by("recorded_at", "id"),
            tasks=attempt.grading_tasks.select_related("item").order_by("id"),
            decision=release_decision(attempt),
            may_grade=may_grade,
            may_void=may_grade and attempt.status != AttemptStatus.VOID,
            back=self.changelist_url(),
        )

    def void_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, then declare the attempt void."""
        attempt = self._to_rule(request, object_id)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():

            def work() -> None:
                void_attempt(
                    attempt_id=attempt.id,
                    actor=actor_of(request),
                    reason=form.cleaned_data["reason"],
                    at=now(),
                )

            if self.succeeded(request, work, done=_("The attempt is void.")):
                return HttpResponseRedirect(url_of(attempt))
        title = _("Declare the attempt of %s void: its result counts no more") % attempt.contact
        return self.form_page(request, form, title=title, back=url_of(attempt))

    def release_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Decide whether the learner sees the result of this attempt."""
        attempt = self._to_rule(request, object_id)
        form = DecisionForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():

            def work() -> None:
                decide_attempt_release(
                    attempt=attempt, actor=actor_of(request), **form.cleaned_data
                )

            if self.succeeded(request, work, done=_("Decided.")):
                return HttpResponseRedirect(url_of(attempt))
        title = _("The result of %s") % attempt.contact
        return self.form_page(request, form, title=title, back=url_of(attempt))

    def _to_rule(self, request: HttpRequest, object_id: str) -> AssessmentAttempt:
        attempt: AssessmentAttempt = self.found(request, object_id)
        if not self.may_grade(request, attempt.enrollment.cohort_id):
            raise Http404
        return attempt


def terms_in_words(policy: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    """Return what an attempt goes by: name, value and origin, as the page shows them."""
    return [
        (label, _value(name, entry["value"]), SOURCES.get(entry["source"], entry["source"]))
        for name, label in TERMS.items()
        if (entry := policy.get(name)) is not None and entry["value"] is not None
    ]


def _value(name: str, value: Any) -> Any:
    if name.endswith("_at"):
        return parse_datetime(value)
    if name == "release_policy":
        return ReleasePolicy(value).label if value in ReleasePolicy.values else value
    return value


@admin.register(AssessmentResult)
class ResultAdmin(CohortReadOnly):
    """The current result of each attempt."""

    section, place = Section.RECORDS, 60
    menu = gettext_lazy("Results")
    nothing_yet = gettext_lazy("There is no result yet.")
    to_cohort, to_contact = "attempt__enrollment__cohort", "attempt__contact"
    list_display = (
        "learner",
        "assessment",
        "attempt_no",
        "cohort",
        "percent",
        "passed",
        "is_final",
        "is_void",
        "recorded_at",
    )
    list_filter = (
        "passed",
        "is_final",
        "is_void",
        ("attempt__template", admin.RelatedOnlyFieldListFilter),
        ("attempt__enrollment__cohort", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = ("attempt__contact__display_name",)
    ordering = ("-id",)
    actions = ("release", "hold")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        current = AssessmentResult.objects.current().values("pk")
        rows = super().get_queryset(request).filter(pk__in=current)
        return rows.select_related(*(f"attempt__{name}" for name in RELATED)).defer("facts")

    @admin.display(description=gettext_lazy("learner"), ordering="attempt__contact__display_name")
    def learner(self, obj: AssessmentResult) -> str:
        return obj.attempt.contact.display_name

    @admin.display(description=gettext_lazy("assessment"))
    def assessment(self, obj: AssessmentResult) -> str:
        return obj.attempt.template.title

    @admin.display(description=gettext_lazy("attempt"))
    def attempt_no(self, obj: AssessmentResult) -> int:
        return obj.attempt.attempt_no

    @admin.display(description=gettext_lazy("cohort"))
    def cohort(self, obj: AssessmentResult) -> str:
        return obj.attempt.enrollment.cohort.title

    def has_grade_permission(self, request: HttpRequest) -> bool:
        return principal_of(request).has(Capability.GRADE)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the attempt, where the result is explained."""
        return HttpResponseRedirect(url_of(self.found(request, object_id).attempt))

    @admin.action(
        description=gettext_lazy("Let the learners see the selected results…"),
        permissions=["grade"],
    )
    def release(
        self, request: HttpRequest, queryset: QuerySet[AssessmentResult]
    ) -> HttpResponse | None:
        return self._decide(request, queryset, is_released=True)

    @admin.action(description=gettext_lazy("Hold the selected results…"), permissions=["grade"])
    def hold(
        self, request: HttpRequest, queryset: QuerySet[AssessmentResult]
    ) -> HttpResponse | None:
        return self._decide(request, queryset, is_released=False)

    def _decide(
        self, request: HttpRequest, queryset: QuerySet[AssessmentResult], *, is_released: bool
    ) -> HttpResponse | None:
        shown = _("The learners see these results with their feedback at once.")
        held = _("The learners don't see these results until they are released.")
        question = self.asked(
            request,
            queryset,
            action="release" if is_released else "hold",
            sentence=shown if is_released else held,
            send=_("Show the results") if is_released else _("Hold the results"),
        )
        if question is not None:
            return question
        results, actor = list(queryset), actor_of(request)

        def work() -> None:
            for result in results:
                decide_attempt_release(attempt=result.attempt, is_released=is_released, actor=actor)

        done = ngettext("Decided for %d result.", "Decided for %d results.", len(results))
        self.succeeded(request, work, done=done % len(results))
        return None


@admin.register(ResultRelease)
class ReleaseAdmin(ReadOnlyAdmin):
    """What was decided about results; `Add` decides for a cohort."""

    section, place = Section.TEACHING, 80
    menu = gettext_lazy("Release decisions")
    nothing_yet = gettext_lazy(
        "Nothing was decided yet: results are shown as their assessments say."
    )
    change_capability = Capability.GRADE
    view_capability = Capability.VIEW_LEARNERS
    list_display = (
        "template",
        "cohort",
        "attempt",
        "is_released",
        "actor",
        "reason",
        "recorded_at",
    )
    list_filter = ("is_released", ("template", admin.RelatedOnlyFieldListFilter))
    ordering = ("-recorded_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("template", "cohort", "actor", "attempt__template")
        rows = super().get_queryset(request).select_related(*related)
        staffed = staffed_by(principal_of(request))
        if staffed is None:
            return rows
        return rows.filter(Q(cohort__in=staffed) | Q(attempt__enrollment__cohort__in=staffed))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Release or hold a cohort's results of one assessment."""
        if not self.has_add_permission(request):
            raise Http404
        data = request.POST if request.method == "POST" else None
        form = CohortDecisionForm(data, cohorts=staffed_cohorts(request))
        if request.method == "POST" and form.is_valid():

            def work() -> None:
                decide_release(actor=actor_of(request), **form.cleaned_data)

            if self.succeeded(request, work, done=_("Decided.")):
                return HttpResponseRedirect(self.changelist_url())
        title = _("A cohort's results of an assessment")
        return self.form_page(request, form, title=title, back=self.changelist_url())
