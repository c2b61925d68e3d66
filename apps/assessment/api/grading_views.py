"""/v1: the grading queue."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, pagination, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.assessment.api.attempt_serializers import (
    GradeSerializer,
    GradingEventSerializer,
    ResultSerializer,
)
from apps.assessment.api.filters import GradingTaskFilter
from apps.assessment.api.grades import record
from apps.assessment.models import AssessmentResult, GradingTask
from apps.assessment.selectors.grading import grading_sheet, without_own_work
from apps.assessment.services import lease_next_task, lease_task, release_task
from apps.assessment.services.grading import OwnWork
from apps.cohorts.api.base import CohortScopedViewSet, principal_of
from apps.cohorts.selectors import of_staffed, staffed_by
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.selectors import is_own_work
from apps.core.api import CursorPagination, StrictSerializer
from apps.core.clock import now


class OldestFirst(CursorPagination):
    """What waits longest is at the top."""

    ordering = "id"


class GradingTaskSerializer(serializers.ModelSerializer[GradingTask]):
    """An answer that waits for a person, or waited."""

    assessment = serializers.UUIDField(source="attempt.template_id")
    assessment_title = serializers.CharField(source="attempt.template.title")
    item_title = serializers.CharField(source="item.title")
    cohort = serializers.UUIDField(source="attempt.enrollment.cohort_id")
    enrollment = serializers.UUIDField(source="attempt.enrollment_id")
    contact = serializers.UUIDField(source="attempt.contact_id")
    contact_name = serializers.CharField(source="attempt.contact.display_name")

    class Meta:
        model = GradingTask
        fields = [
            "id",
            "state",
            "assessment",
            "assessment_title",
            "cohort",
            "enrollment",
            "contact",
            "contact_name",
            "attempt",
            "item",
            "item_title",
            "leased_by",
            "leased_until",
            "created_at",
            "closed_at",
        ]
        read_only_fields = fields


class RubricLevelShownSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    points = serializers.DecimalField(max_digits=9, decimal_places=4)


class RubricCriterionShownSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    levels = RubricLevelShownSerializer(many=True)


class RubricShownSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    title = serializers.CharField()
    criteria = RubricCriterionShownSerializer(many=True)


class GradingSheetSerializer(serializers.Serializer[Any]):
    """An answer beside its rubric. A grade must expect `revision`."""

    id = serializers.UUIDField(source="task.id")
    task = GradingTaskSerializer()
    kind = serializers.CharField(source="item.kind")
    prompt_markdown = serializers.CharField(source="item.prompt_markdown")
    max_score = serializers.DecimalField(source="item.points", max_digits=9, decimal_places=4)
    value = serializers.JSONField(allow_null=True)
    invalid_value = serializers.JSONField(allow_null=True)
    saved_at = serializers.DateTimeField(allow_null=True)
    rubric = RubricShownSerializer(allow_null=True)
    revision = serializers.IntegerField()
    events = GradingEventSerializer(many=True)


class NextSerializer(StrictSerializer):
    """Which part of the queue to take from; nothing means all that the caller may grade."""

    assessment = serializers.UUIDField(required=False)
    cohort = serializers.UUIDField(required=False)
    item = serializers.UUIDField(required=False)


class GradingTaskViewSet(
    CohortScopedViewSet[GradingTask], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """Answers that wait for a person; never those of one's own."""

    permission_classes = [Requires(Capability.GRADE, read=Capability.VIEW_LEARNERS)]
    http_method_names = ["get", "post", "head"]
    queryset = GradingTask.objects.select_related(
        "item", "attempt__template", "attempt__enrollment", "attempt__contact"
    )
    serializer_class = GradingTaskSerializer
    filterset_class = GradingTaskFilter
    pagination_class: type[pagination.BasePagination] = OldestFirst

    def visible(self, rows: QuerySet[GradingTask], principal: Principal) -> QuerySet[GradingTask]:
        seen = of_staffed(rows, principal, cohort="attempt__enrollment__cohort")
        if self.action in ("list", "retrieve"):
            return without_own_work(seen, principal.contact_id)
        return seen

    @extend_schema(responses=GradingSheetSerializer)
    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        """The answer beside its rubric, with what it was given so far."""
        return Response(GradingSheetSerializer(grading_sheet(self.get_object())).data)

    @extend_schema(
        request=NextSerializer,
        responses={200: GradingSheetSerializer, 204: OpenApiResponse(description="All is done.")},
    )
    @action(detail=False, methods=["post"])
    def next(self, request: Request, **kwargs: Any) -> Response:
        """Lease the next task that nobody is at; the caller's own unfinished one comes first."""
        asked = NextSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        task = lease_next_task(
            grader=actor_of(request),
            cohort_ids=self._cohorts(asked.validated_data.get("cohort")),
            at=now(),
            template_id=asked.validated_data.get("assessment"),
            item_id=asked.validated_data.get("item"),
        )
        if task is None:
            return Response(status=204)
        return Response(GradingSheetSerializer(grading_sheet(task)).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def lease(self, request: Request, **kwargs: Any) -> Response:
        """Take the task for a quarter of an hour, or keep it; 409 while somebody else has it."""
        task = self._workable()
        lease_task(task_id=task.id, grader=actor_of(request), at=now())
        return self._as_it_is()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, **kwargs: Any) -> Response:
        """Give the task back; nothing happens if it is not the caller's."""
        task = self._workable()
        release_task(task_id=task.id, grader=actor_of(request))
        return self._as_it_is()

    @extend_schema(request=GradeSerializer, responses=ResultSerializer)
    @action(detail=True, methods=["post"])
    def grade(self, request: Request, **kwargs: Any) -> Response:
        """Give points or levels; 409 when somebody graded the answer in the meantime."""
        task = self._workable()
        asked = GradeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        result = record(
            task.attempt_id,
            task.item_id,
            asked.validated_data,
            grader=actor_of(request),
            at=now(),
        )
        return Response(ResultSerializer(result).data)

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if self.action == "grade":
            return ResultSerializer(AssessmentResult.objects.get(pk=answer["id"])).data
        if self.action == "next":
            if "id" not in answer:
                return None
            return GradingSheetSerializer(grading_sheet(self._task(answer["id"]))).data
        return super().render_again(request, answer)

    def _cohorts(self, named: UUID | None) -> Collection[UUID] | None:
        """Return the cohorts to take from, None for all."""
        allowed = staffed_by(principal_of(self.request))
        if named is None:
            return allowed
        return [named] if allowed is None or named in allowed else []

    def _workable(self) -> GradingTask:
        """Return the task if the caller may grade it: in this cohort, and not their own."""
        task: GradingTask = self.get_object()
        self.demand(Capability.GRADE, task.attempt.enrollment.cohort_id)
        actor_id = principal_of(self.request).contact_id
        if is_own_work(actor_id=actor_id, learner_id=task.attempt.contact_id):
            raise OwnWork
        return task

    def _task(self, task_id: str) -> GradingTask:
        return self.get_queryset().get(pk=task_id)

    def _as_it_is(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)
