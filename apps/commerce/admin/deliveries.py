"""What shops delivered, accepted or not."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from apps.commerce.admin.orders import SalesAdmin
from apps.commerce.models import WebhookDelivery
from apps.commerce.vocabulary import DeliveryOutcome
from apps.contacts.admin_base import url_of

LOOKS = {DeliveryOutcome.APPLIED: "good", DeliveryOutcome.REFUSED: "bad"}


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(SalesAdmin):
    """Webhooks as they arrived."""

    place = 50
    nothing_yet = gettext_lazy("No shop has sent anything yet.")
    list_display = ("recorded_at", "source_told", "webhook_id", "became", "code", "order_told")
    list_filter = ("source", "outcome", "code")
    search_fields = ("webhook_id", "body_sha256", "order__number", "order__external_id")
    ordering = ("-recorded_at", "-id")
    fields = (
        "recorded_at",
        "source_told",
        "secret",
        "webhook_id",
        "sent_at",
        "type",
        "became",
        "code",
        "detail",
        "order_told",
        "body_bytes",
        "body_sha256",
    )
    readonly_fields = ("recorded_at", "source_told", "became", "order_told")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("source", "secret", "order")

    @admin.display(description=gettext_lazy("source"), ordering="source")
    def source_told(self, delivery: WebhookDelivery) -> str:
        if delivery.source is None:
            return str(gettext_lazy("a stranger"))
        return format_html('<a href="{}">{}</a>', url_of(delivery.source), delivery.source)

    @admin.display(description=gettext_lazy("outcome"), ordering="outcome")
    def became(self, delivery: WebhookDelivery) -> str:
        outcome = DeliveryOutcome(delivery.outcome)
        return format_html(
            '<span class="state {}">{}</span>', LOOKS.get(outcome, ""), outcome.label
        )

    @admin.display(description=gettext_lazy("order"), ordering="order")
    def order_told(self, delivery: WebhookDelivery) -> str:
        if delivery.order is None:
            return "–"
        return format_html('<a href="{}">{}</a>', url_of(delivery.order), delivery.order)
