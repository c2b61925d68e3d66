"""/v1: a roster for a cohort, to be tried or imported by a worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import CohortScoped, principal_of
from apps.cohorts.api.roster_imports import RosterImportSerializer, accepted
from apps.cohorts.models import RosterImport
from apps.cohorts.roster.reader import MAX_BYTES
from apps.cohorts.selectors import visible_cohorts
from apps.cohorts.services import request_import
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.core.api import StrictSerializer
from apps.core.clock import now
from apps.core.encoding import ENCODINGS
from apps.core.problems import Invalid, TooLarge
from apps.core.uploads import FileParser, bodies, sent_file


class RosterMissing(Invalid):
    code = "roster-missing"
    title = "Send the roster as the body, or as the part “file” of a form."


class RosterTooLarge(TooLarge):
    code = "roster-too-large"
    title = f"A roster may have {MAX_BYTES // 1024**2} MB."


class RosterParser(FileParser):
    max_bytes = MAX_BYTES
    too_large = RosterTooLarge


class CsvParser(RosterParser):
    media_type = "text/csv"


class ZipParser(RosterParser):
    media_type = "application/zip"


class BytesParser(RosterParser):
    media_type = "application/octet-stream"


class RosterOptionsSerializer(StrictSerializer):
    """The query of an import."""

    dry_run = serializers.BooleanField(default=False)
    class_id = serializers.CharField(default="", allow_blank=True, max_length=200)
    encoding = serializers.ChoiceField(sorted(ENCODINGS), required=False)
    filename = serializers.CharField(default="roster", max_length=200)


class RosterView(CohortScoped):
    """A roster into a cohort."""

    permission_classes = [Requires(Capability.RUN_COHORTS)]
    parser_classes = [CsvParser, ZipParser, BytesParser, MultiPartParser]

    @extend_schema(
        request=bodies("text/csv", "application/zip", "application/octet-stream"),
        parameters=[
            OpenApiParameter("dry_run", bool, description="Report, and change nothing."),
            OpenApiParameter("class_id", str, description="Of several classes, the one to take."),
            OpenApiParameter("encoding", str, enum=sorted(ENCODINGS)),
            OpenApiParameter("filename", str, description="How the report calls the file."),
        ],
        responses={202: RosterImportSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Import a CSV file or a OneRoster package, or try it; a worker does the work.

        202 with the import, whose address is in `Location`; read its `status` there. What the
        beginning of a file shows to be unusable is 422 at once. Rows that are refused are left
        out and reported; all others are in, or nothing is.
        """
        cohort = get_object_or_404(visible_cohorts(principal_of(request)), pk=pk)
        self.demand(Capability.RUN_COHORTS, cohort.id)
        asked = RosterOptionsSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        options = asked.validated_data
        data, filename = sent_file(
            request, max_bytes=MAX_BYTES, missing=RosterMissing, too_large=RosterTooLarge
        )
        begun = request_import(
            cohort=cohort,
            filename=filename or options["filename"],
            data=data,
            is_dry_run=options["dry_run"],
            class_id=options["class_id"],
            encoding=options.get("encoding", ""),
            actor=actor_of(request),
            at=now(),
        )
        return accepted(begun)

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return RosterImportSerializer(RosterImport.objects.get(pk=answer["id"])).data
