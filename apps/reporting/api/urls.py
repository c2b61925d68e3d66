"""Addresses under /v1 of reporting."""

from django.urls import path

from apps.reporting.api.views import (
    AttendanceReportView,
    CompletionTimesView,
    FunnelView,
    ScoresView,
)

urlpatterns = [
    path("reports/funnel", FunnelView.as_view(), name="report-funnel"),
    path("reports/attendance", AttendanceReportView.as_view(), name="report-attendance"),
    path("reports/scores", ScoresView.as_view(), name="report-scores"),
    path("reports/completion-times", CompletionTimesView.as_view(), name="report-completion-times"),
]
