"""Back office: what the organisation's plan allows, and how much of it is used."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.contacts.admin_base import ReadOnlyAdmin, Section
from apps.contacts.capabilities import Capability
from apps.contacts.usage import Used, plan_usage, seats_here
from apps.core.clock import now
from apps.core.tenancy import connection
from apps.organizations.models import LimitName, OrganizationLimit, Plan, PlanLimit
from apps.organizations.selectors import limits_of

TITLES: dict[str, Any] = {
    LimitName.MEMBERS: gettext_lazy("Members"),
    LimitName.STORAGE: gettext_lazy("Storage"),
    LimitName.AI_BUDGET: gettext_lazy("AI budget this month"),
}


@admin.register(PlanLimit)
class PlanLimitAdmin(ReadOnlyAdmin):
    """One page, to look at: limits are changed by whoever runs the platform."""

    section, place = Section.ORGANIZATION, 30
    menu = gettext_lazy("Plan and limits")
    view_capability = Capability.AUDIT_READ
    change_capability = Capability.MANAGE_SETTINGS

    def get_urls(self) -> list[URLPattern]:
        """Return the page's address only: there is nothing to see of a single row."""
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="organizations_planlimit_changelist")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        usage = plan_usage(at=now())
        reasons = dict(OrganizationLimit.objects.values_list("name", "reason"))
        plan = usage[0].limit.plan
        return TemplateResponse(
            request,
            "admin/assay/plan.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": self.title,
                "plan": Plan(plan).label,
                "lines": [(one, *in_words(one), reasons.get(one.limit.name)) for one in usage],
            },
        )


def in_words(one: Used) -> tuple[str, str, str]:
    """Return a limit's title, what is used, and what is allowed, as people say it."""
    amounts = (one.used, one.limit.amount)
    if one.limit.name == LimitName.STORAGE:
        used, allowed = ("" if a is None else in_bytes(int(a)) for a in amounts)
    elif one.limit.name == LimitName.AI_BUDGET:
        used, allowed = ("" if a is None else f"$ {a:,.2f}" for a in amounts)
    else:
        used, allowed = ("" if a is None else f"{a:,.0f}" for a in amounts)
    return str(TITLES[one.limit.name]), used, allowed or _("no limit")


def in_bytes(amount: int) -> str:
    """Return an amount in decimal units, as plans are sold: 1 GB is 10^9 bytes."""
    value, unit = float(amount), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def members_in_words() -> str:
    """Return “12 of 50 members, 3 of them invited”."""
    seats = seats_here(at=now())
    allowed = limits_of(connection.tenant.id, [LimitName.MEMBERS])[LimitName.MEMBERS].amount
    said = {"taken": seats.taken, "allowed": allowed, "invited": seats.invited}
    if allowed is None:
        members = ngettext(
            "%(taken)d member, %(invited)d of them invited; the plan has no limit.",
            "%(taken)d members, %(invited)d of them invited; the plan has no limit.",
            seats.taken,
        )
        return members % said
    return _("%(taken)d of %(allowed)d members, %(invited)d of them invited.") % said
