"""The safety queue: what was flagged, who looks at it, what they decide."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ai_logs.forms import AssignForm, DecideForm
from apps.ai_logs.models import AiSafetyReview
from apps.ai_logs.selectors.safety import visible_reviews
from apps.ai_logs.services.safety import assign_review, decide_review
from apps.ai_logs.vocabulary import ReviewDecision, ReviewState
from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of, principal_of, url_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now

LOOKS = {
    ReviewDecision.HARMLESS: "good",
    ReviewDecision.CONFIRMED: "bad",
    ReviewDecision.ESCALATED: "warn",
}


class QueueFilter(admin.SimpleListFilter):
    """Begins with what waits for a decision."""

    title = gettext_lazy("state")
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("mine", gettext_lazy("open, in my hands")),
            ("nobody", gettext_lazy("open, in nobody's hands")),
            ("decided", gettext_lazy("decided")),
            ("all", gettext_lazy("all")),
        ]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": gettext_lazy("open")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        open_ones = queryset.filter(state=ReviewState.OPEN)
        if self.value() == "mine":
            return open_ones.filter(assignee=principal_of(request).contact_id)
        if self.value() == "nobody":
            return open_ones.filter(assignee=None)
        if self.value() == "decided":
            return queryset.filter(state=ReviewState.DECIDED)
        return queryset if self.value() == "all" else open_ones


@admin.register(AiSafetyReview)
class AiSafetyReviewAdmin(ReadOnlyAdmin):
    """Cases; the texts are at the conversation, where reading them is put on record."""

    section, place = Section.AI, 20
    menu = gettext_lazy("Safety queue")
    nothing_yet = gettext_lazy("Nothing waits here. A flag on a message opens a case.")
    change_capability = Capability.REVIEW_SAFETY
    view_capability = Capability.READ_CONVERSATIONS
    list_display = ("opened_at", "learner", "flagged_by", "cohort", "assignee", "became")
    list_filter = (QueueFilter, "decision", "interaction__session__session_type")
    search_fields = (
        "interaction__session__contact__display_name",
        "feedback__contact__display_name",
        "assignee__display_name",
        "note",
    )
    ordering = ("-opened_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_reviews(principal_of(request))

    @admin.display(description=gettext_lazy("learner"))
    def learner(self, review: AiSafetyReview) -> str:
        return str(review.interaction.session.contact or _("unknown"))

    @admin.display(description=gettext_lazy("flagged by"))
    def flagged_by(self, review: AiSafetyReview) -> str:
        return str(review.feedback.contact) if review.feedback else "–"

    @admin.display(description=gettext_lazy("cohort"))
    def cohort(self, review: AiSafetyReview) -> str:
        enrollment = review.interaction.session.enrollment
        return str(enrollment.cohort) if enrollment else "–"

    @admin.display(description=gettext_lazy("decision"), ordering="decision")
    def became(self, review: AiSafetyReview) -> str:
        if review.state == ReviewState.OPEN:
            return format_html('<span class="state warn">{}</span>', _("open"))
        decision = ReviewDecision(review.decision)
        return format_html(
            '<span class="state {}">{}</span>', LOOKS.get(decision, ""), decision.label
        )

    def get_urls(self) -> list[URLPattern]:
        view, base = self.admin_site.admin_view, "ai_logs_aisafetyreview"
        return [
            path("<uuid:object_id>/take/", view(self.take_view), name=f"{base}_take"),
            path("<uuid:object_id>/assign/", view(self.assign_view), name=f"{base}_assign"),
            path("<uuid:object_id>/decide/", view(self.decide_view), name=f"{base}_decide"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the case: what it is about, who has it, what was decided."""
        review = self.found(request, object_id)
        session = review.interaction.session
        is_open = review.state == ReviewState.OPEN
        return self.page(
            request,
            "ai_safety_review",
            title=self._title(review),
            review=review,
            session=session,
            became=self.became(review),
            may_act=is_open and self._may_change(request),
            is_mine=review.assignee_id == principal_of(request).contact_id,
            earlier=visible_reviews(principal_of(request))
            .filter(interaction__session=session)
            .exclude(pk=review.pk),
            may_read_history=self.may_read_history(request, review),
        )

    def _title(self, review: AiSafetyReview) -> str:
        return _("Flagged message of %(name)s") % {"name": self.learner(review)}

    def _to_change(self, request: HttpRequest, object_id: Any) -> AiSafetyReview:
        review: AiSafetyReview = self.found(request, str(object_id))
        if not self._may_change(request):
            raise Http404
        return review

    def take_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Take the case into one's own hands."""
        review = self._to_change(request, object_id)
        if request.method != "POST":
            raise Http404
        me = actor_of(request)
        return self.carry_out(
            request,
            lambda: assign_review(review=review, assignee=me, actor=me),
            done=_("The case is in your hands."),
            back=url_of(review),
        )

    def assign_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Put the case into somebody's hands."""
        review = self._to_change(request, object_id)
        form = AssignForm(request.POST or None, review=review)
        page = self._form_page(review, _("Assign"))
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, **page)
        return self.filled_in(
            request,
            form,
            lambda: assign_review(
                review=review, assignee=form.cleaned_data["assignee"], actor=actor_of(request)
            ),
            done=_("Assigned."),
            **page,
        )

    def decide_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Decide, for good."""
        review = self._to_change(request, object_id)
        form = DecideForm(request.POST or None)
        page = self._form_page(review, _("Decide"))
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, **page)
        return self.filled_in(
            request,
            form,
            lambda: decide_review(
                review=review, actor=actor_of(request), at=now(), **form.cleaned_data
            ),
            done=_("Decided."),
            **page,
        )

    def _form_page(self, review: AiSafetyReview, does: str) -> dict[str, Any]:
        return {
            "title": does,
            "send": does,
            "back": url_of(review),
            "trail": [(url_of(review), self._title(review))],
        }
