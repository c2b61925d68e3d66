"""Orders with what they caused, and the lines that wait for a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.commerce import services
from apps.commerce.currencies import in_words
from apps.commerce.forms import DismissForm
from apps.commerce.models import Entitlement, Order, OrderLine
from apps.commerce.selectors import lines_with_entitlements
from apps.commerce.vocabulary import EntitlementState, LineOutcome, Reason
from apps.contacts.admin_base import (
    ReadOnlyAdmin,
    Section,
    actor_of,
    refusal_of,
    tell,
    url_of,
)
from apps.contacts.capabilities import Capability
from apps.core.clock import now

LOOKS = {
    LineOutcome.GRANTED: "good",
    LineOutcome.UNRESOLVED: "bad",
    LineOutcome.WAITING: "warn",
}
"""The look of an outcome; the others are plain."""


def reason_of(line: OrderLine) -> str:
    """Return why a line is not granted, as people read it."""
    if not line.reason:
        return ""
    if line.reason not in Reason.values:
        return line.reason_detail or line.reason
    said = str(Reason(line.reason).label)
    return f"{said} ({line.reason_detail})" if line.reason_detail else said


def standing_of(line: OrderLine) -> tuple[str, str]:
    """Return the look and the words of what came of a line: the seat, where there is one."""
    newest = newest_of(line)
    if newest is not None and newest.state == EntitlementState.GRANTED:
        state = newest.enrollment.state
        return ("warn" if state == "waitlisted" else "good"), str(_(state))
    outcome = LineOutcome(line.outcome)
    return LOOKS.get(outcome, ""), str(outcome.label)


def newest_of(line: OrderLine) -> Entitlement | None:
    """Return the newest of the entitlements that were prefetched."""
    entitlements: list[Entitlement] = list(line.entitlements.all())
    return entitlements[-1] if entitlements else None


class SalesAdmin(ReadOnlyAdmin):
    """Rows that shops write: looked at by who may see sales."""

    section = Section.COMMERCE
    change_capability = Capability.MANAGE_COMMERCE
    view_capability = Capability.VIEW_COMMERCE


@admin.register(Order)
class OrderAdmin(SalesAdmin):
    """Orders as the shops told them last."""

    place = 10
    nothing_yet = gettext_lazy("No shop has sent an order yet.")
    list_display = ("__str__", "source", "buyer", "total_told", "state", "caused", "updated_at")
    list_filter = ("source", "state", "lines__outcome")
    search_fields = ("number", "external_id", "buyer_email", "buyer__display_name")
    ordering = ("-updated_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        orders = super().get_queryset(request).select_related("source", "buyer")

        def counted(*outcomes: LineOutcome) -> Count:
            return Count("lines", filter=Q(lines__outcome__in=outcomes), distinct=True)

        found: QuerySet[Any] = orders.annotate(
            line_count=Count("lines", distinct=True),
            granted=counted(LineOutcome.GRANTED),
            unresolved=counted(LineOutcome.UNRESOLVED),
        )
        return found

    @admin.display(description=gettext_lazy("total"), ordering="total")
    def total_told(self, order: Order) -> str:
        return order.total_in_words

    @admin.display(description=gettext_lazy("lines"))
    def caused(self, order: Any) -> str:
        said = _("%(granted)d of %(lines)d granted") % {
            "granted": order.granted,
            "lines": order.line_count,
        }
        if not order.unresolved:
            return said
        waits = _("%(count)d unresolved") % {"count": order.unresolved}
        return format_html('{} <span class="state bad">{}</span>', said, waits)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the order, its lines and what each of them caused."""
        order = self.found(request, object_id)
        lines = lines_with_entitlements().filter(order=order)
        return self.page(
            request,
            "order",
            title=_("Order %s") % order,
            order=order,
            may_change=self._may_change(request),
            lines=[
                {
                    "row": line,
                    "amount": in_words(line.amount, order.currency),
                    "standing": standing_of(line),
                    "reason": reason_of(line),
                    "newest": newest_of(line),
                    "is_open": line.outcome in (LineOutcome.UNRESOLVED, LineOutcome.DISMISSED),
                }
                for line in lines
            ],
            entitlements=Entitlement.objects.filter(line__order=order)
            .select_related("sellable", "contact", "actor")
            .order_by("-recorded_at", "-revision"),
            deliveries=order.deliveries.order_by("-recorded_at"),
        )


class OutcomeFilter(admin.SimpleListFilter):
    """Begins with what waits for a person."""

    title = gettext_lazy("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        others = [value for value in LineOutcome if value != LineOutcome.UNRESOLVED]
        return [("all", gettext_lazy("All")), *((one.value, one.label) for one in others)]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": LineOutcome.UNRESOLVED.label}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        return queryset.filter(outcome=self.value() or LineOutcome.UNRESOLVED)


@admin.register(OrderLine)
class OrderLineAdmin(SalesAdmin):
    """The queue of lines that could not be granted; the others can be looked up too."""

    place = 20
    menu = gettext_lazy("Lines to resolve")
    nothing_yet = gettext_lazy("No shop has sent an order yet.")
    list_display = ("what", "order_told", "learner", "why", "outcome_at")
    list_display_links = None
    list_filter = (OutcomeFilter, "source", "reason")
    search_fields = ("sku", "title", "order__number", "order__external_id", "beneficiary_email")
    ordering = ("-outcome_at", "-id")
    actions = ("retry",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("order", "learner", "sellable")

    def get_actions(self, request: HttpRequest) -> Any:
        return super().get_actions(request) if self._may_change(request) else {}

    @admin.display(description=gettext_lazy("line"), ordering="sku")
    def what(self, line: OrderLine) -> str:
        return format_html(
            '<a href="{}#line-{}">{}</a>', url_of(line.order), line.pk, line.title or line.sku
        )

    @admin.display(description=gettext_lazy("order"), ordering="order")
    def order_told(self, line: OrderLine) -> str:
        return format_html('<a href="{}">{}</a>', url_of(line.order), line.order)

    @admin.display(description=gettext_lazy("why"), ordering="reason")
    def why(self, line: OrderLine) -> str:
        return reason_of(line) or str(LineOutcome(line.outcome).label)

    @admin.action(description=gettext_lazy("Try again"))
    def retry(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Try each line by itself: one that fails keeps no other from being granted."""
        granted = 0
        waiting = list(queryset.filter(outcome=LineOutcome.UNRESOLVED))
        for line in waiting:
            granted += self._retried(request, line)
        said = ngettext(
            "%(granted)d of %(count)d line was granted.",
            "%(granted)d of %(count)d lines were granted.",
            len(waiting),
        )
        messages.info(request, said % {"granted": granted, "count": len(waiting)})

    def _retried(self, request: HttpRequest, line: OrderLine) -> bool:
        tried: list[OrderLine] = []
        problem = refusal_of(
            lambda: tried.append(services.retry_line(line=line, actor=actor_of(request), at=now()))
        )
        if problem is not None:
            tell(request, problem)
        return bool(tried) and tried[0].outcome == LineOutcome.GRANTED

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:object_id>/retry/", view(self.retry_view), name="commerce_orderline_retry"),
            path(
                "<uuid:object_id>/dismiss/",
                view(self.dismiss_view),
                name="commerce_orderline_dismiss",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the order, where the line stands among the others."""
        line = self.found(request, object_id)
        return HttpResponseRedirect(f"{url_of(line.order)}#line-{line.pk}")

    def retry_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Try once more, and say what came of it."""
        line = self._to_change(request, object_id)
        if request.method != "POST":
            raise Http404
        if self._retried(request, line):
            messages.success(request, _("Granted."))
        else:
            line.refresh_from_db()
            messages.warning(request, _("Not yet: %s") % reason_of(line))
        return HttpResponseRedirect(url_of(line.order))

    def dismiss_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Settle a line with a reason."""
        line = self._to_change(request, object_id)
        form = DismissForm(request.POST or None)
        page: dict[str, Any] = {
            "title": _("Dismiss %s") % line,
            "back": url_of(line.order),
            "trail": [(url_of(line.order), _("Order %s") % line.order)],
            "send": _("Dismiss"),
        }
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, **page)
        return self.filled_in(
            request,
            form,
            lambda: services.dismiss_line(
                line=line, actor=actor_of(request), at=now(), **form.cleaned_data
            ),
            done=_("Dismissed."),
            **page,
        )

    def _to_change(self, request: HttpRequest, object_id: UUID) -> OrderLine:
        line: OrderLine = self.found(request, str(object_id))
        if not self._may_change(request):
            raise Http404
        return line
