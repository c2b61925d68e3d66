"""How cohorts, their staff and enrolments look under /v1."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.cohorts.models import Cohort, CohortEnrollment, CohortStaff
from apps.core.api import StrictModelSerializer, StrictSerializer
from apps.programs.models import ProgramVersion

FIXED = ("program_version", "slug", "is_self_paced")
"""What is said about a cohort when it is made, and never changes."""


class CohortSerializer(StrictModelSerializer[Cohort]):
    """A cohort. Its program version, slug and pace are chosen once, when it is made."""

    program_version = serializers.PrimaryKeyRelatedField(queryset=ProgramVersion.objects.all())

    class Meta:
        model = Cohort
        fields = [
            "id",
            "program_version",
            "slug",
            "title",
            "status",
            "starts_on",
            "ends_on",
            "is_self_paced",
            "capacity",
            "timezone",
            "created_at",
        ]
        read_only_fields = ["id", "status", "created_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        fixed = [name for name in FIXED if name in attrs] if self.instance is not None else []
        if fixed:
            message = "This was chosen when the cohort was made."
            raise serializers.ValidationError(
                {name: serializers.ErrorDetail(message, code="fixed") for name in fixed}
            )
        return attrs


class CohortStaffSerializer(StrictModelSerializer[CohortStaff]):
    """Somebody who works with a cohort."""

    cohort = serializers.UUIDField(source="cohort_id")
    contact = serializers.UUIDField(source="contact_id")
    contact_name = serializers.CharField(source="contact.display_name", read_only=True)

    class Meta:
        model = CohortStaff
        fields = ["id", "cohort", "contact", "contact_name", "role", "created_at"]
        read_only_fields = ["id", "created_at"]


class EnrollmentSerializer(serializers.ModelSerializer[CohortEnrollment]):
    """One person's participation in a cohort; competence is told elsewhere."""

    contact_name = serializers.CharField(source="contact.display_name", read_only=True)

    class Meta:
        model = CohortEnrollment
        fields = [
            "id",
            "cohort",
            "contact",
            "contact_name",
            "state",
            "waitlisted_at",
            "enrolled_at",
            "ended_at",
            "created_at",
        ]
        read_only_fields = fields


class LearnerSerializer(StrictSerializer):
    contact = serializers.UUIDField(help_text="Who is to take part.")
