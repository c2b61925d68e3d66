"""/v1/catalog: the platform's courses, adopted and brought up to date."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.selectors import newest_of, offered_courses, versions_of
from apps.contacts.api import actor_of
from apps.contacts.definitions_api import AUTHORS, diff_as_data
from apps.core.api import ApiView
from apps.core.clock import now
from apps.core.problems import NotFound
from apps.portability.api.catalog_serializers import (
    AdoptionSerializer,
    AdoptSerializer,
    CatalogCourseDetailSerializer,
    CatalogCourseSerializer,
    UpdatedSerializer,
    UpdatePreviewSerializer,
    UpdateSerializer,
)
from apps.portability.selectors.adoptions import adoptions
from apps.portability.services import (
    NotAdopted,
    UpdatePreview,
    adopt_course,
    preview_update,
    update_course,
)

VERSION = OpenApiParameter("version", UUID, description="This version, not the newest one.")


class SearchSerializer(serializers.Serializer[Any]):
    q = serializers.CharField(default="", allow_blank=True, max_length=200)


class CatalogViewSet(ApiView, viewsets.GenericViewSet[Any]):
    """Courses that the platform offers to every organisation."""

    permission_classes = [AUTHORS]
    serializer_class = CatalogCourseSerializer
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Any]:
        return offered_courses()

    @extend_schema(
        parameters=[OpenApiParameter("q", str, description="Words that a course must have.")]
    )
    def list(self, request: Request) -> Response:
        """The newest version of each course, with where the organisation stands with it."""
        asked = SearchSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        page = self.paginate_queryset(offered_courses(asked.validated_data["q"])) or []
        known = adoptions(version.course_id for version in page)
        told = self.get_serializer(page, many=True, context={"adoptions": known})
        return self.get_paginated_response(told.data)

    @extend_schema(responses=CatalogCourseDetailSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One course with its outline and the versions that are offered."""
        newest = _newest(pk)
        context = {
            "adoptions": adoptions([pk]),
            "versions": list(versions_of(newest.course)),
        }
        return Response(CatalogCourseDetailSerializer(newest, context=context).data)

    @extend_schema(
        request=AdoptSerializer, responses={200: AdoptionSerializer, 201: AdoptionSerializer}
    )
    @action(detail=True, methods=["post"])
    def adopt(self, request: Request, pk: UUID) -> Response:
        """Adopt the course: 201 with it, 200 when it was adopted before."""
        asked = AdoptSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data.get("version")
        _course, is_new = adopt_course(
            version=_version(pk, wanted),
            actor=actor_of(request),
            at=now(),
            leaves_draft=asked.validated_data["leave_draft"],
            is_this_one=wanted is not None,
        )
        stands = adoptions([pk])[pk]
        return Response(AdoptionSerializer(stands).data, status=201 if is_new else 200)

    @extend_schema(methods=["get"], parameters=[VERSION], responses=UpdatePreviewSerializer)
    @extend_schema(
        methods=["post"],
        request=UpdateSerializer,
        responses={200: UpdatedSerializer, 201: UpdatedSerializer},
    )
    @action(detail=True, methods=["get", "post"], url_path="update", url_name="update")
    def update_(self, request: Request, pk: UUID) -> Response:
        """GET: what an update would change. POST: make the draft; 200 when it was there."""
        asked = UpdateSerializer(
            data=request.data if request.method == "POST" else request.query_params.dict()
        )
        asked.is_valid(raise_exception=True)
        if pk not in adoptions([pk]):
            _newest(pk)
            raise NotAdopted
        version = _version(pk, asked.validated_data.get("version"))
        if request.method != "POST":
            preview = preview_update(version=version, actor=actor_of(request), at=now())
            return Response(_preview_as_data(preview))
        updated = update_course(version=version, actor=actor_of(request), at=now())
        status = 201 if updated.is_new and updated.draft else 200
        return Response(UpdatedSerializer(updated).data, status=status)

    def answer_reference(self, response: Response) -> dict[str, Any]:
        data: Any = response.data
        if self.action == "adopt":
            return {"catalog_course": str(data["catalog_course"])}
        return {name: str(data[name]) if data[name] else None for name in ("id", "draft")} | {
            "number": data["number"]
        }

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if self.action == "adopt":
            pk = UUID(answer["catalog_course"])
            return AdoptionSerializer(adoptions([pk])[pk]).data
        return answer


def _newest(course_id: UUID) -> CatalogCourseVersion:
    """Return the newest offered version of a course. Raises NotFound."""
    newest = newest_of([course_id]).get(course_id)
    if newest is None:
        raise NotFound
    return newest


def _version(course_id: UUID, version_id: UUID | None) -> CatalogCourseVersion:
    """Return the version that is asked for, else the newest. Raises NotFound."""
    newest = _newest(course_id)
    if version_id is None:
        return newest
    found: CatalogCourseVersion | None = versions_of(newest.course).filter(pk=version_id).first()
    if found is None:
        raise NotFound(detail="The catalog offers no such version of this course.")
    return found


def _preview_as_data(preview: UpdatePreview) -> dict[str, Any]:
    return {
        "from_number": preview.adoption.number,
        "to_number": preview.version.number,
        "version": str(preview.version.pk),
        "changelog": preview.version.changelog,
        "changes": diff_as_data(preview.upstream)["changes"],
        "changed_here": diff_as_data(preview.local)["changes"],
        "parts": [part.as_data() for part in preview.report.parts],
    }
