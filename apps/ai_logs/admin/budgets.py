"""What may be spent, what is, and what the organisation says about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ai_logs.forms import BudgetForm
from apps.ai_logs.models import AiBudget, AiBudgetAlert
from apps.ai_logs.rules.budgets import next_month
from apps.ai_logs.selectors.budgets import standing
from apps.ai_logs.services.budgets import set_budget
from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now


def amount_in_words(amount: Decimal | None) -> str:
    """Return an amount of a budget, in dollars and cents."""
    return _("no limit") if amount is None else f"$ {amount:,.2f}"


@admin.register(AiBudget)
class AiBudgetAdmin(ReadOnlyAdmin):
    """One page: the month as it stands, the budgets that were said, the mails that were sent."""

    section, place = Section.AI, 50
    menu = gettext_lazy("Budget")
    change_capability = Capability.MANAGE_SETTINGS
    view_capability = Capability.AUDIT_READ

    def get_urls(self) -> list[URLPattern]:
        view, base = self.admin_site.admin_view, "ai_logs_aibudget"
        return [
            path("", view(self.changelist_view), name=f"{base}_changelist"),
            path("add/", view(self.add_view), name=f"{base}_add"),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = standing(at=now())
        limit = found.limit
        return self.page(
            request,
            "ai_budget",
            title=self.title,
            standing=found,
            spent=amount_in_words(found.spent),
            limit=amount_in_words(limit),
            plan=amount_in_words(found.plan),
            own=amount_in_words(found.own.amount) if found.own else "–",
            alert_at=None if found.alert_at is None else amount_in_words(found.alert_at),
            stop_at=None if found.stop_at is None else amount_in_words(found.stop_at),
            percent=min(int(found.spent * 100 / limit), 100) if limit else None,
            begins=next_month(found.month),
            budgets=[
                (row, amount_in_words(row.amount))
                for row in AiBudget.objects.select_related("created_by").order_by("-valid_from")
            ],
            alerts=[
                (row, amount_in_words(row.spent), amount_in_words(row.allowed))
                for row in AiBudgetAlert.objects.order_by("-month")
            ],
            may_change=self._may_change(request),
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Say what may be spent from this month on, or from the next."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        at = now()
        found = standing(at=at)
        form = BudgetForm(request.POST or None, found=found)
        page: dict[str, Any] = {
            "title": _("Set the budget"),
            "back": self.changelist_url(),
            "send": _("Set"),
            "explained": _(
                "The plan allows %(plan)s a month, and always stops there. An own budget can be "
                "lower. Months are those of UTC; what is counted is what calls cost in US dollars."
            )
            % {"plan": amount_in_words(found.plan)},
        }
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, **page)
        return self.filled_in(
            request,
            form,
            lambda: set_budget(actor=actor_of(request), at=at, **form.cleaned_data),
            done=_("The budget is set."),
            **page,
        )
