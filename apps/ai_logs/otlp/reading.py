"""What a span is: a call of a model, something that sums up calls, or neither."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.ai_logs.otlp import conventions as names
from apps.ai_logs.otlp.decoding import RawSpan, first
from apps.ai_logs.otlp.messages import said_in
from apps.ai_logs.rules.pricing import Usage
from apps.ai_logs.services.interactions import NewInteraction
from apps.ai_logs.texts import plain
from apps.ai_logs.vocabulary import Role

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_NANOSECOND = 253_402_300_799 * 10**9
MAX_COUNT = 2_000_000_000


def is_call(span: RawSpan) -> bool:
    """Whether the span is one request to a model; agents, chains and tools only sum those up."""
    said = span.attributes
    operation = _word(said, names.OPERATION, 50).lower()
    kinds = {str(said[name]).lower() for name in names.SPAN_KIND if said.get(name)}
    if operation in names.AGGREGATE_OPERATIONS or kinds & names.AGGREGATE_KINDS:
        return False
    if kinds & names.CALL_KINDS:
        return True
    models = (*names.REQUESTED_MODEL, *names.RESPONDED_MODEL)
    return bool(operation and first(said, names.PROVIDER)) or bool(first(said, models))


def context_of(span: RawSpan) -> dict[str, str]:
    """Return what the span itself says about conversation, person and course."""
    return _context(span.attributes)


def resource_context(span: RawSpan) -> dict[str, str]:
    """Return what the sending program says about all its spans."""
    return _context(span.resource)


def service_of(span: RawSpan) -> str:
    return str(span.resource.get(names.SERVICE, ""))[:200]


def _context(attributes: dict[str, Any]) -> dict[str, str]:
    found = {key: first(attributes, known) for key, known in names.CONTEXT.items()}
    return {key: str(value)[:200] for key, value in found.items() if value is not None}


def fault_of(span: RawSpan) -> str:
    """Return why a span can't be recorded, or nothing."""
    if len(span.trace_id) != 32 or not span.trace_id.strip("0"):
        return "a trace id is not 16 bytes"
    if len(span.span_id) != 16 or not span.span_id.strip("0"):
        return "a span id is not 8 bytes"
    if not 0 < span.started <= LAST_NANOSECOND or not span.started <= span.ended <= LAST_NANOSECOND:
        return f"span {span.span_id} has no start before its end"
    return ""


def interaction_of(span: RawSpan) -> NewInteraction:
    """Return the call as the log records it, with the history that it was given."""
    said = span.attributes
    inputs, answer = said_in(span)
    template = first(said, names.PROMPT_TEMPLATE)
    return NewInteraction(
        role=Role.ASSISTANT,
        text=answer,
        inputs=inputs,
        asked_at=_moment(span.started),
        occurred_at=_moment(span.ended),
        operation=_word(said, names.OPERATION, 50),
        provider=_word(said, names.PROVIDER, 100).lower(),
        requested_model=_word(said, names.REQUESTED_MODEL, 200),
        responded_model=_word(said, names.RESPONDED_MODEL, 200),
        service_tier=_word(said, names.SERVICE_TIER, 50),
        usage=Usage(
            input=_count(said, names.INPUT_TOKENS),
            output=_count(said, names.OUTPUT_TOKENS),
            cached=_count(said, names.CACHED_TOKENS),
            cache_write=_count(said, names.CACHE_WRITE_TOKENS),
            reasoning=_count(said, names.REASONING_TOKENS),
        ),
        latency_ms=min((span.ended - span.started) // 1_000_000, MAX_COUNT),
        first_token_ms=_first_token(span),
        finish_reason=_word(said, names.FINISH_REASONS, 50),
        error=_error(span),
        prompt_key=_word(said, names.PROMPT_KEY, 200),
        prompt_version=_word(said, names.PROMPT_VERSION, 100),
        prompt_template=plain(str(template)) if template else None,
        trace_id=span.trace_id,
        span_id=span.span_id,
    )


def _moment(nanoseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _word(attributes: dict[str, Any], known: tuple[str, ...], length: int) -> str:
    value = first(attributes, known)
    if isinstance(value, list):
        value = value[0] if value else None
    return "" if value is None else str(value)[:length]


def _count(attributes: dict[str, Any], known: tuple[str, ...]) -> int | None:
    value = first(attributes, known)
    try:
        count = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return count if 0 <= count <= MAX_COUNT else None


def _first_token(span: RawSpan) -> int | None:
    seconds = first(span.attributes, names.FIRST_TOKEN_SECONDS)
    if isinstance(seconds, int | float) and 0 <= seconds < MAX_COUNT / 1000:
        return int(seconds * 1000)
    chunks = [event.at for event in span.events if event.name in names.FIRST_TOKEN_EVENTS]
    if not chunks or min(chunks) < span.started:
        return None
    return min((min(chunks) - span.started) // 1_000_000, MAX_COUNT)


def _error(span: RawSpan) -> str:
    """Return the kind of error; its message may repeat what was said, and is not kept."""
    kind = _word(span.attributes, names.ERROR, 200)
    for event in span.events:
        kind = kind or _word(event.attributes, names.ERROR, 200)
    return kind or ("error" if span.is_error else "")
