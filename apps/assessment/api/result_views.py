"""/v1: results, the decisions to release them, and the gradebook of a cohort."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.assessment.api.attempt_serializers import ListedResultSerializer, ReleaseSerializer
from apps.assessment.api.filters import ReleaseFilter, ResultFilter
from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResult,
    AssessmentTemplate,
    ResultRelease,
)
from apps.assessment.selectors.gradebook import gradebook
from apps.assessment.selectors.overviews import released_results
from apps.assessment.services import decide_attempt_release, decide_release
from apps.cohorts.api.base import CohortScoped, CohortScopedViewSet, named, principal_of
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.cohorts.selectors import of_staffed, staffed_by
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids
from apps.core.clock import now


class ResultViewSet(
    CohortScopedViewSet[AssessmentResult], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """The current result of each attempt: one's own once released, and those of one's cohorts."""

    permission_classes = [Requires(None)]
    http_method_names = ["get", "head"]
    queryset = AssessmentResult.objects.select_related("attempt").defer("facts")
    serializer_class = ListedResultSerializer
    filterset_class = ResultFilter

    def visible(
        self, rows: QuerySet[AssessmentResult], principal: Principal
    ) -> QuerySet[AssessmentResult]:
        current = rows.model.objects.current()
        rows = rows.filter(pk__in=current.values("pk"))
        staffed = staffed_by(principal)
        if staffed is None:
            return rows
        seen = Q(attempt__in=_released_to(principal))
        if staffed:
            own = alias_ids(principal.contact_id)
            seen |= Q(attempt__enrollment__cohort__in=staffed) & ~Q(attempt__contact__in=own)
        return rows.filter(seen)


def _released_to(principal: Principal) -> list[UUID]:
    """Return the caller's own attempts whose result they may see now."""
    enrollments = CohortEnrollment.objects.filter(contact__in=alias_ids(principal.contact_id))
    own = list(enrollments.values_list("id", flat=True))
    return [result.attempt_id for result in released_results(own, at=now())]


class ReleaseViewSet(
    CohortScopedViewSet[ResultRelease],
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
):
    """Decisions to release results or to hold them; the latest counts, one of the attempt first."""

    permission_classes = [Requires(Capability.GRADE, read=Capability.VIEW_LEARNERS)]
    http_method_names = ["get", "post", "head"]
    queryset = ResultRelease.objects.all()
    serializer_class = ReleaseSerializer
    filterset_class = ReleaseFilter

    def visible(
        self, rows: QuerySet[ResultRelease], principal: Principal
    ) -> QuerySet[ResultRelease]:
        staffed = staffed_by(principal)
        if staffed is None:
            return rows
        return rows.filter(Q(cohort__in=staffed) | Q(attempt__enrollment__cohort__in=staffed))

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        data = serializer.validated_data
        if data.get("attempt_id") is not None:
            serializer.instance = self._of_attempt(data)
        else:
            serializer.instance = self._of_cohort(data)

    def _of_attempt(self, data: dict[str, Any]) -> ResultRelease:
        attempts = AssessmentAttempt.objects.select_related("enrollment")
        seen = of_staffed(attempts, principal_of(self.request), cohort="enrollment__cohort")
        attempt = named(seen, data["attempt_id"], field="attempt")
        self.demand(Capability.GRADE, attempt.enrollment.cohort_id)
        return decide_attempt_release(
            attempt=attempt,
            is_released=data["is_released"],
            actor=actor_of(self.request),
            reason=data["reason"],
        )

    def _of_cohort(self, data: dict[str, Any]) -> ResultRelease:
        seen = of_staffed(Cohort.objects.all(), principal_of(self.request), cohort="id")
        cohort = named(seen, data["cohort_id"], field="cohort")
        self.demand(Capability.GRADE, cohort.id)
        return decide_release(
            template=named(
                AssessmentTemplate.objects.all(), data["template_id"], field="assessment"
            ),
            cohort=cohort,
            is_released=data["is_released"],
            actor=actor_of(self.request),
            reason=data["reason"],
        )


class GradebookColumnSerializer(serializers.Serializer[Any]):
    assessment = serializers.UUIDField(source="template_id")
    title = serializers.CharField()


class GradebookResultSerializer(serializers.Serializer[Any]):
    """The result of record: which attempt's counts is the version's policy."""

    id = serializers.UUIDField(source="result_id")
    attempt = serializers.UUIDField(source="attempt_id")
    attempt_no = serializers.IntegerField()
    score = serializers.DecimalField(max_digits=14, decimal_places=6)
    max_score = serializers.DecimalField(max_digits=14, decimal_places=6)
    percent = serializers.DecimalField(max_digits=7, decimal_places=4)
    passed = serializers.BooleanField()
    is_final = serializers.BooleanField()


class GradebookCellSerializer(serializers.Serializer[Any]):
    assessment = serializers.UUIDField(source="template_id")
    attempts = serializers.IntegerField()
    in_progress = serializers.BooleanField()
    awaits_grading = serializers.BooleanField()
    result = GradebookResultSerializer(source="fact", allow_null=True)


class GradebookRowSerializer(serializers.Serializer[Any]):
    enrollment = serializers.UUIDField(source="enrollment_id")
    contact = serializers.UUIDField(source="contact_id")
    name = serializers.CharField()
    cells = GradebookCellSerializer(many=True)


class GradebookSerializer(serializers.Serializer[Any]):
    """Everybody who was ever enrolled × every assessment of the cohort, in course order."""

    columns = GradebookColumnSerializer(many=True)
    rows = GradebookRowSerializer(many=True)


class GradebookView(CohortScoped):
    """A cohort's results in one table."""

    permission_classes = [Requires(None, read=Capability.VIEW_LEARNERS)]

    @extend_schema(responses=GradebookSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """Everybody who was ever enrolled × every assessment, with the results of record."""
        seen = of_staffed(Cohort.objects.all(), principal_of(request), cohort="id")
        cohort = get_object_or_404(seen, pk=pk)
        return Response(GradebookSerializer(gradebook(cohort.id)).data)
