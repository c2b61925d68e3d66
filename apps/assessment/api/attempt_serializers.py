"""How attempts, answers, grades and results look under /v1."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResult,
    GradingEvent,
    ResultRelease,
)
from apps.core.api import StrictModelSerializer, StrictSerializer

MAX_TEXT = 20_000
MAX_REASON = 2_000


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["value", "source"],
            "properties": {
                "value": {"type": ["string", "integer", "null"]},
                "source": {
                    "type": "string",
                    "enum": ["version", "window", "accommodation", "default"],
                },
            },
        },
    }
)
class PolicyField(serializers.JSONField):
    """The effective terms: each with where it came from. null is without a limit."""


class AttemptSerializer(serializers.ModelSerializer[AssessmentAttempt]):
    """An attempt with the terms that were frozen when it was started.

    The learner is shown `ends_at`; the server takes answers until `accepts_until`.
    """

    assessment = serializers.UUIDField(source="template_id")
    policy = PolicyField()

    class Meta:
        model = AssessmentAttempt
        fields = [
            "id",
            "assessment",
            "version",
            "enrollment",
            "contact",
            "attempt_no",
            "status",
            "started_at",
            "ends_at",
            "accepts_until",
            "submitted_at",
            "closed_by_server",
            "graded_at",
            "voided_at",
            "policy",
        ]
        read_only_fields = fields


class OptionSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    text = serializers.CharField()


class PaperItemSerializer(serializers.Serializer[Any]):
    """An item without its key. `value` is the last valid answer, `invalid_value` a newer slip."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    prompt_markdown = serializers.CharField()
    points = serializers.DecimalField(max_digits=9, decimal_places=4)
    options = OptionSerializer(many=True)
    maximum_characters = serializers.IntegerField(allow_null=True)
    guidance = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    invalid_value = serializers.JSONField(allow_null=True)
    fault = serializers.CharField()
    sequence = serializers.IntegerField()


class RubricChoiceSerializer(serializers.Serializer[Any]):
    criterion = serializers.CharField()
    level = serializers.CharField()
    points = serializers.CharField()
    comment = serializers.CharField(allow_blank=True)


class ItemFeedbackSerializer(serializers.Serializer[Any]):
    """What an item earned; `score` null is not graded yet."""

    item = serializers.UUIDField(source="item.id")
    score = serializers.DecimalField(max_digits=14, decimal_places=6, allow_null=True)
    max_score = serializers.DecimalField(max_digits=9, decimal_places=4)
    remarks = serializers.ListField(child=serializers.CharField())
    feedback = serializers.CharField(source="grader_feedback")
    rubric_levels = RubricChoiceSerializer(many=True)


class ResultSerializer(serializers.ModelSerializer[AssessmentResult]):
    """What an attempt adds up to: `score` is `override`, or `raw` less `penalty`."""

    class Meta:
        model = AssessmentResult
        fields = [
            "id",
            "attempt",
            "revision",
            "raw",
            "penalty",
            "override",
            "score",
            "max_score",
            "percent",
            "passed",
            "is_final",
            "is_void",
            "recorded_at",
        ]
        read_only_fields = fields


class ListedResultSerializer(ResultSerializer):
    """A result with whose it is."""

    assessment = serializers.UUIDField(source="attempt.template_id")
    enrollment = serializers.UUIDField(source="attempt.enrollment_id")
    contact = serializers.UUIDField(source="attempt.contact_id")
    attempt_no = serializers.IntegerField(source="attempt.attempt_no")

    class Meta(ResultSerializer.Meta):
        fields = [
            *ResultSerializer.Meta.fields,
            "assessment",
            "enrollment",
            "contact",
            "attempt_no",
        ]
        read_only_fields = fields


class GradingEventSerializer(serializers.ModelSerializer[GradingEvent]):
    """What somebody, or the engine, gave an item; without an item, the attempt."""

    rubric_levels = RubricChoiceSerializer(many=True)
    details = serializers.DictField()

    class Meta:
        model = GradingEvent
        fields = [
            "id",
            "item",
            "revision",
            "kind",
            "score",
            "max_score",
            "grader",
            "rubric_levels",
            "feedback",
            "reason",
            "details",
            "engine_version",
            "recorded_at",
        ]
        read_only_fields = fields


class AttemptDetailSerializer(AttemptSerializer):
    """An attempt with its paper; the graded parts as soon as the caller may see them.

    `events` are shown to staff, and null to the learner.
    """

    title = serializers.CharField(source="template.title")
    is_open = serializers.BooleanField()
    instructions_markdown = serializers.CharField()
    items = PaperItemSerializer(many=True)
    result = ResultSerializer(allow_null=True)
    pass_percent = serializers.DecimalField(max_digits=5, decimal_places=2)
    feedback = ItemFeedbackSerializer(many=True)
    events = GradingEventSerializer(many=True, allow_null=True)

    class Meta(AttemptSerializer.Meta):
        fields = [
            *AttemptSerializer.Meta.fields,
            "title",
            "is_open",
            "instructions_markdown",
            "items",
            "pass_percent",
            "result",
            "feedback",
            "events",
        ]
        read_only_fields = fields


class StartSerializer(StrictSerializer):
    """Under which enrolment; only somebody with several that offer the assessment must say so."""

    enrollment = serializers.UUIDField(required=False)


class VoidSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=MAX_REASON)


class LevelSerializer(StrictSerializer):
    criterion = serializers.CharField(max_length=100)
    level = serializers.CharField(max_length=100)
    comment = serializers.CharField(max_length=MAX_TEXT, allow_blank=True, default="")


class GradeSerializer(StrictSerializer):
    """A person's grade: points, or a level for each criterion of the item's rubric.

    `expected_revision` is the item's newest grading event that the grader saw, 0 for none. A
    reason is needed to change what a person gave.
    """

    expected_revision = serializers.IntegerField(min_value=0, max_value=2**31 - 2)
    score = serializers.DecimalField(max_digits=14, decimal_places=6, required=False)
    levels = serializers.ListField(child=LevelSerializer(), required=False, max_length=100)
    feedback = serializers.CharField(max_length=MAX_TEXT, allow_blank=True, default="")
    reason = serializers.CharField(max_length=MAX_REASON, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("score" in attrs) == ("levels" in attrs):
            raise serializers.ValidationError(
                "Give a score, or the levels of the rubric.", code="score-or-levels"
            )
        criteria = [level["criterion"] for level in attrs.get("levels", ())]
        if len(set(criteria)) != len(criteria):
            message = "A criterion is named twice."
            raise serializers.ValidationError(
                {"levels": serializers.ErrorDetail(message, code="criterion-repeated")}
            )
        return attrs


class ItemGradeSerializer(GradeSerializer):
    """A grade of any item of an attempt, one that the engine scored included."""

    item = serializers.UUIDField()


class OverrideSerializer(StrictSerializer):
    """The score of the whole attempt; `expected_revision` counts the events about all of it."""

    score = serializers.DecimalField(max_digits=14, decimal_places=6)
    reason = serializers.CharField(max_length=MAX_REASON)
    expected_revision = serializers.IntegerField(min_value=0, max_value=2**31 - 2)


class WithdrawSerializer(VoidSerializer):
    expected_revision = serializers.IntegerField(min_value=0, max_value=2**31 - 2)


class ReleaseSerializer(StrictModelSerializer[ResultRelease]):
    """A decision to release results or to hold them, of a cohort or of one attempt."""

    assessment = serializers.UUIDField(source="template_id", required=False)
    cohort = serializers.UUIDField(source="cohort_id", required=False, allow_null=True)
    attempt = serializers.UUIDField(source="attempt_id", required=False, allow_null=True)
    reason = serializers.CharField(max_length=MAX_REASON, allow_blank=True, default="")

    class Meta:
        model = ResultRelease
        fields = [
            "id",
            "assessment",
            "cohort",
            "attempt",
            "is_released",
            "reason",
            "actor",
            "recorded_at",
        ]
        read_only_fields = ["id", "actor", "recorded_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        of_cohort = attrs.get("cohort_id") is not None and attrs.get("template_id") is not None
        of_attempt = attrs.get("attempt_id") is not None
        if of_cohort == of_attempt or (of_attempt and attrs.get("cohort_id") is not None):
            raise serializers.ValidationError(
                "Name an assessment and a cohort, or an attempt.", code="cohort-or-attempt"
            )
        return attrs
