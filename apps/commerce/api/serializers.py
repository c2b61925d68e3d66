"""How sources, sellables, orders and entitlements look under /v1."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.cohorts.models import EnrollmentState
from apps.commerce.api.webhooks import DeliverySerializer
from apps.commerce.models import Entitlement, Order, OrderLine, Sellable, Source
from apps.commerce.vocabulary import EntitlementState
from apps.core.api import StrictModelSerializer, StrictSerializer


class SourceSerializer(serializers.ModelSerializer[Source]):
    """A shop that sends orders. Its secrets are shown once, in the back office."""

    currencies = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Source
        fields = ["id", "slug", "title", "currencies", "created_at", "disabled_at"]


class SellableSerializer(StrictModelSerializer[Sellable]):
    """What an SKU of a source means: exactly one of program, cohort and course."""

    kind = serializers.ChoiceField(["program", "cohort", "course"], read_only=True)
    is_archived = serializers.BooleanField(required=False)

    class Meta:
        model = Sellable
        fields = [
            "id",
            "source",
            "sku",
            "title",
            "kind",
            "program",
            "cohort",
            "course",
            "is_archived",
            "created_at",
        ]
        read_only_fields = ["id", "created_at"]
        validators: tuple[Any, ...] = ()  # the service tells a taken SKU

    def validate_source(self, value: Source) -> Source:
        if self.instance is not None and value != self.instance.source:
            raise serializers.ValidationError("This was chosen at the beginning.", code="fixed")
        return value

    def to_representation(self, instance: Sellable) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        shown["is_archived"] = instance.archived_at is not None
        return shown


class LineEnrollmentSerializer(serializers.Serializer[Any]):
    """The enrolment that a line entitles to, as it is now."""

    id = serializers.UUIDField()
    cohort = serializers.UUIDField(source="cohort_id")
    cohort_title = serializers.CharField(source="cohort.title")
    state = serializers.ChoiceField(EnrollmentState.choices)


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    """A line and what came of it.

    `standing` is what the buyer wants to know: the enrolment's state where something was granted
    (`waitlisted` where the cohort is full), else the outcome. `reason` says why a line is
    unresolved.
    """

    learner_name = serializers.CharField(source="learner.display_name", read_only=True)
    standing = serializers.SerializerMethodField()
    enrollment = serializers.SerializerMethodField()

    class Meta:
        model = OrderLine
        fields = [
            "id",
            "order",
            "external_id",
            "sku",
            "title",
            "quantity",
            "amount",
            "state",
            "learner",
            "learner_name",
            "beneficiary_email",
            "beneficiary_name",
            "sellable",
            "outcome",
            "outcome_at",
            "reason",
            "reason_detail",
            "dismissed_because",
            "standing",
            "enrollment",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_standing(self, line: OrderLine) -> str:
        granted = granted_of(line)
        return granted.enrollment.state if granted else line.outcome

    @extend_schema_field(LineEnrollmentSerializer(allow_null=True))
    def get_enrollment(self, line: OrderLine) -> dict[str, Any] | None:
        granted = granted_of(line)
        return dict(LineEnrollmentSerializer(granted.enrollment).data) if granted else None


def granted_of(line: OrderLine) -> Entitlement | None:
    """Return what the line entitles to now, of the entitlements that were prefetched."""
    entitlements: list[Entitlement] = list(line.entitlements.all())
    newest = entitlements[-1] if entitlements else None
    if newest is None or newest.state != EntitlementState.GRANTED:
        return None
    return newest


class OrderSerializer(serializers.ModelSerializer[Order]):
    """An order as its shop told it last, with what came of its lines."""

    lines = OrderLineSerializer(many=True, read_only=True)

    class Meta:
        model = Order
        fields = [
            "id",
            "source",
            "external_id",
            "number",
            "state",
            "currency",
            "total",
            "buyer",
            "buyer_email",
            "buyer_name",
            "placed_at",
            "revision",
            "updated_at",
            "received_at",
            "lines",
        ]
        read_only_fields = fields


class ReceiptSerializer(DeliverySerializer):
    order = OrderSerializer(allow_null=True)


class DismissalSerializer(StrictSerializer):
    because = serializers.CharField(max_length=2_000, help_text="Why nothing follows from it.")


class EntitlementSerializer(serializers.ModelSerializer[Entitlement]):
    """One statement about what a line entitles to; the highest revision of a line counts."""

    cohort = serializers.UUIDField(source="enrollment.cohort_id", read_only=True)

    class Meta:
        model = Entitlement
        fields = [
            "id",
            "line",
            "revision",
            "state",
            "effect",
            "contact",
            "sellable",
            "enrollment",
            "cohort",
            "recorded_at",
        ]
        read_only_fields = fields
