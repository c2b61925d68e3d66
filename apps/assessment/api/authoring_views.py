"""/v1: assessments, their versions and what these are made of; question banks."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.assessment.api.authoring_serializers import (
    AssessmentItemSerializer,
    AssessmentSerializer,
    AssessmentVersionSerializer,
    BankItemSerializer,
    CopiedSerializer,
    FromBankSerializer,
    PlacementSerializer,
    QuestionBankSerializer,
    RubricCriterionSerializer,
    RubricLevelSerializer,
    RubricSerializer,
)
from apps.assessment.models import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    BankItem,
    QuestionBank,
    Rubric,
    RubricCriterion,
    RubricLevel,
)
from apps.assessment.selectors.offers import readable_templates
from apps.assessment.services import archive_question, copy_from_bank, place_assessment
from apps.contacts.api import Requires, actor_of
from apps.contacts.authentication import principal_of_request
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import (
    AuthoredViewSet,
    DefinitionViewSet,
    VersionPartViewSet,
    VersionViewSet,
)
from apps.core.clock import now
from apps.core.problems import NotFound
from apps.programs.api.filters import filters


@extend_schema_view(draft=extend_schema(request=None, responses={201: AssessmentVersionSerializer}))
class AssessmentViewSet(DefinitionViewSet):
    """Assessments. Learners see those that their cohorts offer; `POST …/attempts` takes one."""

    permission_classes = [Requires(Capability.AUTHOR_CONTENT, read=None)]
    queryset = AssessmentTemplate.objects.all()
    serializer_class = AssessmentSerializer
    version_serializer_class = AssessmentVersionSerializer
    filterset_class = filters(AssessmentTemplate, "slug", "type", "course", "scoring_model")

    def get_queryset(self) -> QuerySet[AssessmentTemplate]:
        principal = principal_of_request(self.request)
        if principal is None or principal.has(Capability.VIEW_CONTENT):
            return super().get_queryset()
        return readable_templates(principal.contact_id)


class AssessmentVersionViewSet(VersionViewSet):
    """Versions of assessments: their terms."""

    queryset = AssessmentVersion.objects.all()
    serializer_class = AssessmentVersionSerializer
    filterset_class = filters(AssessmentVersion, "definition", "status", "number")

    @extend_schema(request=FromBankSerializer, responses=CopiedSerializer)
    @action(detail=True, methods=["post"], url_path="items-from-bank")
    def items_from_bank(self, request: Request, **kwargs: Any) -> Response:
        """Copy questions of banks to the end of the draft; later changes there don't follow."""
        version = self.get_object()
        asked = FromBankSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data["bank_items"]
        found = {item.id: item for item in BankItem.objects.filter(id__in=wanted, archived_at=None)}
        missing = [number for number, item_id in enumerate(wanted) if item_id not in found]
        if missing:
            raise NotFound(
                errors=[
                    {
                        "field": f"bank_items[{number}]",
                        "code": "not-found",
                        "message": "There is no such question.",
                    }
                    for number in missing
                ]
            )
        copies = copy_from_bank(version=version, items=[found[item_id] for item_id in wanted])
        self.on_record("items-copied", version)
        return Response(_copied(version, copies))

    def answer_reference(self, response: Response) -> dict[str, Any]:
        reference = super().answer_reference(response)
        if self.action == "items_from_bank":
            reference["items"] = [item["id"] for item in response.data["items"]]
        return reference

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if "items" not in answer:
            return super().render_again(request, answer)
        items = AssessmentItem.objects.filter(id__in=answer["items"]).order_by("position")
        return _copied(self.get_object(), items)


def _copied(version: AssessmentVersion, items: Any) -> Any:
    return CopiedSerializer({"id": version.id, "items": items}).data


class AssessmentItemViewSet(VersionPartViewSet):
    """The items of assessment versions, with their keys."""

    queryset = AssessmentItem.objects.all()
    serializer_class = AssessmentItemSerializer
    filterset_class = filters(AssessmentItem, "version", "key", "kind", "rubric", "bank_item")


class RubricViewSet(VersionPartViewSet):
    """The rubrics of assessment versions."""

    queryset = Rubric.objects.all()
    serializer_class = RubricSerializer
    filterset_class = filters(Rubric, "version", "key")


class RubricCriterionViewSet(VersionPartViewSet):
    """The criteria of rubrics."""

    queryset = RubricCriterion.objects.all()
    serializer_class = RubricCriterionSerializer
    filterset_class = filters(RubricCriterion, "version", "rubric", "key")


class RubricLevelViewSet(VersionPartViewSet):
    """The levels of criteria."""

    queryset = RubricLevel.objects.all()
    serializer_class = RubricLevelSerializer
    filterset_class = filters(RubricLevel, "version", "criterion", "key")


class PlacementViewSet(VersionPartViewSet):
    """Where assessments stand in courses; `version` is the course's."""

    queryset = AssessmentPlacement.objects.all()
    serializer_class = PlacementSerializer
    filterset_class = filters(AssessmentPlacement, "version", "module_item", "assessment_version")

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        serializer.instance = place_assessment(**serializer.validated_data)
        self.on_record("created", serializer.instance)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        placement: AssessmentPlacement = self.get_object()
        serializer.instance = place_assessment(
            module_item=placement.module_item,
            assessment_version=serializer.validated_data.get(
                "assessment_version", placement.assessment_version
            ),
        )
        self.on_record("changed", serializer.instance)


class QuestionBankViewSet(AuthoredViewSet):
    """Question banks. `POST …/import` takes questions from a file."""

    http_method_names = ["get", "post", "put", "patch", "head"]
    queryset = QuestionBank.objects.all()
    serializer_class = QuestionBankSerializer
    filterset_class = filters(QuestionBank, "slug")

    def creation_values(self) -> dict[str, Any]:
        return {"created_by": actor_of(self.request)}


class BankItemViewSet(AuthoredViewSet):
    """The questions of banks. Versions hold copies, so that these may change."""

    http_method_names = ["get", "post", "put", "patch", "head"]
    queryset = BankItem.objects.all()
    serializer_class = BankItemSerializer
    filterset_class = filters(BankItem, "bank", "key", "kind", "category", "difficulty")

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, **kwargs: Any) -> Response:
        """Take the question out of use; what was copied from it stays."""
        item = archive_question(item=self.get_object(), actor=actor_of(request), at=now())
        return Response(self.get_serializer(item).data)
