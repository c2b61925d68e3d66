"""/v1: questions from GIFT files into a bank, or by way of a bank into a draft."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.assessment.interchange.gift import MAX_BYTES
from apps.assessment.models import AssessmentVersion, QuestionBank
from apps.assessment.services import import_gift, import_gift_into_version, preview_gift
from apps.assessment.services.imports import UNCHANGED, BankImport
from apps.cohorts.api.base import named
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.core.api import ApiView, StrictSerializer
from apps.core.encoding import ENCODINGS
from apps.core.problems import TooLarge
from apps.core.versions import NotADraft

OUTCOMES = ("imported", "imported-with-changes", UNCHANGED, "refused")


class FileTooLarge(TooLarge):
    code = "file-too-large"
    title = f"A question file may have {MAX_BYTES // 1024**2} MB."


@dataclass(frozen=True)
class SentFile:
    """A file as it came. Its representation is a digest: that is what identifies a request."""

    data: bytes = field(repr=False)
    sha256: str


class FileParser(BaseParser):
    """A file as the body of the request."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, SentFile]:
        data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FileTooLarge
        return {"file": SentFile(data, hashlib.sha256(data).hexdigest())}


class TextParser(FileParser):
    media_type = "text/plain"


class BytesParser(FileParser):
    media_type = "application/octet-stream"


class ImportOptionsSerializer(StrictSerializer):
    """The query of an import."""

    dry_run = serializers.BooleanField(default=False)
    encoding = serializers.ChoiceField(sorted(ENCODINGS), required=False)
    filename = serializers.CharField(default="", allow_blank=True, max_length=200)
    bank = serializers.UUIDField(required=False)


class QuestionOutcomeSerializer(serializers.Serializer[Any]):
    """What became of one question; `notes` are what was changed, or why it was refused."""

    line = serializers.IntegerField()
    outcome = serializers.ChoiceField(OUTCOMES)
    title = serializers.CharField()
    code = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())


class ImportReportSerializer(serializers.Serializer[Any]):
    """The report of an import. An answer given again under its key has counts, but no questions."""

    id = serializers.UUIDField(help_text="The bank.")
    is_dry_run = serializers.BooleanField()
    encoding = serializers.CharField()
    encoding_guessed = serializers.BooleanField()
    counts = serializers.DictField(child=serializers.IntegerField())
    items = serializers.ListField(
        child=serializers.UUIDField(), help_text="The draft's new items, in their order."
    )
    questions = QuestionOutcomeSerializer(many=True, allow_null=True)


_FILE = {"text/plain": OpenApiTypes.BINARY, "application/octet-stream": OpenApiTypes.BINARY}
_OPTIONS = [
    OpenApiParameter("dry_run", bool, description="Report, and change nothing."),
    OpenApiParameter("encoding", str, enum=sorted(ENCODINGS)),
    OpenApiParameter("filename", str, description="What the questions' source calls the file."),
]


class _ImportView(ApiView):
    """Questions from a file as the body of the request."""

    permission_classes = [Requires(Capability.AUTHOR_CONTENT)]
    parser_classes = [TextParser, BytesParser]

    def answer_reference(self, response: Response) -> dict[str, Any]:
        data: Any = response.data
        return {**data, "questions": None}

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        return answer


def _options(request: Request) -> dict[str, Any]:
    asked = ImportOptionsSerializer(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    return {"encoding": None, **asked.validated_data}


def _sent(request: Request) -> bytes:
    sent: Any = request.data
    file = sent.get("file")
    return file.data if isinstance(file, SentFile) else b""


class BankImportView(_ImportView):
    """Questions from a file into a bank."""

    @extend_schema(request=_FILE, parameters=_OPTIONS, responses=ImportReportSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Import a GIFT file; 422 when nothing of it can be read.

        What would score differently than its source says is refused and reported, question by
        question; what the bank has already is not taken twice.
        """
        bank = get_object_or_404(QuestionBank, pk=pk)
        asked = _options(request)
        if asked["dry_run"]:
            report = preview_gift(bank=bank, data=_sent(request), encoding=asked["encoding"])
        else:
            report = import_gift(
                bank=bank,
                data=_sent(request),
                actor=actor_of(request),
                filename=asked["filename"],
                encoding=asked["encoding"],
            )
        return Response(_as_data(bank.id, report, is_dry_run=asked["dry_run"]))


class VersionImportView(_ImportView):
    """Questions from a file into a draft, kept in a bank too."""

    @extend_schema(
        request=_FILE,
        parameters=[*_OPTIONS, OpenApiParameter("bank", OpenApiTypes.UUID, required=True)],
        responses=ImportReportSerializer,
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Import a GIFT file into a bank and copy its questions to the end of the draft."""
        version = get_object_or_404(AssessmentVersion, pk=pk)
        asked = _options(request)
        if "bank" not in asked:
            message = "Name the bank that keeps the questions."
            raise serializers.ValidationError(
                {"bank": serializers.ErrorDetail(message, code="required")}
            )
        bank = named(QuestionBank.objects.all(), asked["bank"], field="bank")
        if not version.is_draft:
            raise NotADraft
        if asked["dry_run"]:
            report = preview_gift(bank=bank, data=_sent(request), encoding=asked["encoding"])
            return Response(_as_data(bank.id, report, is_dry_run=True))
        report, items = import_gift_into_version(
            version=version,
            bank=bank,
            data=_sent(request),
            actor=actor_of(request),
            filename=asked["filename"],
            encoding=asked["encoding"],
        )
        data = _as_data(bank.id, report, is_dry_run=False)
        return Response({**data, "items": [str(item.id) for item in items]})


def _as_data(bank_id: UUID, report: BankImport, *, is_dry_run: bool) -> dict[str, Any]:
    return {
        "id": str(bank_id),
        "is_dry_run": is_dry_run,
        "encoding": report.encoding,
        "encoding_guessed": report.encoding_guessed,
        "counts": {outcome: report.count(outcome) for outcome in OUTCOMES},
        "items": [],
        "questions": [
            {
                "line": question.line,
                "outcome": str(question.outcome),
                "title": question.title,
                "code": question.code,
                "notes": list(question.notes),
            }
            for question in report.questions
        ],
    }
