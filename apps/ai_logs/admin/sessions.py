"""Sessions: the list, the log of one, what was said in it, and its erasure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ai_logs.forms import EraseForm
from apps.ai_logs.models import AiInteractionCost, AiSession
from apps.ai_logs.pricelist import CURRENCY
from apps.ai_logs.selectors.conversations import Conversation, Line, erased_by, reconstruct
from apps.ai_logs.selectors.sessions import (
    is_own,
    log_of,
    unpriced,
    visible_interactions,
    visible_sessions,
    with_totals,
)
from apps.ai_logs.services.erasure import erase_session
from apps.ai_logs.vocabulary import Rating
from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of, principal_of, url_of
from apps.contacts.capabilities import Capability
from apps.contacts.services import record_admin_action
from apps.core.problems import Problem

STATES = {
    "open": gettext_lazy("open"),
    "ended": gettext_lazy("ended"),
    "review": gettext_lazy("under review"),
    "erased": gettext_lazy("erased"),
}
LOOKS = {"review": "warn", "erased": "bad", "ended": "", "open": "good"}
RATING_LOOKS = {Rating.THUMBS_UP: "good", Rating.THUMBS_DOWN: "warn", Rating.FLAG: "bad"}
COST_PLACES = Decimal("0.000001")


def in_dollars(amount: Decimal | None) -> str:
    """Return an amount as people read it: to a millionth below a cent, else to a cent's hundredth.

    The exact amount stays in the log.
    """
    if amount is None:
        return "–"
    places = COST_PLACES if amount and amount < Decimal("0.01") else Decimal("0.0001")
    return f"$ {amount.quantize(places):,f}"


def cost_in_words(cost: AiInteractionCost | None) -> str:
    """Return what a call cost, or why nobody knows."""
    if cost is None:
        return ""
    if cost.amount is None:
        return _("unknown: %(why)s") % {"why": cost.get_unpriced_because_display()}
    if cost.currency != CURRENCY:
        return f"{cost.amount.normalize():f} {cost.currency}"
    return in_dollars(cost.amount)


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "erased":
            return queryset.filter(is_erased=True)
        if chosen == "review":
            return queryset.filter(is_under_review=True)
        if chosen in ("open", "ended"):
            return queryset.filter(is_erased=False, ended_at__isnull=chosen == "open")
        return queryset


class FeedbackFilter(admin.SimpleListFilter):
    """Sessions in which somebody once said so, whatever they think now."""

    title = gettext_lazy("feedback")
    parameter_name = "feedback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Rating.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in Rating.values:
            return queryset
        rated = visible_interactions(principal_of(request)).filter(feedback__rating=self.value())
        return queryset.filter(id__in=rated.values("session_id"))


class CostFilter(admin.SimpleListFilter):
    title = gettext_lazy("cost")
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("unknown", gettext_lazy("some of it unknown")),
            ("cent", gettext_lazy("a cent and more")),
            ("dollar", gettext_lazy("a dollar and more")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        least = {"cent": Decimal("0.01"), "dollar": Decimal(1)}.get(self.value() or "")
        if least is not None:
            return queryset.filter(cost_usd__gte=least)
        if self.value() == "unknown":
            calls = unpriced(visible_interactions(principal_of(request)))
            return queryset.filter(id__in=calls.values("session_id"))
        return queryset


@admin.register(AiSession)
class AiSessionAdmin(ReadOnlyAdmin):
    """The log is looked at freely by who may; each reading of the texts is put on record."""

    section, place = Section.AI, 10
    menu = gettext_lazy("Sessions")
    nothing_yet = gettext_lazy(
        "No conversation has been recorded yet. Programs record them under /v1/ai, or by "
        "OpenTelemetry under /v1/otlp."
    )
    change_capability = Capability.ERASE_CONVERSATIONS
    view_capability = Capability.READ_CONVERSATIONS
    list_display = ("started_at", "learner", "session_type", "cohort", "said", "cost", "state")
    list_filter = (StateFilter, FeedbackFilter, CostFilter, "session_type", "source")
    search_fields = (
        "contact__display_name",
        "contact__external_id",
        "contact__channels__value",
        "conversation_id",
        "service_name",
    )
    date_hierarchy = "started_at"
    ordering = ("-started_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = visible_sessions(principal_of(request))
        return with_totals(rows).select_related(
            "contact", "enrollment__cohort", "module_item", "erasure__actor"
        )

    @admin.display(description=gettext_lazy("learner"), ordering="contact__display_name")
    def learner(self, session: AiSession) -> str:
        return str(session.contact or _("unknown"))

    @admin.display(description=gettext_lazy("cohort"))
    def cohort(self, session: AiSession) -> str:
        return str(session.enrollment.cohort) if session.enrollment else "–"

    @admin.display(description=gettext_lazy("messages"))
    def said(self, session: Any) -> int:
        return int(session.messages)

    @admin.display(description=gettext_lazy("cost"))
    def cost(self, session: Any) -> str:
        told = in_dollars(session.cost_usd)
        if not session.unpriced:
            return told
        without = _("%(count)d without a price") % {"count": session.unpriced}
        return format_html('{} <span class="state warn">{}</span>', told, without)

    @admin.display(description=gettext_lazy("state"))
    def state(self, session: Any) -> str:
        names = states_of(session)
        return format_html_join(
            " ", '<span class="state {}">{}</span>', ((LOOKS[n], STATES[n]) for n in names)
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<uuid:object_id>/conversation/",
                view(self.conversation_view),
                name="ai_logs_aisession_conversation",
            ),
            path("<uuid:object_id>/erase/", view(self.erase_view), name="ai_logs_aisession_erase"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the log of the session: what it took, cost and was thought of, without texts."""
        session = self.found(request, object_id)
        lines = [
            {
                "row": row,
                "cost": cost_in_words(next(iter(row.current_costs), None)),
                "opinions": [(RATING_LOOKS[Rating(one.rating)], one, "") for one in row.opinions],
            }
            for row in log_of(session)
        ]
        return self._session_page(request, session, lines)

    def conversation_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Show what was said, every text checked; put on record unless it is one's own."""
        session = self.found(request, str(object_id))
        try:
            found = reconstruct(session)
        except Problem as problem:  # the store is away
            return self._session_page(request, session, [], refused=problem.detail or problem.title)
        if not is_own(session, principal_of(request)):
            record_admin_action(actor=actor_of(request), action="aisession.read", entity=session)
        lines = [_opened(line) for line in found.lines]
        return self._session_page(request, session, lines, found=found)

    def _session_page(
        self,
        request: HttpRequest,
        session: Any,
        lines: list[dict[str, Any]],
        *,
        found: Conversation | None = None,
        refused: str = "",
    ) -> HttpResponse:
        erasure = getattr(session, "erasure", None)
        return self.page(
            request,
            "ai_session",
            title=_("What was said") if found else str(session),
            trail=[(url_of(session), session)] if found or refused else [],
            session=session,
            states=[(LOOKS[name], STATES[name]) for name in states_of(session)],
            cost=self.cost(session),
            lines=lines,
            found=found,
            refused=refused,
            erasure=erasure,
            erased_by=erased_by(erasure)[0] if erasure else "",
            may_erase=erasure is None and self._may_change(request),
            may_read_history=self.may_read_history(request, session),
        )

    def erase_view(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Ask once more, with a reason; then destroy what was said."""
        session = self.found(request, str(object_id))
        if not self._may_change(request) or session.is_erased:
            raise Http404
        form = EraseForm(request.POST or None)
        page: dict[str, Any] = {
            "title": _("Erase what was said"),
            "back": url_of(session),
            "trail": [(url_of(session), session)],
            "send": _("Erase for good"),
            "danger": True,
            "explained": _(
                "The key of %(messages)d messages is destroyed at once, the texts right after. The "
                "log, its tokens and its costs stay, and say who erased it, when and why."
            )
            % {"messages": session.messages},
        }
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, **page)
        return self.filled_in(
            request,
            form,
            lambda: erase_session(
                session=session,
                reason=form.cleaned_data["reason"],
                note=form.cleaned_data["note"],
                actor=actor_of(request),
            ),
            done=_("What was said is erased."),
            **page,
        )


def states_of(session: Any) -> list[str]:
    """Return the names of a session's states, as `with_states` found them."""
    if session.is_erased:
        return ["erased"]
    names = ["ended" if session.ended_at else "open"]
    return [*names, "review"] if session.is_under_review else names


def _opened(line: Line) -> dict[str, Any]:
    return {
        "row": line.interaction,
        "cost": cost_in_words(line.cost),
        "kept": line.kept,
        "words": line.kept.text.shown if line.kept.text else None,
        "prompt_template": line.prompt_template,
        "artefacts": line.artefacts,
        "opinions": [
            (RATING_LOOKS[Rating(one.feedback.rating)], one.feedback, one.comment)
            for one in line.opinions
        ],
    }
