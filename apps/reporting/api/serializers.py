"""What reports are asked for, and what they answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api import StrictSerializer


class ScopeSerializer(StrictSerializer):
    """Program, cohort and days; what is left out is not looked at."""

    program = serializers.UUIDField(required=False, help_text="Only of this program.")
    cohort = serializers.UUIDField(required=False, help_text="Only of this cohort.")
    since = serializers.DateField(required=False, help_text="The first day that counts.")
    until = serializers.DateField(required=False, help_text="The last day that counts.")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            message = "This day is before the first one."
            raise serializers.ValidationError({"until": [message]}, code="order")
        return data


class FunnelSerializer(serializers.Serializer[Any]):
    """How many enrolments came how far."""

    enrolled = serializers.IntegerField()
    started = serializers.IntegerField()
    halfway = serializers.IntegerField()
    completed = serializers.IntegerField()
    certified = serializers.IntegerField()
    withdrawn = serializers.IntegerField()


class SessionAttendanceSerializer(serializers.Serializer[Any]):
    """What was said about those expected at one session."""

    session = serializers.UUIDField(source="session_id")
    title = serializers.CharField()
    cohort_title = serializers.CharField()
    held_on = serializers.DateField()
    is_required = serializers.BooleanField()
    present = serializers.IntegerField()
    late = serializers.IntegerField()
    excused = serializers.IntegerField()
    absent = serializers.IntegerField()
    unrecorded = serializers.IntegerField()


class AttendanceReportSerializer(serializers.Serializer[Any]):
    sessions = SessionAttendanceSerializer(many=True)


class AssessmentScoresSerializer(serializers.Serializer[Any]):
    """The final results of record of one assessment; `deciles` begins with 0–9 percent."""

    assessment = serializers.UUIDField(source="template_id")
    title = serializers.CharField()
    results = serializers.IntegerField()
    passed = serializers.IntegerField()
    mean_percent = serializers.DecimalField(max_digits=4, decimal_places=1)
    deciles = serializers.ListField(child=serializers.IntegerField(), min_length=10, max_length=10)


class ScoresReportSerializer(serializers.Serializer[Any]):
    assessments = AssessmentScoresSerializer(many=True)


class CompletionTimesSerializer(serializers.Serializer[Any]):
    """Days to completion, one for each enrolment that completed, by the day of completion."""

    median_days = serializers.FloatField(allow_null=True)
    days = serializers.ListField(child=serializers.IntegerField())
    completed_on = serializers.ListField(child=serializers.DateField())
