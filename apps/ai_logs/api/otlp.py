"""/v1/otlp/v1/traces: OTLP over HTTP, as OpenTelemetry's exporters send it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.db.utils import OperationalError
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from apps.ai_logs.otlp.decoding import JSON, MAX_BYTES, PROTOBUF, inflated, spans_of
from apps.ai_logs.services.spans import ingest_spans
from apps.contacts.api import Requires, actor_of
from apps.contacts.authentication import TokenAuthentication
from apps.contacts.capabilities import Capability
from apps.core.api import ApiView
from apps.core.clock import now
from apps.core.negotiation import OneRepresentation

RETRY_SECONDS = 5
# google.rpc.Code of the refusals that there are.
CODES = {400: 3, 401: 16, 402: 8, 403: 7, 404: 5, 409: 10, 413: 8, 415: 3, 429: 8, 503: 14}
UNKNOWN = 2


class Unparsed(BaseParser):
    """The body as it came, up to the limit."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return stream.read(MAX_BYTES + 1)


class TracesView(ApiView):
    """Where instrumented programs send their spans."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [Requires(Capability.INGEST_AI)]
    parser_classes = [Unparsed]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = OneRepresentation  # OTLP: in the form of the question

    @extend_schema(
        request={PROTOBUF: OpenApiTypes.BINARY, JSON: OpenApiTypes.OBJECT},
        responses={
            (200, PROTOBUF): OpenApiResponse(OpenApiTypes.BINARY),
            (200, JSON): OpenApiResponse(OpenApiTypes.OBJECT),
            **{(status, PROTOBUF): OpenApiResponse(OpenApiTypes.BINARY) for status in CODES},
            **{(status, JSON): OpenApiResponse(OpenApiTypes.OBJECT) for status in CODES},
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Take spans (OTLP 1.x, protobuf or JSON, gzip or not).

        Calls of models become interactions; spans that can't be recorded are counted in the
        answer's `partial_success`. Refusals are answered by a `google.rpc.Status`.
        """
        media_type = media_type_of(request)
        if media_type not in (PROTOBUF, JSON):
            raise UnsupportedMediaType(media_type or "nothing")
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        body: Any = request.data
        spans = spans_of(inflated(body, encoding), is_json=media_type == JSON)
        result = ingest_spans(spans, received_by=actor_of(request), at=now())
        answer = ExportTraceServiceResponse()
        if result.rejected:
            answer.partial_success.rejected_spans = result.rejected
            answer.partial_success.error_message = "; ".join(result.reasons)
        return encoded(answer, media_type)

    def answer_reference(self, response: Any) -> dict[str, Any]:
        return {}

    def handle_exception(self, error: Exception) -> Any:
        """Return a refusal as OTLP tells one; while the database is away, to be repeated."""
        media_type = media_type_of(self.request)
        if isinstance(error, OperationalError):
            response = encoded(Status(code=CODES[503], message="Try again."), media_type, 503)
            response["Retry-After"] = str(RETRY_SECONDS)
            return response
        refused = super().handle_exception(error)
        told: dict[str, Any] = refused.data or {}
        status = Status(
            code=CODES.get(refused.status_code, UNKNOWN),
            message=str(told.get("detail") or told.get("title", "")),
        )
        response = encoded(status, media_type, refused.status_code)
        for name in ("WWW-Authenticate", "Retry-After"):
            if name in refused.headers:
                response[name] = refused.headers[name]
        if refused.status_code == 503:
            response.setdefault("Retry-After", str(RETRY_SECONDS))
        return response


def media_type_of(request: Any) -> str:
    return str(request.content_type or "").partition(";")[0].strip().lower()


def encoded(message: Message, media_type: str, status: int = 200) -> HttpResponse:
    """Return a message in the form that the client speaks; protobuf unless it is JSON."""
    if media_type == JSON:
        data = JSONRenderer().render(MessageToDict(message))
        return HttpResponse(data, content_type=JSON, status=status)
    return HttpResponse(message.SerializeToString(), content_type=PROTOBUF, status=status)
