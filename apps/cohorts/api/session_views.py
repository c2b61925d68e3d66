"""/v1: sessions and who was there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.cohorts.api.base import CohortScopedViewSet, named, principal_of
from apps.cohorts.api.session_serializers import (
    AttendanceRecordSerializer,
    EntriesSerializer,
    RescheduleSerializer,
    ScheduledSeriesSerializer,
    SeriesSerializer,
    SessionSerializer,
    SheetSerializer,
    entry_of,
    meeting_of,
)
from apps.cohorts.models import AttendanceRecord, Cohort, CohortSession
from apps.cohorts.selectors import (
    attendance_sheet,
    of_staffed_or_own,
    visible_cohorts,
    visible_sessions,
)
from apps.cohorts.services import (
    cancel_session,
    record_attendance,
    reschedule_session,
    schedule_series,
    schedule_session,
)
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.core.clock import now
from apps.programs.api.filters import filters

RUN = Capability.RUN_COHORTS
SHEET = Requires(Capability.TAKE_ATTENDANCE, read=Capability.VIEW_LEARNERS)


class SessionViewSet(
    CohortScopedViewSet[CohortSession],
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
):
    """Sessions: when and where a cohort meets."""

    permission_classes = [Requires(RUN, read=None)]
    queryset = CohortSession.objects.all()
    serializer_class = SessionSerializer
    filterset_class = filters(CohortSession, "cohort", "series_id", "is_required")

    def visible(
        self, rows: QuerySet[CohortSession], principal: Principal
    ) -> QuerySet[CohortSession]:
        return visible_sessions(principal)

    def _cohort(self, data: dict[str, Any], *, field: str) -> Cohort:
        cohort = named(visible_cohorts(principal_of(self.request)), data[field], field="cohort")
        self.demand(RUN, cohort.id)
        return cohort

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        data = serializer.validated_data
        serializer.instance = schedule_session(
            cohort=self._cohort(data, field="cohort_id"),
            meeting=meeting_of(data),
            starts_at=data["starts_at"],
            ends_at=data["ends_at"],
            timezone=data.get("timezone", ""),
            actor=actor_of(self.request),
        )

    @extend_schema(request=SeriesSerializer, responses={201: ScheduledSeriesSerializer})
    @action(detail=False, methods=["post"])
    def series(self, request: Request, **kwargs: Any) -> Response:
        """Schedule a recurring session; its wall clock keeps its hour when the clocks change."""
        asked = SeriesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        sessions = schedule_series(
            cohort=self._cohort(data, field="cohort"),
            meeting=meeting_of(data),
            first=data["first"],
            length=data["length_minutes"],
            rule=data["rule"],
            timezone=data["timezone"],
            actor=actor_of(request),
        )
        return Response(ScheduledSeriesSerializer({"sessions": sessions}).data, status=201)

    @extend_schema(request=RescheduleSerializer, responses=SessionSerializer)
    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, **kwargs: Any) -> Response:
        """Move a session to another time and, where given, place."""
        session = self.get_object()
        self.demand(RUN, session.cohort_id)
        asked = RescheduleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        moved = reschedule_session(session=session, actor=actor_of(request), **asked.validated_data)
        return Response(SessionSerializer(moved).data)

    @extend_schema(request=None, responses=SessionSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, **kwargs: Any) -> Response:
        """Cancel a session: from now on it counts for nobody."""
        session = self.get_object()
        self.demand(RUN, session.cohort_id)
        cancelled = cancel_session(session=session, actor=actor_of(request))
        return Response(SessionSerializer(cancelled).data)

    @extend_schema(responses=SheetSerializer)
    @action(detail=True, methods=["get"], permission_classes=[SHEET], pagination_class=None)
    def attendance(self, request: Request, **kwargs: Any) -> Response:
        """The attendance sheet: everybody who takes part, and what was said about them."""
        session = self.get_object()
        self.demand(Capability.VIEW_LEARNERS, session.cohort_id)
        return Response(self._sheet(session))

    @extend_schema(request=EntriesSerializer, responses=SheetSerializer)
    @attendance.mapping.put
    def take_attendance(self, request: Request, **kwargs: Any) -> Response:
        """Say who was there. All lines are written or none; 409 names whose line changed."""
        session = self.get_object()
        self.demand(Capability.TAKE_ATTENDANCE, session.cohort_id)
        asked = EntriesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        entries = asked.validated_data["entries"]
        record_attendance(
            session=session,
            entries=[entry_of(entry) for entry in entries],
            recorded_by=actor_of(request),
            at=now(),
            expected_revisions={entry["enrollment"]: entry["revision"] for entry in entries},
        )
        return Response(self._sheet(session))

    def _sheet(self, session: CohortSession) -> Any:
        return SheetSerializer({"id": session.id, "rows": attendance_sheet(session)}).data

    def answer_reference(self, response: Response) -> dict[str, Any]:
        if self.action != "series":
            return super().answer_reference(response)
        data: Any = response.data
        return {"ids": [session["id"] for session in data["sessions"]]}

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if self.action == "take_attendance":
            return self._sheet(self.get_queryset().get(pk=answer["id"]))
        if self.action != "series":
            return super().render_again(request, answer)
        sessions = self.get_queryset().filter(pk__in=answer["ids"]).order_by("position")
        return ScheduledSeriesSerializer({"sessions": sessions}).data


class AttendanceViewSet(
    CohortScopedViewSet[AttendanceRecord], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """What was last said about each learner at each session; learners see what is said of them."""

    permission_classes = [Requires(None)]
    queryset = AttendanceRecord.objects.all()
    serializer_class = AttendanceRecordSerializer
    filterset_class = filters(
        AttendanceRecord, "session", "enrollment", "contact", "cohort", "status"
    )

    def visible(
        self, rows: QuerySet[AttendanceRecord], principal: Principal
    ) -> QuerySet[AttendanceRecord]:
        if self.action == "list":
            rows = AttendanceRecord.objects.current()
        return of_staffed_or_own(rows, principal, cohort="cohort", contact="contact")
