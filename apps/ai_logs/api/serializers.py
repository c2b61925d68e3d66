"""How sessions, messages and feedback look under /v1."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.ai_logs.models import (
    AiErasure,
    AiFeedback,
    AiInteraction,
    AiInteractionCost,
    AiSession,
)
from apps.ai_logs.vocabulary import Rating, SessionType, Unpriced
from apps.core.api import StrictSerializer

MAX_COMMENT = 4_000


class AiErasureSerializer(serializers.ModelSerializer[AiErasure]):
    """Who destroyed what was said, when, and why; nobody where a policy did."""

    erased_at = serializers.DateTimeField(source="recorded_at")
    erased_by = serializers.UUIDField(source="actor_id", allow_null=True)

    class Meta:
        model = AiErasure
        fields = ["erased_at", "erased_by", "reason", "note"]
        read_only_fields = fields


class AiSessionSerializer(serializers.ModelSerializer[AiSession]):
    """One conversation; what was said in it is at `…/conversation`."""

    erasure = serializers.SerializerMethodField()

    class Meta:
        model = AiSession
        fields = [
            "id",
            "contact",
            "enrollment",
            "module_item",
            "session_type",
            "conversation_id",
            "source",
            "service_name",
            "started_at",
            "ended_at",
            "erasure",
        ]
        read_only_fields = fields

    @extend_schema_field(AiErasureSerializer(allow_null=True))
    def get_erasure(self, session: AiSession) -> Any:
        found = getattr(session, "erasure", None)
        return AiErasureSerializer(found).data if found else None


class NewAiSessionSerializer(StrictSerializer):
    """Said again with the same `conversation_id` for the same contact, it is the same session.

    Without a contact it is that of the enrolment. Without a time it starts now.
    """

    contact = serializers.UUIDField(required=False, allow_null=True)
    enrollment = serializers.UUIDField(required=False, allow_null=True)
    module_item = serializers.UUIDField(required=False, allow_null=True)
    session_type = serializers.ChoiceField(SessionType.choices, default=SessionType.TUTORING)
    conversation_id = serializers.CharField(max_length=200, required=False, allow_blank=True)
    service_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    started_at = serializers.DateTimeField(required=False, allow_null=True)


class AiSessionEndSerializer(StrictSerializer):
    """Without a time it ends now."""

    ended_at = serializers.DateTimeField(required=False, allow_null=True)


class AiSessionEraseSerializer(StrictSerializer):
    """Why, in one's own words; it is kept with the record of the erasure."""

    note = serializers.CharField(max_length=1_000, required=False, allow_blank=True)


class AiCostSerializer(serializers.ModelSerializer[AiInteractionCost]):
    """What a call cost. A null amount is an unknown cost, not nothing."""

    amount = serializers.DecimalField(max_digits=28, decimal_places=18, allow_null=True)
    unpriced_because = serializers.CharField(
        help_text=f"Empty for a known cost, else: {', '.join(Unpriced.values)}."
    )

    class Meta:
        model = AiInteractionCost
        fields = ["amount", "currency", "unpriced_because", "revision"]
        read_only_fields = fields


class AiInteractionSerializer(serializers.ModelSerializer[AiInteraction]):
    """One message as the log has it. `call` is the answer whose inputs it was first seen among."""

    has_content = serializers.SerializerMethodField()
    cost = serializers.SerializerMethodField()

    class Meta:
        model = AiInteraction
        fields = [
            "id",
            "session",
            "seq",
            "role",
            "operation",
            "call",
            "has_content",
            "provider",
            "requested_model",
            "responded_model",
            "service_tier",
            "input_tokens",
            "output_tokens",
            "cached_tokens",
            "cache_write_tokens",
            "reasoning_tokens",
            "latency_ms",
            "first_token_ms",
            "finish_reason",
            "error",
            "prompt_key",
            "prompt_version",
            "trace_id",
            "span_id",
            "occurred_at",
            "recorded_at",
            "cost",
        ]
        read_only_fields = fields

    def get_has_content(self, interaction: AiInteraction) -> bool:
        return interaction.content_id is not None

    @extend_schema_field(AiCostSerializer(allow_null=True))
    def get_cost(self, interaction: AiInteraction) -> Any:
        costs: list[AiInteractionCost] = getattr(interaction, "current_costs", [])
        return AiCostSerializer(costs[0]).data if costs else None


class NewFeedbackSerializer(StrictSerializer):
    """What somebody thinks. Clients that record for others name the contact."""

    rating = serializers.ChoiceField(Rating.choices)
    comment = serializers.CharField(max_length=MAX_COMMENT, required=False, allow_blank=True)
    contact = serializers.UUIDField(required=False)


class AiFeedbackSerializer(serializers.ModelSerializer[AiFeedback]):
    """One person's feedback as it is now; the comment is told to who may read the conversation."""

    comment = serializers.SerializerMethodField()

    class Meta:
        model = AiFeedback
        fields = ["id", "interaction", "contact", "rating", "comment", "revision", "recorded_at"]
        read_only_fields = fields

    def get_comment(self, feedback: AiFeedback) -> str:
        comments: dict[Any, str] = self.context.get("comments", {})
        return comments.get(feedback.id, "")
