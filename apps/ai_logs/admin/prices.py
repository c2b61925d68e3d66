"""The dated prices that costs are fixed by."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ai_logs.forms import PriceForm
from apps.ai_logs.models import AiModelPrice
from apps.ai_logs.services.prices import MANUAL, enter_price
from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of
from apps.contacts.capabilities import Capability


@admin.register(AiModelPrice)
class AiModelPriceAdmin(ReadOnlyAdmin):
    """Prices as they were recorded, newest day first; a new one is entered, none is changed."""

    section, place = Section.AI, 40
    menu = gettext_lazy("Prices of models")
    nothing_yet = gettext_lazy(
        "No prices yet. They are copied from the published list when a model is first used."
    )
    change_capability = Capability.MANAGE_SETTINGS
    view_capability = Capability.AUDIT_READ
    list_display = ("model", "provider", "token_type", "valid_from", "price", "terms", "origin")
    list_filter = ("provider", "token_type", "source")
    search_fields = ("model", "provider")
    ordering = ("provider", "model", "token_type", "-valid_from", "-revision")
    fields = (
        "provider",
        "model",
        "token_type",
        "valid_from",
        "price",
        "terms",
        "origin",
        "recorded_at",
    )
    readonly_fields = ("price", "terms", "origin", "recorded_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        same = {name: OuterRef(name) for name in AiModelPrice.subject_fields}
        newer = AiModelPrice.objects.filter(**same).filter(Q(revision__gt=OuterRef("revision")))
        rows: QuerySet[Any] = super().get_queryset(request).select_related("recorded_by")
        found: QuerySet[Any] = rows.annotate(is_corrected=Exists(newer))
        return found

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    @admin.display(description=gettext_lazy("per million"), ordering="price_per_million")
    def price(self, row: Any) -> str:
        told = f"{row.price_per_million.normalize():f} {row.currency}"
        if not row.is_corrected:
            return told
        return format_html('<s>{}</s> <span class="quiet">{}</span>', told, _("corrected"))

    @admin.display(description=gettext_lazy("only for"))
    def terms(self, row: AiModelPrice) -> str:
        said = [row.service_tier, f"{row.hours} UTC" if row.hours else ""]
        if row.above_input_tokens:
            said.append(_("inputs above %(count)d tokens") % {"count": row.above_input_tokens})
        return ", ".join(filter(None, said)) or "–"

    @admin.display(description=gettext_lazy("source"), ordering="source")
    def origin(self, row: AiModelPrice) -> str:
        if row.source != MANUAL:
            return row.source
        return _("entered by %(name)s") % {"name": row.recorded_by or "–"}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Enter a price. Costs that were fixed before stay until somebody re-prices."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = PriceForm(request.POST or None)
        page: dict[str, Any] = {
            "title": _("Enter a price"),
            "back": self.changelist_url(),
            "send": _("Enter"),
            "explained": _(
                "It holds for calls that are recorded from now on. What is recorded keeps its "
                "cost until manage.py reprice is asked to revise it."
            ),
        }
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, **page)
        return self.filled_in(
            request,
            form,
            lambda: enter_price(terms=form.terms, actor=actor_of(request)),
            done=_("The price is entered."),
            **page,
        )
