"""/v1: requirement sets, their versions, and what these are made of."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from apps.contacts.definitions_api import DefinitionViewSet, VersionPartViewSet, VersionViewSet
from apps.programs.api.filters import filters
from apps.requirements.api.authoring_serializers import (
    RequirementEdgeSerializer,
    RequirementNodeSerializer,
    RequirementSetSerializer,
    RequirementSetVersionSerializer,
)
from apps.requirements.models import (
    RequirementEdge,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)


@extend_schema_view(
    draft=extend_schema(request=None, responses={201: RequirementSetVersionSerializer})
)
class RequirementSetViewSet(DefinitionViewSet):
    """Requirement sets: what a program asks for, to go on or to earn an award."""

    queryset = RequirementSet.objects.all()
    serializer_class = RequirementSetSerializer
    version_serializer_class = RequirementSetVersionSerializer
    filterset_class = filters(RequirementSet, "slug", "program", "purpose")


class RequirementSetVersionViewSet(VersionViewSet):
    """Versions of requirement sets. A new one touches nobody until it is assigned."""

    queryset = RequirementSetVersion.objects.select_related("definition")
    serializer_class = RequirementSetVersionSerializer
    filterset_class = filters(RequirementSetVersion, "definition", "status", "number")


class RequirementNodeViewSet(VersionPartViewSet):
    """The requirements of set versions."""

    queryset = RequirementNode.objects.all()
    serializer_class = RequirementNodeSerializer
    filterset_class = filters(
        RequirementNode, "version", "key", "kind", "course", "assessment", "is_root"
    )


class RequirementEdgeViewSet(VersionPartViewSet):
    """What connects the requirements of set versions: members, prerequisites, branches."""

    queryset = RequirementEdge.objects.select_related("source", "target")
    serializer_class = RequirementEdgeSerializer
    filterset_class = filters(RequirementEdge, "version", "source", "target", "kind")
