"""How a conversation looks when it is put together again."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.ai_logs.api.interaction_serializers import (
    AiTextSerializer,
    ArtefactSerializer,
    parts_of,
)
from apps.ai_logs.api.serializers import (
    AiCostSerializer,
    AiErasureSerializer,
    AiInteractionSerializer,
)
from apps.ai_logs.selectors.conversations import Conversation, Kept, Line


class OpinionSerializer(serializers.Serializer[Any]):
    """One person's feedback as it is now."""

    contact = serializers.UUIDField()
    rating = serializers.CharField()
    comment = serializers.CharField(allow_blank=True)


class ConversationLineSerializer(serializers.Serializer[Any]):
    """One message with everything that belongs to it."""

    interaction = AiInteractionSerializer()
    content = AiTextSerializer()
    prompt_template = AiTextSerializer(allow_null=True)
    artefacts = ArtefactSerializer(many=True)
    feedback = OpinionSerializer(many=True)


class ConversationSerializer(serializers.Serializer[Any]):
    """A conversation in the order in which it was had, each text checked against its hash.

    `missing_rows` are numbers of messages that are in nobody's log any more.
    """

    id = serializers.UUIDField(help_text="The session.")
    is_intact = serializers.BooleanField()
    erasure = AiErasureSerializer(allow_null=True)
    missing_rows = serializers.ListField(child=serializers.IntegerField())
    lines = ConversationLineSerializer(many=True)


def conversation_as_data(found: Conversation) -> dict[str, Any]:
    """Return the conversation as /v1 tells it."""
    return {
        "id": str(found.session.id),
        "is_intact": found.is_intact,
        "erasure": AiErasureSerializer(found.erasure).data if found.erasure else None,
        "missing_rows": list(found.missing_rows),
        "lines": [_line(line) for line in found.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    cost = AiCostSerializer(line.cost).data if line.cost else None
    return {
        "interaction": {**AiInteractionSerializer(line.interaction).data, "cost": cost},
        "content": _piece(line.kept),
        "prompt_template": _piece(line.prompt_template) if line.prompt_template else None,
        "artefacts": [_artefact(kept) for kept in line.artefacts],
        "feedback": [
            {
                "contact": str(opinion.feedback.contact_id),
                "rating": opinion.feedback.rating,
                "comment": opinion.comment,
            }
            for opinion in line.opinions
        ],
    }


def _piece(kept: Kept) -> dict[str, Any]:
    return {
        "state": str(kept.state),
        "detail": kept.detail,
        "media_type": kept.content.media_type if kept.content else None,
        "text": kept.text.shown if kept.text else None,
        "parts": parts_of(kept.text) if kept.text else None,
    }


def _artefact(kept: Kept) -> dict[str, Any]:
    content = kept.content
    assert content is not None  # noqa: S101 - an artefact is a content
    return {
        "id": str(content.id),
        "name": content.name,
        "media_type": content.media_type,
        "size": content.size,
        "state": str(kept.state),
        "detail": kept.detail,
    }
