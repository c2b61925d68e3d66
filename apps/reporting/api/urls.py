"""Addresses under /v1 of reporting."""

from django.urls import path

from apps.reporting.api.ai_views import AiCostsView, AiQualityView, TutoringView
from apps.reporting.api.views import (
    AtRiskView,
    AttendanceReportView,
    CompletionTimesView,
    FunnelView,
    ScoresView,
    ThresholdsView,
)

urlpatterns = [
    path("ai/reports/costs", AiCostsView.as_view(), name="ai-report-costs"),
    path("ai/reports/quality", AiQualityView.as_view(), name="ai-report-quality"),
    path("ai/reports/tutoring-before-a-pass", TutoringView.as_view(), name="ai-report-tutoring"),
    path("reports/funnel", FunnelView.as_view(), name="report-funnel"),
    path("reports/attendance", AttendanceReportView.as_view(), name="report-attendance"),
    path("reports/scores", ScoresView.as_view(), name="report-scores"),
    path("reports/completion-times", CompletionTimesView.as_view(), name="report-completion-times"),
    path("reports/at-risk", AtRiskView.as_view(), name="report-at-risk"),
    path(
        "cohorts/<uuid:cohort_id>/risk-thresholds",
        ThresholdsView.as_view(),
        name="cohort-risk-thresholds",
    ),
]
