"""/v1/reports: one address for each of the numbers; the same scope as on the dashboards."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import named, principal_of
from apps.contacts.api import Requires
from apps.contacts.capabilities import Capability
from apps.core.api import ApiView
from apps.core.clock import now
from apps.reporting.api.serializers import (
    AttendanceReportSerializer,
    CompletionTimesSerializer,
    FunnelSerializer,
    ScopeSerializer,
    ScoresReportSerializer,
)
from apps.reporting.selectors.dashboards import (
    Scope,
    analysed_cohorts,
    attendance_by_session,
    cohorts_to_choose,
    completion_times,
    funnel,
    programs_to_choose,
    scores,
)


class ReportView(ApiView):
    """A report about the cohorts whose numbers the caller may see."""

    permission_classes = [Requires(None, read=Capability.VIEW_ANALYTICS)]
    http_method_names = ["get", "head"]

    def scope(self, request: Request) -> Scope:
        """Return what is asked for; a program or cohort that one doesn't see is not found."""
        asked = ScopeSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        chosen: dict[str, Any] = asked.validated_data
        allowed = analysed_cohorts(principal_of(request))
        cohort, program = chosen.get("cohort"), chosen.get("program")
        if program is not None:
            named(programs_to_choose(allowed), program, field="program")
        if cohort is not None:
            allowed = frozenset([named(cohorts_to_choose(allowed), cohort, field="cohort").pk])
        return Scope(allowed, program, chosen.get("since"), chosen.get("until"))


class FunnelView(ReportView):
    @extend_schema(parameters=[ScopeSerializer], responses=FunnelSerializer)
    def get(self, request: Request) -> Response:
        """How many enrolments started, came halfway, completed and are certified."""
        return Response(FunnelSerializer(funnel(self.scope(request))).data)


class AttendanceReportView(ReportView):
    @extend_schema(parameters=[ScopeSerializer], responses=AttendanceReportSerializer)
    def get(self, request: Request) -> Response:
        """What was said about those expected at each session that has begun."""
        found = attendance_by_session(self.scope(request), at=now())
        return Response(AttendanceReportSerializer({"sessions": found}).data)


class ScoresView(ReportView):
    @extend_schema(parameters=[ScopeSerializer], responses=ScoresReportSerializer)
    def get(self, request: Request) -> Response:
        """How final results are distributed, by assessment."""
        return Response(ScoresReportSerializer({"assessments": scores(self.scope(request))}).data)


class CompletionTimesView(ReportView):
    @extend_schema(parameters=[ScopeSerializer], responses=CompletionTimesSerializer)
    def get(self, request: Request) -> Response:
        """In how many days the program was completed."""
        return Response(CompletionTimesSerializer(completion_times(self.scope(request))).data)
