"""/v1/ai/reports: what AI conversations cost, their quality, and what came after tutoring."""

from __future__ import annotations

from datetime import timedelta

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.reporting.api.serializers import (
    AiCostsSerializer,
    AiQualitySerializer,
    CostScopeSerializer,
    ScopeSerializer,
    TutoringScopeSerializer,
    TutoringSerializer,
)
from apps.reporting.api.views import ReportView
from apps.reporting.selectors.ai_reports import costs, quality, tutoring_before_a_pass


class AiCostsView(ReportView):
    @extend_schema(parameters=[CostScopeSerializer], responses=AiCostsSerializer)
    def get(self, request: Request) -> Response:
        """What calls cost by session, learner, course, cohort, model, day, or in all."""
        scope, asked = self.asked(request, CostScopeSerializer)
        found = costs(scope, by=asked["by"], limit=asked["limit"])
        return Response(AiCostsSerializer({"lines": found}).data)


class AiQualityView(ReportView):
    @extend_schema(parameters=[ScopeSerializer], responses=AiQualitySerializer)
    def get(self, request: Request) -> Response:
        """What people thought of each model in each kind of session."""
        return Response(AiQualitySerializer({"lines": quality(self.scope(request))}).data)


class TutoringView(ReportView):
    @extend_schema(parameters=[TutoringScopeSerializer], responses=TutoringSerializer)
    def get(self, request: Request) -> Response:
        """How often attempts were passed with tutoring before them, beside the base rate."""
        scope, asked = self.asked(request, TutoringScopeSerializer)
        days = asked["window_days"]
        found = tutoring_before_a_pass(scope, window=timedelta(days=days))
        told = {"interpretation": "correlation", "window_days": days, "lines": found}
        return Response(TutoringSerializer(told).data)
