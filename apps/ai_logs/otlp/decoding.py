"""From the bytes of an OTLP/HTTP request to spans (OpenTelemetry Protocol 1.x)."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.json_format import ParseError as JsonFormatError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from apps.core.problems import BadRequest, TooLarge

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MAX_BYTES = 10 * 1024 * 1024
MAX_INFLATED_BYTES = 40 * 1024 * 1024
MAX_DEPTH = 20
IDS = ("traceId", "spanId", "parentSpanId")


class NotOtlp(BadRequest):
    code = "not-otlp"
    title = "This is not a trace export request of OTLP."


class ExportTooLarge(TooLarge):
    code = "export-too-large"
    title = "The export is too large: send fewer spans at a time."


@dataclass(frozen=True, slots=True)
class SpanEvent:
    name: str
    at: int
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A span as it was sent; times are nanoseconds since 1970, ids are hexadecimal."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    started: int
    ended: int
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: tuple[SpanEvent, ...] = ()
    is_error: bool = False
    message: str = ""

    def as_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> RawSpan:
        said = json.loads(data)
        said["events"] = tuple(SpanEvent(**event) for event in said["events"])
        return cls(**said)


def inflated(body: bytes, encoding: str) -> bytes:
    """Return the body as it was before it was compressed. Raises NotOtlp, ExportTooLarge."""
    if len(body) > MAX_BYTES:
        raise ExportTooLarge(detail=f"A request may have {MAX_BYTES} bytes.")
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise NotOtlp(detail=f"The content encoding “{encoding}” is not supported; send gzip.")
    inflater = zlib.decompressobj(wbits=47 if encoding == "gzip" else 15)
    try:
        data = inflater.decompress(body, MAX_INFLATED_BYTES + 1)
    except zlib.error as error:
        raise NotOtlp(detail=f"The body is not {encoding}: {error}") from error
    if len(data) > MAX_INFLATED_BYTES:
        raise ExportTooLarge(detail=f"Inflated, it may have {MAX_INFLATED_BYTES} bytes.")
    if not inflater.eof:
        raise NotOtlp(detail=f"The body ends in the middle of {encoding}.")
    return data


def spans_of(data: bytes, *, is_json: bool) -> list[RawSpan]:
    """Return the spans of an export request, in its order. Raises NotOtlp."""
    request = ExportTraceServiceRequest()
    try:
        if is_json:
            ParseDict(_plain_ids(json.loads(data)), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(data)
    except (DecodeError, JsonFormatError, ValueError, RecursionError) as error:
        raise NotOtlp(detail=str(error)[:500]) from error
    return list(_spans(request))


def _plain_ids(value: Any) -> Any:
    """Return OTLP's JSON as protobuf's: ids are hexadecimal in one, base64 in the other."""
    if not isinstance(value, dict):
        raise NotOtlp(detail="The body is not a JSON object.")
    for group in _dicts(value, "resourceSpans"):
        for scope in _dicts(group, "scopeSpans"):
            for span in _dicts(scope, "spans"):
                for one in (span, *_dicts(span, "links")):
                    for name in IDS:
                        if isinstance(one.get(name), str):
                            one[name] = _base64(one[name])
    return value


def _dicts(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name) or []
    if not isinstance(found, list):
        raise NotOtlp(detail=f"{name} is not a list.")
    return [one for one in found if isinstance(one, dict)]


def _base64(hexadecimal: str) -> str:
    try:
        return base64.b64encode(binascii.unhexlify(hexadecimal)).decode()
    except (binascii.Error, ValueError) as error:
        raise NotOtlp(detail=f"“{hexadecimal[:40]}” is not hexadecimal.") from error


def _spans(request: ExportTraceServiceRequest) -> Iterator[RawSpan]:
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield _span(span, resource)


def _span(span: Span, resource: dict[str, Any]) -> RawSpan:
    return RawSpan(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=_storable(span.name),
        started=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        resource=resource,
        events=tuple(
            SpanEvent(_storable(event.name), event.time_unix_nano, _attributes(event.attributes))
            for event in span.events
        ),
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
        message=_storable(span.status.message),
    )


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, Any]:
    return {_storable(pair.key): _value(pair.value) for pair in pairs}


def _value(value: AnyValue, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        return None
    match value.WhichOneof("value"):
        case "string_value":
            return _storable(value.string_value)
        case "array_value":
            return [_value(one, depth + 1) for one in value.array_value.values]
        case "kvlist_value":
            return {
                _storable(pair.key): _value(pair.value, depth + 1)
                for pair in value.kvlist_value.values
            }
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case None:
            return None
        case name:
            return getattr(value, name)


def _storable(text: str) -> str:
    """Return a text that PostgreSQL can hold: it has no NUL."""
    return text.replace("\x00", "")


def first(attributes: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return the value of the first of these names that is there; None without any."""
    return next(
        (attributes[name] for name in names if attributes.get(name) not in (None, "")), None
    )
