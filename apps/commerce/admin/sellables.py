"""What SKUs mean."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy, ngettext

from apps.commerce import services
from apps.commerce.forms import SellableForm
from apps.commerce.models import Sellable
from apps.commerce.vocabulary import LineOutcome
from apps.contacts.admin_base import OrganizationModelAdmin, Section, actor_of, url_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now


class ArchivedFilter(admin.SimpleListFilter):
    title = gettext_lazy("archived")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", gettext_lazy("on sale")), ("yes", gettext_lazy("archived"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("no", "yes"):
            return queryset.filter(archived_at__isnull=self.value() == "no")
        return queryset


@admin.register(Sellable)
class SellableAdmin(OrganizationModelAdmin):
    """What is sold under which SKU."""

    section, place = Section.COMMERCE, 30
    nothing_yet = gettext_lazy("Nothing is sold yet: say what an SKU of the shop means here.")
    change_capability = Capability.MANAGE_COMMERCE
    view_capability = Capability.VIEW_COMMERCE
    may_delete = True
    form = SellableForm
    list_display = ("sku", "title", "source", "sells", "granted", "is_on_sale")
    list_filter = ("source", ArchivedFilter)
    search_fields = ("sku", "title")
    actions = ("archive", "revive")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        sellables = super().get_queryset(request)
        found: QuerySet[Any] = sellables.select_related(
            "source", "program", "cohort", "course"
        ).annotate(
            granted_lines=Count("lines", filter=Q(lines__outcome=LineOutcome.GRANTED)),
            ordered=Count("lines"),
        )
        return found

    @admin.display(description=gettext_lazy("sells"))
    def sells(self, sellable: Sellable) -> str:
        target = sellable.target
        if target is None:
            return "–"
        return format_html('{} <a href="{}">{}</a>', sellable.kind, url_of(target), target)

    @admin.display(description=gettext_lazy("granted"))
    def granted(self, sellable: Any) -> int:
        return int(sellable.granted_lines)

    @admin.display(description=gettext_lazy("on sale"), boolean=True)
    def is_on_sale(self, sellable: Sellable) -> bool:
        return sellable.archived_at is None

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Return the field without the little pages that Django opens beside it."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        widget = getattr(field, "widget", None)
        if isinstance(widget, RelatedFieldWidgetWrapper):
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_free = obj is None or not (obj.lines.exists() or obj.entitlements.exists())
        return is_free and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        """Return the actions without Django's deleting of many: what was ordered stays."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions if self._may_change(request) else {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in form.cleaned_data}
        if not change:
            obj.pk = services.add_sellable(actor=actor_of(request), **said).pk
            return
        said.pop("source", None)
        services.change_sellable(sellable=obj, actor=actor_of(request), **said)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        services.remove_sellable(sellable=obj, actor=actor_of(request))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The service has left its record."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The service has left its record."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """The service has left its record."""
        return []

    @admin.action(description=gettext_lazy("Archive: sell it no more"))
    def archive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._archive(request, queryset.filter(archived_at=None), now())

    @admin.action(description=gettext_lazy("Revive: sell it again"))
    def revive(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._archive(request, queryset.exclude(archived_at=None), None)

    def _archive(self, request: HttpRequest, chosen: QuerySet[Any], at: Any) -> None:
        rows = list(chosen)
        for sellable in rows:
            services.change_sellable(sellable=sellable, actor=actor_of(request), archived_at=at)
        said = ngettext("%(count)d sellable changed.", "%(count)d sellables changed.", len(rows))
        messages.success(request, said % {"count": len(rows)})
