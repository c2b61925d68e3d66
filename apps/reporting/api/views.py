"""/v1/reports: one address for each of the numbers; the same scope as on the dashboards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import CohortScoped, named, principal_of
from apps.cohorts.models import Cohort
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.core.api import ApiView, StrictSerializer
from apps.core.clock import now
from apps.core.problems import NotFound
from apps.reporting.api.serializers import (
    AtRiskReportSerializer,
    AtRiskScopeSerializer,
    AttendanceReportSerializer,
    CompletionTimesSerializer,
    FunnelSerializer,
    ScopeSerializer,
    ScoresReportSerializer,
    ThresholdsSerializer,
)
from apps.reporting.risks import Thresholds
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
from apps.reporting.selectors.risks import at_risk, thresholds_of
from apps.reporting.services import set_thresholds


class ReportView(ApiView):
    """A report about the cohorts whose numbers the caller may see."""

    permission_classes = [Requires(None, read=Capability.VIEW_ANALYTICS)]
    http_method_names = ["get", "head"]

    scope_serializer: type[StrictSerializer] = ScopeSerializer

    def scope(self, request: Request) -> Scope:
        """Return what is asked for; a program or cohort that one doesn't see is not found."""
        return self.asked(request, self.scope_serializer)[0]

    def asked(
        self, request: Request, serializer: type[StrictSerializer]
    ) -> tuple[Scope, dict[str, Any]]:
        """Return the scope, and whatever else is asked for."""
        asked = serializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        chosen: dict[str, Any] = asked.validated_data
        allowed = analysed_cohorts(principal_of(request))
        cohort, program = chosen.get("cohort"), chosen.get("program")
        if program is not None:
            named(programs_to_choose(allowed), program, field="program")
        if cohort is not None:
            allowed = frozenset([named(cohorts_to_choose(allowed), cohort, field="cohort").pk])
        return Scope(allowed, program, chosen.get("since"), chosen.get("until")), chosen


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


class AtRiskView(ReportView):
    scope_serializer = AtRiskScopeSerializer

    @extend_schema(parameters=[AtRiskScopeSerializer], responses=AtRiskReportSerializer)
    def get(self, request: Request) -> Response:
        """Who is at risk in the open cohorts, and every reason; most kinds of reason first."""
        found = at_risk(self.scope(request), at=now())
        return Response(AtRiskReportSerializer({"learners": found}).data)


class ThresholdsView(CohortScoped):
    """From where on the learners of a cohort are at risk."""

    permission_classes = [Requires(Capability.RUN_COHORTS, read=Capability.VIEW_ANALYTICS)]
    http_method_names = ["get", "head", "put"]

    def _cohort(self, request: Request, cohort_id: UUID) -> Cohort:
        allowed = analysed_cohorts(principal_of(request))
        cohort = cohorts_to_choose(allowed).filter(pk=cohort_id).first()
        if cohort is None:
            raise NotFound
        return cohort

    @extend_schema(responses=ThresholdsSerializer)
    def get(self, request: Request, cohort_id: UUID) -> Response:
        """The thresholds in force: the cohort's own, or the usual ones."""
        cohort = self._cohort(request, cohort_id)
        return Response(ThresholdsSerializer(thresholds_of([cohort.pk])[cohort.pk]).data)

    @extend_schema(request=ThresholdsSerializer, responses=ThresholdsSerializer)
    def put(self, request: Request, cohort_id: UUID) -> Response:
        """Set all of them; null switches a rule off."""
        cohort = self._cohort(request, cohort_id)
        self.demand(Capability.RUN_COHORTS, cohort.pk)
        asked = ThresholdsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = set_thresholds(
            cohort=cohort, thresholds=Thresholds(**asked.validated_data), actor=actor_of(request)
        )
        return Response(ThresholdsSerializer(row.thresholds).data)
