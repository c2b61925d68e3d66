"""/v1: a roster into a cohort, tried first or carried out, with a report row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import CohortScoped, principal_of
from apps.cohorts.roster import read_roster
from apps.cohorts.roster.reader import MAX_BYTES
from apps.cohorts.roster.records import Roster
from apps.cohorts.selectors import visible_cohorts
from apps.cohorts.services import RosterReport, import_roster
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.core.api import StrictSerializer
from apps.core.clock import now
from apps.core.encoding import ENCODINGS
from apps.core.problems import Invalid, TooLarge


class RosterMissing(Invalid):
    code = "roster-missing"
    title = "Send the roster as the body, or as the part “file” of a form."


class RosterUnreadable(Invalid):
    code = "roster-unreadable"
    title = "Nothing of this roster can be used."


class RosterTooLarge(TooLarge):
    code = "roster-too-large"
    title = f"A roster may have {MAX_BYTES // 1024**2} MB."


@dataclass(frozen=True)
class SentRoster:
    """A roster as it came. Its representation is a digest: that is what identifies a request."""

    data: bytes = field(repr=False)
    sha256: str


class RosterParser(BaseParser):
    """A file as the body of the request."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, SentRoster]:
        data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise RosterTooLarge
        return {"roster": SentRoster(data, hashlib.sha256(data).hexdigest())}


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


class RowOutcomeSerializer(serializers.Serializer[Any]):
    """What became of one row; `did` are its single effects, `state` the enrolment's."""

    file = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    outcome = serializers.ChoiceField(["created", "updated", "unchanged", "refused"])
    did = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    column = serializers.CharField()


class RosterReportSerializer(serializers.Serializer[Any]):
    """The report of an import. An answer given again under its key has counts, but no rows."""

    id = serializers.UUIDField(help_text="The cohort.")
    is_dry_run = serializers.BooleanField()
    format = serializers.CharField(help_text="csv, oneroster-1.1 or oneroster-1.2.")
    encoding = serializers.CharField()
    encoding_guessed = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField())
    rows = RowOutcomeSerializer(many=True, allow_null=True)


class RosterView(CohortScoped):
    """A roster into a cohort."""

    permission_classes = [Requires(Capability.RUN_COHORTS)]
    parser_classes = [CsvParser, ZipParser, BytesParser, MultiPartParser]

    @extend_schema(
        request={
            "text/csv": OpenApiTypes.BINARY,
            "application/zip": OpenApiTypes.BINARY,
            "application/octet-stream": OpenApiTypes.BINARY,
            "multipart/form-data": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            },
        },
        parameters=[
            OpenApiParameter("dry_run", bool, description="Report, and change nothing."),
            OpenApiParameter("class_id", str, description="Of several classes, the one to take."),
            OpenApiParameter("encoding", str, enum=sorted(ENCODINGS)),
            OpenApiParameter("filename", str, description="How the report calls the file."),
        ],
        responses=RosterReportSerializer,
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Import a CSV file or a OneRoster package; 422 when nothing of it can be used.

        Rows that are refused are left out and reported; all others are in, or nothing is.
        """
        cohort = get_object_or_404(visible_cohorts(principal_of(request)), pk=pk)
        self.demand(Capability.RUN_COHORTS, cohort.id)
        asked = RosterOptionsSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        options = asked.validated_data
        data, filename = _sent(request)
        roster = read_roster(
            data, filename or options["filename"], encoding=options.get("encoding")
        )
        if roster.failed:
            raise _unreadable(roster)
        report = import_roster(
            cohort=cohort,
            roster=roster,
            actor=actor_of(request),
            at=now(),
            dry_run=options["dry_run"],
            class_id=options["class_id"],
        )
        return Response(_as_data(cohort.id, report))

    def answer_reference(self, response: Response) -> dict[str, Any]:
        data: Any = response.data
        return {**data, "rows": None}

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return answer


def _sent(request: Request) -> tuple[bytes, str]:
    """Return the bytes of the roster, and its name where the client told one."""
    sent: Any = request.data
    roster = sent.get("roster")
    if isinstance(roster, SentRoster):
        return roster.data, ""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise RosterMissing
    if file.size is None or file.size > MAX_BYTES:
        raise RosterTooLarge
    return file.read(), file.name or ""


def _unreadable(roster: Roster) -> RosterUnreadable:
    return RosterUnreadable(
        errors=[
            {"field": problem.column or "", "code": problem.code, "message": problem.message}
            for problem in roster.problems
        ]
    )


def _as_data(cohort_id: UUID, report: RosterReport) -> dict[str, Any]:
    return {
        "id": str(cohort_id),
        "is_dry_run": report.is_dry_run,
        "format": report.source,
        "encoding": report.encoding,
        "encoding_guessed": report.encoding_guessed,
        "counts": report.counts,
        "rows": [vars(outcome) | {"did": list(outcome.did)} for outcome in report.outcomes],
    }
