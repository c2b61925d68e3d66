"""/v1: a published course or program as a package, and packages taken in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.definitions_api import AUTHORS
from apps.core.api import ApiView, StrictSerializer
from apps.core.clock import now
from apps.core.problems import Invalid, TooLarge
from apps.core.uploads import FileParser, bodies, sent_file
from apps.portability.api.reports import PartOutcomeSerializer
from apps.portability.format import MAX_BYTES, MEDIA_TYPE, unpack
from apps.portability.models import PackageImport
from apps.portability.report import ImportReport
from apps.portability.services import Options, export_version, import_package
from apps.portability.vocabulary import OnConflict, PackageKind
from apps.programs.models import CourseVersion, ProgramVersion


class PackageMissing(Invalid):
    code = "package-missing"
    title = "Send the package as the body, or as the part “file” of a form."


class PackageTooLarge(TooLarge):
    code = "package-too-large"
    title = f"A package may have {MAX_BYTES // 1024**2} MB."


class ZipParser(FileParser):
    media_type = MEDIA_TYPE
    max_bytes = MAX_BYTES
    too_large = PackageTooLarge


class BytesParser(ZipParser):
    media_type = "application/octet-stream"


class ZipRenderer(BaseRenderer):
    """Lets clients ask for a zip; refusals are told as JSON all the same."""

    media_type = MEDIA_TYPE
    format = "zip"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return JSONRenderer().render(data)


class ExportView(ApiView, viewsets.GenericViewSet[Any]):
    """The package of one published version."""

    permission_classes = [Requires(Capability.AUTHOR_CONTENT, read=Capability.AUTHOR_CONTENT)]
    renderer_classes = [ZipRenderer, JSONRenderer]
    serializer_class = serializers.Serializer

    @extend_schema(responses={(200, MEDIA_TYPE): OpenApiTypes.BINARY})
    def retrieve(self, request: Request, pk: UUID) -> HttpResponse:
        """The version with everything that it needs, as one file: the same content, the same bytes.

        The package holds answer keys, so only authors get it. Each export is on record. 409 for
        what is not published. The `ETag` identifies the content.
        """
        exported = export_version(version=self.get_object(), actor=actor_of(request))
        headers = {
            "Content-Disposition": f'attachment; filename="{exported.filename}"',
            "ETag": f'"{exported.digest}"',
        }
        return HttpResponse(exported.data, content_type=MEDIA_TYPE, headers=headers)


class CourseExportView(ExportView):
    """The package of a published course version."""

    queryset = CourseVersion.objects.select_related("definition")


class ProgramExportView(ExportView):
    """The package of a published program version."""

    queryset = ProgramVersion.objects.select_related("definition")


class ImportOptionsSerializer(StrictSerializer):
    """The query of an import."""

    dry_run = serializers.BooleanField(default=False)
    leave_drafts = serializers.BooleanField(default=False)
    on_conflict = serializers.ChoiceField(OnConflict.choices, default=OnConflict.REFUSE)
    filename = serializers.CharField(default="", allow_blank=True, max_length=200)


class PackageImportSerializer(serializers.ModelSerializer[PackageImport]):
    """One package that was taken in. `digest` identifies its content."""

    parts = PartOutcomeSerializer(many=True)
    kind = serializers.ChoiceField(PackageKind.choices)
    counts = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = PackageImport
        fields = [
            "id",
            "kind",
            "slug",
            "title",
            "digest",
            "filename",
            "left_drafts",
            "counts",
            "parts",
            "catalog_course_id",
            "catalog_version_id",
            "catalog_number",
            "actor",
            "recorded_at",
        ]
        read_only_fields = fields


class PackageReportSerializer(serializers.Serializer[Any]):
    """What became of a package, or after a dry run what would: then there is no `id`.

    A dry run's answer that is given again under its key has counts, but no parts.
    """

    id = serializers.UUIDField(allow_null=True, help_text="The import; none of a dry run.")
    is_dry_run = serializers.BooleanField()
    is_refused = serializers.BooleanField(help_text="Whether the import would be refused.")
    kind = serializers.ChoiceField(PackageKind.choices)
    slug = serializers.CharField()
    title = serializers.CharField()
    digest = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField())
    parts = PartOutcomeSerializer(many=True, allow_null=True)


class PackageImportViewSet(
    ApiView,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Any],
):
    """Packages that were taken in."""

    permission_classes = [AUTHORS]
    parser_classes = [ZipParser, BytesParser, MultiPartParser]
    serializer_class = PackageImportSerializer
    filterset_fields = ["kind", "slug", "digest", "catalog_course_id"]

    def get_queryset(self) -> QuerySet[Any]:
        return PackageImport.objects.all()

    @extend_schema(
        request=bodies(MEDIA_TYPE, "application/octet-stream"),
        parameters=[
            OpenApiParameter("dry_run", bool, description="Report, and change nothing."),
            OpenApiParameter("leave_drafts", bool, description="Leave drafts to be published."),
            OpenApiParameter(
                "on_conflict",
                str,
                enum=OnConflict.values,
                description="What is done where a short name is taken by something from elsewhere.",
            ),
            OpenApiParameter("filename", str, description="How the record calls the file."),
        ],
        responses={200: PackageReportSerializer, 201: PackageReportSerializer},
    )
    def create(self, request: Request) -> Response:
        """Take a package in, all of it or nothing: 201. A dry run tells what would happen: 200.

        422 tells every fault of a package that can't be used, each with its file and place.
        """
        asked = ImportOptionsSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        data, filename = sent_file(
            request, max_bytes=MAX_BYTES, missing=PackageMissing, too_large=PackageTooLarge
        )
        options = Options(
            leaves_drafts=said["leave_drafts"],
            on_conflict=said["on_conflict"],
            filename=filename or said["filename"],
        )
        report = import_package(
            package=unpack(data),
            actor=actor_of(request),
            at=now(),
            options=options,
            dry_run=said["dry_run"],
        )
        return Response(report_as_data(report), status=200 if report.is_dry_run else 201)

    def answer_reference(self, response: Response) -> dict[str, Any]:
        data: Any = response.data
        return {"id": data["id"]} if data["id"] else {**data, "parts": None}

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if answer["id"] is None:
            return answer
        row = PackageImport.objects.get(pk=answer["id"])
        return {
            "id": str(row.pk),
            "is_dry_run": False,
            "is_refused": False,
            "kind": row.kind,
            "slug": row.slug,
            "title": row.title,
            "digest": row.digest,
            "counts": row.counts,
            "parts": row.parts,
        }


def report_as_data(report: ImportReport) -> dict[str, Any]:
    """Return a report as plain JSON values."""
    return {
        "id": str(report.import_id) if report.import_id else None,
        "is_dry_run": report.is_dry_run,
        "is_refused": report.is_refused,
        "kind": report.kind.value,
        "slug": report.slug,
        "title": report.title,
        "digest": report.digest,
        "counts": report.counts,
        "parts": [part.as_data() for part in report.parts],
    }
