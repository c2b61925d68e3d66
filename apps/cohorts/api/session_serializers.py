"""How sessions and attendance look under /v1."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.cohorts.models import (
    AttendanceMethod,
    AttendanceRecord,
    AttendanceStatus,
    CohortSession,
)
from apps.cohorts.selectors import SheetRow
from apps.cohorts.services import AttendanceEntry, Meeting
from apps.cohorts.services.attendance import MAX_MINUTES
from apps.core.api import StrictModelSerializer, StrictSerializer

MAX_ENTRIES = 5_000


@extend_schema_field(OpenApiTypes.STR)
class WallClockField(serializers.Field[datetime, Any, str, Any]):
    """What a clock on the wall shows: a date and a time without an offset from UTC."""

    default_error_messages = {
        "invalid": "Give a date and a time without an offset, like 2026-03-02T09:00.",
    }

    def to_internal_value(self, data: Any) -> datetime:
        try:
            value = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:
            value = None
        if value is None or value.tzinfo is not None:
            self.fail("invalid")
        return value

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class SessionSerializer(StrictModelSerializer[CohortSession]):
    """One meeting. Times are moments; `timezone` is what its wall clock means."""

    cohort = serializers.UUIDField(source="cohort_id")

    class Meta:
        model = CohortSession
        fields = [
            "id",
            "cohort",
            "title",
            "starts_at",
            "ends_at",
            "timezone",
            "location",
            "url",
            "is_required",
            "series_id",
            "position",
            "created_at",
            "cancelled_at",
        ]
        read_only_fields = ["id", "series_id", "position", "created_at", "cancelled_at"]
        extra_kwargs = {"timezone": {"required": False}}


def meeting_of(data: dict[str, Any]) -> Meeting:
    """Return what a session is about and where, out of what the client said."""
    names = ("title", "location", "url", "is_required")
    return Meeting(**{name: data[name] for name in names if name in data})


class SeriesSerializer(StrictSerializer):
    """A recurring session: a rule of RFC 5545 in the wall clock of a time zone."""

    cohort = serializers.UUIDField()
    title = serializers.CharField(max_length=200)
    first = WallClockField(help_text="When the first one starts, as its wall clock shows it.")
    length_minutes = serializers.IntegerField(min_value=1, max_value=7 * 24 * 60)
    rule = serializers.CharField(max_length=500, help_text="Like FREQ=WEEKLY;BYDAY=MO;COUNT=8.")
    timezone = serializers.CharField(max_length=64, required=False, default="")
    location = serializers.CharField(max_length=200, required=False, allow_blank=True)
    url = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    is_required = serializers.BooleanField(required=False)

    def validate_length_minutes(self, minutes: int) -> timedelta:
        return timedelta(minutes=minutes)


class ScheduledSeriesSerializer(serializers.Serializer[Any]):
    sessions = SessionSerializer(many=True)


class RescheduleSerializer(StrictSerializer):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    location = serializers.CharField(max_length=200, required=False, allow_blank=True)
    url = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class AttendanceRecordSerializer(serializers.ModelSerializer[AttendanceRecord]):
    """What was said about one learner at one session; the highest revision counts."""

    class Meta:
        model = AttendanceRecord
        fields = [
            "id",
            "session",
            "enrollment",
            "contact",
            "revision",
            "status",
            "minutes",
            "method",
            "note",
            "recorded_by",
            "recorded_at",
        ]
        read_only_fields = fields


class SheetRowSerializer(serializers.Serializer[SheetRow]):
    """One learner's line; `revision` 0 and no record: nothing was said yet."""

    enrollment = serializers.UUIDField(source="enrollment_id")
    contact = serializers.UUIDField(source="contact_id")
    contact_name = serializers.CharField(source="display_name")
    state = serializers.CharField()
    revision = serializers.IntegerField()
    record = AttendanceRecordSerializer(allow_null=True)


class SheetSerializer(serializers.Serializer[Any]):
    """Everybody who takes part in a session, and what was said about them."""

    id = serializers.UUIDField(help_text="The session.")
    rows = SheetRowSerializer(many=True)


class EntrySerializer(StrictSerializer):
    """What is said about one learner; `revision` is the one that the writer saw, 0 for none."""

    enrollment = serializers.UUIDField()
    revision = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    status = serializers.ChoiceField(AttendanceStatus.choices)
    minutes = serializers.IntegerField(
        min_value=0, max_value=MAX_MINUTES, required=False, allow_null=True
    )
    method = serializers.ChoiceField(
        [AttendanceMethod.MANUAL.value, AttendanceMethod.IMPORT.value],
        default=AttendanceMethod.MANUAL.value,
    )
    note = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class EntriesSerializer(StrictSerializer):
    entries = serializers.ListField(child=EntrySerializer(), max_length=MAX_ENTRIES)


def entry_of(data: dict[str, Any]) -> AttendanceEntry:
    """Return a validated line as the service takes it."""
    return AttendanceEntry(
        enrollment_id=data["enrollment"],
        status=data["status"],
        minutes=data.get("minutes"),
        method=data["method"],
        note=data["note"],
    )
