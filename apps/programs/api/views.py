"""/v1: programs and courses, their versions and what these are made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.contacts.api import Requires
from apps.contacts.authentication import principal_of_request
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import (
    AuthoredViewSet,
    DefinitionViewSet,
    VersionPartViewSet,
    VersionViewSet,
)
from apps.programs import ports
from apps.programs.api.filters import filters
from apps.programs.api.serializers import (
    CourseModuleSerializer,
    CourseSerializer,
    CourseVersionSerializer,
    ModuleItemSerializer,
    OutlineSerializer,
    ProgramCourseSerializer,
    ProgramSerializer,
    ProgramVersionSerializer,
)
from apps.programs.models import (
    Course,
    CourseModule,
    CourseVersion,
    ModuleItem,
    Program,
    ProgramCourse,
    ProgramVersion,
)


class ReadableByLearners(AuthoredViewSet):
    """Learners read what they take or may begin; whoever views content reads everything."""

    permission_classes = [Requires(Capability.AUTHOR_CONTENT, read=None)]
    of_program_versions: str
    """The lookup that leads from a row to the program versions it is part of."""

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        principal = principal_of_request(self.request)
        if principal is None or principal.has(Capability.VIEW_CONTENT):
            return rows
        readable = ports.readable_program_versions(principal.contact_id)
        return self.narrowed(rows, readable)

    def narrowed(self, rows: QuerySet[Any], program_versions: Collection[UUID]) -> QuerySet[Any]:
        """Return the rows that belong to these program versions, each once."""
        wanted = {f"{self.of_program_versions}__in": program_versions}
        return rows.filter(pk__in=rows.model._default_manager.filter(**wanted).values("pk"))


@extend_schema_view(draft=extend_schema(request=None, responses={201: ProgramVersionSerializer}))
class ProgramViewSet(ReadableByLearners, DefinitionViewSet):
    """Programs: the courses that together lead to a credential."""

    queryset = Program.objects.all()
    serializer_class = ProgramSerializer
    version_serializer_class = ProgramVersionSerializer
    filterset_class = filters(Program, "slug")
    of_program_versions = "versions"


class ProgramVersionViewSet(ReadableByLearners, VersionViewSet):
    """Versions of programs: which courses they pin."""

    queryset = ProgramVersion.objects.all()
    serializer_class = ProgramVersionSerializer
    filterset_class = filters(ProgramVersion, "definition", "status", "number")
    of_program_versions = "pk"


class ProgramCourseViewSet(ReadableByLearners, VersionPartViewSet):
    """The courses of program versions."""

    queryset = ProgramCourse.objects.all()
    serializer_class = ProgramCourseSerializer
    filterset_class = filters(ProgramCourse, "version", "course_version", "is_required")
    of_program_versions = "version"


@extend_schema_view(draft=extend_schema(request=None, responses={201: CourseVersionSerializer}))
class CourseViewSet(ReadableByLearners, DefinitionViewSet):
    """Courses. `POST /v1/courses/{id}/enroll` takes part in one."""

    queryset = Course.objects.all()
    serializer_class = CourseSerializer
    version_serializer_class = CourseVersionSerializer
    filterset_class = filters(Course, "slug", "catalog_course_id")
    of_program_versions = "versions__pinned_by__version"


class CourseVersionViewSet(ReadableByLearners, VersionViewSet):
    """Versions of courses."""

    queryset = CourseVersion.objects.select_related("definition")
    serializer_class = CourseVersionSerializer
    filterset_class = filters(CourseVersion, "definition", "status", "number")
    of_program_versions = "pinned_by__version"

    @extend_schema(responses=OutlineSerializer)
    @action(detail=True, methods=["get"])
    def outline(self, request: Request, **kwargs: Any) -> Response:
        """The modules and items of the version in order, in one answer."""
        return Response(OutlineSerializer(self.get_object()).data)


class CourseModuleViewSet(ReadableByLearners, VersionPartViewSet):
    """The modules of course versions."""

    queryset = CourseModule.objects.all()
    serializer_class = CourseModuleSerializer
    filterset_class = filters(CourseModule, "version", "key")
    of_program_versions = "version__pinned_by__version"


class ModuleItemViewSet(VersionPartViewSet):
    """The items of modules with their texts. For learners an item may still be locked."""

    queryset = ModuleItem.objects.all()
    serializer_class = ModuleItemSerializer
    filterset_class = filters(ModuleItem, "version", "module", "type", "is_required", "key")
