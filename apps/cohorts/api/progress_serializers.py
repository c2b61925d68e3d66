"""How progress looks under /v1."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.cohorts.models import CourseProgress, EnrollmentState, ProgressEvent
from apps.cohorts.services.assertions import MAX_KEY, MAX_TIME_SPENT, Assertion
from apps.core.api import StrictSerializer


class CourseProgressSerializer(serializers.ModelSerializer[CourseProgress]):
    """How far an enrolment is in one course."""

    class Meta:
        model = CourseProgress
        fields = [
            "id",
            "enrollment",
            "course",
            "course_version",
            "status",
            "percent_complete",
            "last_activity_at",
            "completed_at",
            "time_spent_seconds",
        ]
        read_only_fields = fields


class JoinSerializer(StrictSerializer):
    """Empty for oneself; staff may name somebody and the cohort."""

    contact = serializers.UUIDField(required=False)
    cohort = serializers.UUIDField(required=False)


class JoinedSerializer(serializers.Serializer[Any]):
    """The enrolment under which a course is taken; no progress while waiting for a seat."""

    id = serializers.UUIDField(help_text="The enrolment.")
    cohort = serializers.UUIDField()
    contact = serializers.UUIDField()
    state = serializers.ChoiceField(EnrollmentState.choices)
    course_progress = CourseProgressSerializer(allow_null=True)


class ProgressEventSerializer(serializers.ModelSerializer[ProgressEvent]):
    """Something that happened to a learner. Clients ignore types that they don't know."""

    class Meta:
        model = ProgressEvent
        fields = [
            "id",
            "contact",
            "enrollment",
            "course",
            "type",
            "entity_type",
            "entity_id",
            "payload",
            "occurred_at",
            "recorded_at",
            "asserted_by",
        ]
        read_only_fields = fields


class AssertionSerializer(StrictSerializer):
    """What a client says happened: a lesson or external item was started or completed.

    Sent again under its key (or, without one, saying the very same) it is the same event.
    Without a time it happens when it is first received.
    """

    enrollment = serializers.UUIDField()
    type = serializers.CharField(max_length=50)
    item = serializers.UUIDField(required=False, allow_null=True)
    occurred_at = serializers.DateTimeField(required=False, allow_null=True)
    time_spent = serializers.IntegerField(
        min_value=0,
        max_value=MAX_TIME_SPENT,
        required=False,
        allow_null=True,
        help_text="Seconds.",
    )
    idempotency_key = serializers.CharField(max_length=MAX_KEY, required=False, allow_blank=True)


def assertion_of(data: dict[str, Any]) -> Assertion:
    """Return a validated event as the service takes it."""
    return Assertion(
        enrollment_id=data["enrollment"],
        type=data["type"],
        item_id=data.get("item"),
        occurred_at=data.get("occurred_at"),
        idempotency_key=data.get("idempotency_key", ""),
        time_spent=data.get("time_spent"),
    )


class OutcomeSerializer(serializers.Serializer[Any]):
    """What became of one event. `course_progress` is there under `?wait=1`."""

    id = serializers.UUIDField(allow_null=True, help_text="The event, unless it was refused.")
    outcome = serializers.ChoiceField(["accepted", "refused"])
    problem = serializers.JSONField(allow_null=True, help_text="Why it was refused (RFC 9457).")
    course_progress = CourseProgressSerializer(allow_null=True)


class OutcomesSerializer(serializers.Serializer[Any]):
    """An outcome for each event of a list, in its order."""

    outcomes = OutcomeSerializer(many=True)
