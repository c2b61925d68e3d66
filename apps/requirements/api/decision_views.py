"""/v1: what was decided about learners, and which version of a set holds for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import BooleanFilter
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import CohortScopedViewSet, named, principal_of
from apps.cohorts.models import Cohort
from apps.cohorts.selectors import visible_cohorts
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.core.clock import now
from apps.core.problems import Forbidden, NotFound
from apps.programs.api.filters import IdFilterSet
from apps.requirements.api.decision_serializers import (
    EvaluationDetailSerializer,
    EvaluationSerializer,
)
from apps.requirements.api.word_serializers import (
    AssignedSerializer,
    AssignmentSerializer,
    AssignSerializer,
    PreviewSerializer,
)
from apps.requirements.models import (
    RequirementAssignment,
    RequirementEvaluation,
    RequirementSetVersion,
)
from apps.requirements.selectors.access import may_assign, visible_enrollments, visible_rows
from apps.requirements.services import assign_to_enrollments, preview_assignment


class _CurrentFilterSet(IdFilterSet):
    """`current=true`: the highest revision of each subject; `false`: what it superseded."""

    current = BooleanFilter(method="only_current")

    def only_current(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        newest = rows.model._default_manager.all().current()
        return rows.filter(pk__in=newest) if value else rows.exclude(pk__in=newest)


class EvaluationFilterSet(_CurrentFilterSet):
    class Meta:
        model = RequirementEvaluation
        fields = ("enrollment", "contact", "node", "set_version", "status")


class AssignmentFilterSet(_CurrentFilterSet):
    class Meta:
        model = RequirementAssignment
        fields = ("enrollment", "requirement_set", "set_version", "purpose")


class EvaluationViewSet(
    CohortScopedViewSet[RequirementEvaluation], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """Decisions about learners' requirements; one of them with everything that it rests on."""

    permission_classes = [Requires(None)]
    queryset = RequirementEvaluation.objects.select_related("contact", "node")
    serializer_class = EvaluationSerializer
    filterset_class = EvaluationFilterSet

    def visible(
        self, rows: QuerySet[RequirementEvaluation], principal: Principal
    ) -> QuerySet[RequirementEvaluation]:
        newer = RequirementEvaluation.objects.filter(
            enrollment=OuterRef("enrollment"),
            node=OuterRef("node"),
            revision__gt=OuterRef("revision"),
        )
        return visible_rows(rows.annotate(is_current=~Exists(newer)), principal)

    def get_serializer_class(self) -> type[serializers.BaseSerializer[RequirementEvaluation]]:
        return EvaluationDetailSerializer if self.action == "retrieve" else EvaluationSerializer


class AssignmentViewSet(
    CohortScopedViewSet[RequirementAssignment], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """Which version of a set holds for whom, from when, and why."""

    permission_classes = [Requires(Capability.RUN_COHORTS, read=None)]
    queryset = RequirementAssignment.objects.all()
    serializer_class = AssignmentSerializer
    filterset_class = AssignmentFilterSet

    def visible(
        self, rows: QuerySet[RequirementAssignment], principal: Principal
    ) -> QuerySet[RequirementAssignment]:
        return visible_rows(rows, principal)

    @extend_schema(
        parameters=[OpenApiParameter("dry_run", bool, description="Only tell what would change.")],
        request=AssignSerializer,
        responses={
            201: AssignedSerializer,
            200: OpenApiResponse(PreviewSerializer, "The dry run."),
        },
    )
    def create(self, request: Request) -> Response:
        """Assign a published version to enrolments, all or none; who has it already keeps it.

        With `?dry_run=1` the answer tells who would gain or lose what, and nothing is written.
        """
        asked = AssignSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        to: dict[str, Any] = {
            "set_version": self._version(data["set_version"]),
            "enrollment_ids": self._enrollment_ids(data),
            "at": now(),
        }
        if self._is_dry_run(request):
            return Response(PreviewSerializer({"changes": preview_assignment(**to)}).data)
        assigned = assign_to_enrollments(
            actor=actor_of(request),
            reason=data["reason"],
            effective_from=data["effective_from"],
            **to,
        )
        return Response(AssignedSerializer({"assignments": assigned}).data, status=201)

    def _is_dry_run(self, request: Request) -> bool:
        said = request.query_params.get("dry_run", "false")
        return bool(serializers.BooleanField().run_validation(said))

    def _version(self, version_id: UUID) -> RequirementSetVersion:
        versions = RequirementSetVersion.objects.select_related("definition")
        version: RequirementSetVersion = named(versions, version_id, field="set_version")
        return version

    def _enrollment_ids(self, data: dict[str, Any]) -> list[UUID]:
        """Return whom the body means; NotFound for who is not seen, Forbidden for who only is."""
        principal = principal_of(self.request)
        if "cohort" in data:
            cohort: Cohort = named(visible_cohorts(principal), data["cohort"], field="cohort")
            self.demand(Capability.RUN_COHORTS, cohort.id)
            return list(cohort.enrollments.enrolled().values_list("id", flat=True))
        seen = visible_enrollments(principal).filter(id__in=data["enrollments"])
        cohorts = dict(seen.values_list("id", "cohort_id"))
        unseen = [i for i, wanted in enumerate(data["enrollments"]) if wanted not in cohorts]
        if unseen:
            message = "There is no such enrolment here."
            raise NotFound(
                errors=[
                    {"field": f"enrollments[{i}]", "code": "not-found", "message": message}
                    for i in unseen
                ]
            )
        if not all(may_assign(principal, cohort_id=c) for c in cohorts.values()):
            raise Forbidden
        return list(cohorts)

    def answer_reference(self, response: Response) -> dict[str, Any]:
        data: Any = response.data
        return {"ids": [row["id"] for row in data["assignments"]]} if "assignments" in data else {}

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if "ids" not in answer:
            return self.create(request).data
        rows = self.get_queryset().filter(pk__in=answer["ids"]).order_by("enrollment_id")
        return AssignedSerializer({"assignments": rows}).data
