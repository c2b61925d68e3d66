"""How an order looks in a webhook, and the way from there to plain values."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.commerce.told import Person, ToldLine, ToldOrder
from apps.commerce.vocabulary import DeliveryOutcome, PaymentState
from apps.core.api import StrictSerializer

MOST_LINES = 200
ORDER_EVENTS = "order."
"""What the types of webhooks about orders begin with."""


class PersonSerializer(StrictSerializer):
    """Somebody by their address. Who is not known here becomes a contact of that name."""

    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class LineSerializer(StrictSerializer):
    """One thing for one person; without a beneficiary it is for the buyer."""

    id = serializers.CharField(max_length=200)
    sku = serializers.CharField(max_length=200)
    title = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    quantity = serializers.IntegerField(min_value=1, max_value=1_000_000, default=1)
    amount = serializers.DecimalField(max_digits=18, decimal_places=4, min_value=0)
    state = serializers.ChoiceField(PaymentState.choices, default=PaymentState.PAID)
    beneficiary = PersonSerializer(required=False, allow_null=True, default=None)


class OrderDataSerializer(StrictSerializer):
    """A whole order as it is now: lines that are not told are cancelled.

    Of two states the one with the higher `revision` counts, without revisions the one with the
    later `updated_at`; the other is acknowledged and ignored.
    """

    id = serializers.CharField(max_length=200)
    number = serializers.CharField(max_length=100, required=False, default="", allow_blank=True)
    revision = serializers.IntegerField(
        min_value=0, max_value=2**63 - 1, required=False, allow_null=True, default=None
    )
    updated_at = serializers.DateTimeField()
    placed_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    state = serializers.ChoiceField(PaymentState.choices)
    currency = serializers.CharField(max_length=10)
    total = serializers.DecimalField(max_digits=18, decimal_places=4, min_value=0)
    buyer = PersonSerializer()
    lines = serializers.ListField(child=LineSerializer(), allow_empty=False, max_length=MOST_LINES)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ids = [line["id"] for line in lines]
        if len(ids) != len(set(ids)):
            raise serializers.ValidationError(_("Two lines have the same id."), code="duplicate")
        return lines


class WebhookSerializer(StrictSerializer):
    """A webhook as Standard Webhooks recommends it: `type`, `timestamp`, `data`."""

    type = serializers.CharField(max_length=100, help_text="`order.` and anything.")
    timestamp = serializers.DateTimeField(required=False)

    def get_fields(self) -> dict[str, Any]:
        """Return the fields with `data`, a name that a serializer class has taken itself."""
        return {**super().get_fields(), "data": OrderDataSerializer()}


class AnyWebhookSerializer(serializers.Serializer[Any]):
    """What is read of every webhook: from types that are not about orders nothing follows."""

    type = serializers.CharField(max_length=100)


class DeliverySerializer(serializers.Serializer[Any]):
    """What became of a webhook. `order` is the order as it is now, null for an ignored type."""

    id = serializers.UUIDField(source="delivery.id")
    webhook_id = serializers.CharField(source="delivery.webhook_id")
    outcome = serializers.ChoiceField(DeliveryOutcome.choices, source="delivery.outcome")


def read_order(body: Any) -> tuple[str, ToldOrder | None]:
    """Return the type of a webhook, and the order in it where it is about one.

    Raises rest_framework's ValidationError.
    """
    anything = AnyWebhookSerializer(data=body)
    anything.is_valid(raise_exception=True)
    type_: str = anything.validated_data["type"]
    if not type_.startswith(ORDER_EVENTS):
        return type_, None
    webhook = WebhookSerializer(data=body)
    webhook.is_valid(raise_exception=True)
    return type_, _told(webhook.validated_data["data"])


def _told(data: dict[str, Any]) -> ToldOrder:
    return ToldOrder(
        external_id=data["id"],
        number=data["number"],
        state=PaymentState(data["state"]),
        currency=data["currency"],
        total=data["total"],
        buyer=Person(**data["buyer"]),
        placed_at=data["placed_at"],
        revision=data["revision"],
        updated_at=data["updated_at"],
        lines=tuple(_told_line(line) for line in data["lines"]),
    )


def _told_line(line: dict[str, Any]) -> ToldLine:
    beneficiary = line["beneficiary"]
    return ToldLine(
        external_id=line["id"],
        sku=line["sku"],
        title=line["title"],
        quantity=line["quantity"],
        amount=line["amount"],
        state=PaymentState(line["state"]),
        beneficiary=Person(**beneficiary) if beneficiary else None,
    )
