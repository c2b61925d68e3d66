"""How messages come in under /v1, and what became of them."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from rest_framework import serializers

from apps.ai_logs.rules.pricing import Usage
from apps.ai_logs.services.interactions import Artefact, NewInteraction
from apps.ai_logs.texts import Text, plain, structured
from apps.ai_logs.vocabulary import Role
from apps.core.api import StrictSerializer

MAX_CONTENT_BYTES = 1_000_000
MAX_ARTEFACT_BYTES = 4_000_000
MAX_ARTEFACTS = 10
MAX_TOKENS = 2_000_000_000
MAX_MILLISECONDS = 86_400_000

COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


class ContentField(serializers.JSONField):
    """A text, or the parts of a message as JSON (an object or a list)."""

    default_error_messages = {
        "kind": "Say a text, or a message's parts as an object or a list.",
        "too_large": f"A message may have {MAX_CONTENT_BYTES} bytes.",
    }

    def to_internal_value(self, data: Any) -> Any:
        """Return a Text."""
        if not isinstance(data, str | dict | list):
            self.fail("kind")
        text = plain(data) if isinstance(data, str) else structured(data)
        if len(text.data) > MAX_CONTENT_BYTES:
            self.fail("too_large")
        return text


class Base64Field(serializers.CharField):
    """Bytes in base64 (RFC 4648, section 4)."""

    default_error_messages = {
        "base64": "This is not base64.",
        "too_large": f"An artefact may have {MAX_ARTEFACT_BYTES} bytes.",
    }

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]
        text = super().to_internal_value(data)
        if len(text) > MAX_ARTEFACT_BYTES * 4 // 3 + 4:
            self.fail("too_large")
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            self.fail("base64")


class NewArtefactSerializer(StrictSerializer):
    """A file that a call made."""

    name = serializers.CharField(max_length=200)
    media_type = serializers.RegexField(r"^[\w.+-]+/[\w.+-]+$", max_length=100)
    base64 = Base64Field()


def _count() -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=0, max_value=MAX_TOKENS, required=False, allow_null=True
    )


def _milliseconds() -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=0, max_value=MAX_MILLISECONDS, required=False, allow_null=True
    )


def _word(length: int) -> serializers.CharField:
    return serializers.CharField(max_length=length, required=False, allow_blank=True)


class NewInteractionSerializer(StrictSerializer):
    """One message. With trace and span it is recorded once, however often it is sent.

    Tokens are an answer's. Those read from and written to a cache are among the input's, those
    spent on reasoning among the output's. Without a time it was said now.
    """

    role = serializers.ChoiceField(Role.choices)
    content = ContentField(required=False, allow_null=True)
    operation = _word(50)
    provider = _word(100)
    requested_model = _word(200)
    responded_model = _word(200)
    service_tier = _word(50)
    input_tokens = _count()
    output_tokens = _count()
    cached_tokens = _count()
    cache_write_tokens = _count()
    reasoning_tokens = _count()
    latency_ms = _milliseconds()
    first_token_ms = _milliseconds()
    finish_reason = _word(50)
    error = _word(200)
    prompt_key = _word(200)
    prompt_version = _word(100)
    prompt_template = ContentField(required=False, allow_null=True)
    artefacts = serializers.ListField(
        child=NewArtefactSerializer(), required=False, max_length=MAX_ARTEFACTS
    )
    trace_id = serializers.RegexField(r"^[0-9a-f]{32}$", required=False)
    span_id = serializers.RegexField(r"^[0-9a-f]{16}$", required=False)
    occurred_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        errors: dict[str, str] = {}
        if ("trace_id" in attrs) != ("span_id" in attrs):
            missing = "span_id" if "trace_id" in attrs else "trace_id"
            errors[missing] = "A span is known by its trace and its own id together."
        counts = {name: attrs.get(name) or 0 for name in COUNTS}
        if attrs["role"] != Role.ASSISTANT:
            errors |= dict.fromkeys(
                (name for name in COUNTS if attrs.get(name) is not None),
                "Only an answer takes tokens.",
            )
        elif counts["cached_tokens"] + counts["cache_write_tokens"] > counts["input_tokens"]:
            errors["cached_tokens"] = "Tokens of the cache are among those of the input."
        elif counts["reasoning_tokens"] > counts["output_tokens"]:
            errors["reasoning_tokens"] = "Tokens of reasoning are among those of the output."
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


def interaction_of(data: dict[str, Any], *, at: datetime) -> NewInteraction:
    """Return a validated message as the service takes it."""
    words = {
        name: data.get(name, "")
        for name in (
            "operation", "provider", "requested_model", "responded_model", "service_tier",
            "finish_reason", "error", "prompt_key", "prompt_version", "trace_id", "span_id",
        )
    }  # fmt: skip
    return NewInteraction(
        role=data["role"],
        text=data.get("content"),
        occurred_at=data.get("occurred_at") or at,
        usage=Usage(*(data.get(name) for name in COUNTS)),
        latency_ms=data.get("latency_ms"),
        first_token_ms=data.get("first_token_ms"),
        prompt_template=data.get("prompt_template"),
        artefacts=tuple(
            Artefact(one["name"], Text(one["media_type"], one["base64"]))
            for one in data.get("artefacts", ())
        ),
        **words,
    )


class RecordedSerializer(serializers.Serializer[Any]):
    """What became of one message: recorded now, known before, or refused and why."""

    id = serializers.UUIDField(allow_null=True, help_text="The message, unless it was refused.")
    seq = serializers.IntegerField(allow_null=True, help_text="Its number in the session.")
    outcome = serializers.ChoiceField(["created", "repeated", "refused"])
    problem = serializers.JSONField(allow_null=True, help_text="Why it was refused (RFC 9457).")


class RecordedManySerializer(serializers.Serializer[Any]):
    """What became of each message of a list, in its order."""

    outcomes = RecordedSerializer(many=True)


class AiTextSerializer(serializers.Serializer[Any]):
    """A text as it was found. Where `state` is not `intact`, `detail` says what is wrong."""

    state = serializers.CharField()
    detail = serializers.CharField()
    media_type = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_null=True, help_text="The words, as a person reads them.")
    parts = serializers.JSONField(allow_null=True, help_text="The message's parts, if it has any.")


class ArtefactSerializer(serializers.Serializer[Any]):
    """A file that a call made; its bytes are at /v1/ai/contents/{id}."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    state = serializers.CharField()
    detail = serializers.CharField()


def parts_of(text: Text) -> Any:
    """Return the parts of a message that has any."""
    return json.loads(text.data) if text.media_type == "application/json" else None
