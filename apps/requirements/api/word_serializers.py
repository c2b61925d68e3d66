"""How assignments, sign-offs and waivers look under /v1."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from apps.core.api import StrictSerializer
from apps.requirements.models import RequirementAssignment, SignOff, Waiver
from apps.requirements.selectors.previews import AssignmentChange

MANY: Final = 1_000
"""How many enrolments one assignment names at most."""


class AssignmentSerializer(serializers.ModelSerializer[RequirementAssignment]):
    """From when which version of a set holds for an enrolment. Without an actor: by enrolling."""

    class Meta:
        model = RequirementAssignment
        fields = [
            "id",
            "enrollment",
            "requirement_set",
            "set_version",
            "purpose",
            "effective_from",
            "reason",
            "actor",
            "revision",
            "recorded_at",
        ]
        read_only_fields = fields


class AssignSerializer(StrictSerializer):
    """Which version to assign to whom: to these enrolments, or to all who are in a cohort now."""

    set_version = serializers.UUIDField()
    enrollments = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MANY, required=False
    )
    cohort = serializers.UUIDField(required=False)
    reason = serializers.CharField(max_length=2_000, required=False, default="", allow_blank=True)
    effective_from = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("enrollments" in attrs) == ("cohort" in attrs):
            raise serializers.ValidationError(
                {"enrollments": serializers.ErrorDetail("Name these or a cohort.", "one-of-two")}
            )
        return attrs


class AssignedSerializer(serializers.Serializer[Any]):
    assignments = AssignmentSerializer(many=True)


class ChangeSerializer(serializers.Serializer[AssignmentChange]):
    """What one learner would gain or lose: keys of requirements that are met on one side only."""

    enrollment = serializers.UUIDField(source="enrollment_id")
    contact = serializers.UUIDField(source="contact_id")
    from_version = serializers.UUIDField(source="from_version_id", allow_null=True)
    gained = serializers.ListField(child=serializers.CharField())
    lost = serializers.ListField(child=serializers.CharField())


class PreviewSerializer(serializers.Serializer[Any]):
    """The dry run of an assignment: nothing was written."""

    changes = ChangeSerializer(many=True)


_WORD_FIELDS = [
    "id",
    "enrollment",
    "contact",
    "node",
    "node_key",
    "status",
    "actor",
    "actor_name",
    "reason",
    "occurred_at",
    "revision",
    "recorded_at",
]


class SignOffSerializer(serializers.ModelSerializer[SignOff]):
    """Somebody's word that a learner can do something, or that it is taken back."""

    node_key = serializers.CharField(source="node.key", read_only=True)
    actor_name = serializers.CharField(source="actor.display_name", read_only=True)

    class Meta:
        model = SignOff
        fields = _WORD_FIELDS
        read_only_fields = fields


class WaiverSerializer(serializers.ModelSerializer[Waiver]):
    """Somebody's decision that a learner need not meet a requirement, or that it is taken back."""

    node_key = serializers.CharField(source="node.key", read_only=True)
    actor_name = serializers.CharField(source="actor.display_name", read_only=True)

    class Meta:
        model = Waiver
        fields = [*_WORD_FIELDS, "expires_at"]
        read_only_fields = fields


def _reason(**more: Any) -> serializers.CharField:
    return serializers.CharField(max_length=2_000, **more)


class GiveSignOffSerializer(StrictSerializer):
    node = serializers.UUIDField(help_text="The requirement, in any version of its set.")
    reason = _reason(required=False, default="", allow_blank=True)


class GrantWaiverSerializer(StrictSerializer):
    node = serializers.UUIDField(help_text="The requirement, in any version of its set.")
    reason = _reason()
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class WithdrawWordSerializer(StrictSerializer):
    reason = _reason()
