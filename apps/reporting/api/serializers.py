"""What reports are asked for, and what they answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api import StrictSerializer
from apps.reporting.forms import DEFAULT_WINDOW, LONGEST_WINDOW
from apps.reporting.risks import RiskKind
from apps.reporting.selectors.ai_reports import BY

MOST = 32767


def _threshold(said: str) -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=0, max_value=MOST, allow_null=True, required=True, help_text=said
    )


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


class RiskSerializer(serializers.Serializer[Any]):
    """One reason: its kind, what it is about, and the sentence that tells it."""

    kind = serializers.ChoiceField(choices=RiskKind.choices)
    about = serializers.CharField(help_text="The requirement or assessment; empty for none.")
    count = serializers.IntegerField(
        help_text="Sessions that can still be missed (-1: out of reach), or days."
    )
    on = serializers.DateField(allow_null=True, help_text="When it was due, or last active.")
    percent = serializers.DecimalField(
        max_digits=7, decimal_places=4, allow_null=True, help_text="The result that is not enough."
    )
    sentence = serializers.CharField()


class AtRiskSerializer(serializers.Serializer[Any]):
    enrollment = serializers.UUIDField(source="enrollment_id")
    contact = serializers.UUIDField(source="contact_id")
    name = serializers.CharField()
    cohort = serializers.UUIDField(source="cohort_id")
    cohort_title = serializers.CharField()
    active_on = serializers.DateField(allow_null=True)
    risks = RiskSerializer(many=True)


class AtRiskReportSerializer(serializers.Serializer[Any]):
    learners = AtRiskSerializer(many=True)


class AtRiskScopeSerializer(StrictSerializer):
    """Program and cohort; what is left out is not looked at."""

    program = serializers.UUIDField(required=False, help_text="Only of this program.")
    cohort = serializers.UUIDField(required=False, help_text="Only of this cohort.")


class ThresholdsSerializer(StrictSerializer):
    """From where on the learners of a cohort are at risk; null switches a rule off."""

    misses_left = _threshold("At most so many sessions can still be missed, and one was.")
    inactive_days = _threshold("Nothing was done for so many days.")
    failed_results = _threshold("So many final results of record are not passed.")
    overdue_days = _threshold("More than so many days after a date that was missed.")
    locked_days = _threshold("More than so many days after the date of what is still locked.")


class CostScopeSerializer(ScopeSerializer):
    """And what costs are told by."""

    by = serializers.ChoiceField(sorted(BY), default="organization")
    limit = serializers.IntegerField(
        min_value=1, max_value=1_000, default=200, help_text="At most so many lines."
    )


class AiCostLineSerializer(serializers.Serializer[Any]):
    """What one thing cost; an empty `key` stands for what has none of its kind."""

    key = serializers.CharField()
    name = serializers.CharField(source="label")
    sessions = serializers.IntegerField()
    calls = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost_usd = serializers.DecimalField(max_digits=28, decimal_places=18)
    unpriced = serializers.IntegerField(help_text="Calls without a price in US dollars.")


class AiCostsSerializer(serializers.Serializer[Any]):
    lines = AiCostLineSerializer(many=True)


class AiQualityLineSerializer(serializers.Serializer[Any]):
    """What people thought of a model; `rate` is thumbs up of those rated."""

    provider = serializers.CharField()
    model = serializers.CharField()
    session_type = serializers.CharField()
    calls = serializers.IntegerField(help_text="n")
    thumbs_up = serializers.IntegerField()
    thumbs_down = serializers.IntegerField()
    flags = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True)
    cost_usd = serializers.DecimalField(max_digits=28, decimal_places=18)


class AiQualitySerializer(serializers.Serializer[Any]):
    lines = AiQualityLineSerializer(many=True)


class TutoringScopeSerializer(ScopeSerializer):
    """And how long before an attempt tutoring counts."""

    window_days = serializers.IntegerField(
        min_value=1, max_value=LONGEST_WINDOW, default=DEFAULT_WINDOW
    )


class TutoringLineSerializer(serializers.Serializer[Any]):
    """Final attempts of one course, with tutoring shortly before and without."""

    course = serializers.UUIDField(source="course_id")
    title = serializers.CharField()
    attempts = serializers.IntegerField()
    passed = serializers.IntegerField()
    base_rate = serializers.FloatField(allow_null=True)
    tutored = serializers.IntegerField()
    tutored_passed = serializers.IntegerField()
    tutored_rate = serializers.FloatField(allow_null=True)
    untutored_rate = serializers.FloatField(allow_null=True)


class TutoringSerializer(serializers.Serializer[Any]):
    """`interpretation` is always correlation: who asks a tutor may differ in more than that."""

    interpretation = serializers.ChoiceField(["correlation"])
    window_days = serializers.IntegerField()
    lines = TutoringLineSerializer(many=True)
