"""How recorded decisions and what they rest on look under /v1."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.requirements.models import RequirementEvaluation
from apps.requirements.selectors.evidence import Grounded, Piece, Who, grounded
from apps.requirements.statuses import EvidenceKind

_FIELDS = [
    "id",
    "enrollment",
    "contact",
    "contact_name",
    "node",
    "node_key",
    "node_title",
    "set_version",
    "revision",
    "is_current",
    "status",
    "reason",
    "occurred_at",
    "as_of",
    "known_at",
    "recorded_at",
    "engine_version",
    "facts_hash",
]


class EvaluationSerializer(serializers.ModelSerializer[RequirementEvaluation]):
    """A decision: as known at `known_at` and effective at `as_of`, by this version of the engine.

    `is_current` while no later decision about the same requirement supersedes it.
    """

    contact_name = serializers.CharField(source="contact.display_name", read_only=True)
    node_key = serializers.CharField(source="node.key", read_only=True)
    node_title = serializers.CharField(source="node.title", read_only=True)
    is_current = serializers.BooleanField(read_only=True)

    class Meta:
        model = RequirementEvaluation
        fields = _FIELDS
        read_only_fields = fields


class WhoSerializer(serializers.Serializer[Who]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class PieceSerializer(serializers.Serializer[Piece]):
    """One row that a decision rests on. Nobody in `who`: the platform found it itself."""

    kind = serializers.ChoiceField(EvidenceKind.choices)
    id = serializers.UUIDField()
    is_primary = serializers.BooleanField()
    title = serializers.CharField()
    who = WhoSerializer(many=True)
    occurred_at = serializers.DateTimeField(allow_null=True)
    recorded_at = serializers.DateTimeField()
    version = serializers.CharField(allow_blank=True, help_text="What it was made against.")
    details = serializers.DictField(child=serializers.JSONField(allow_null=True))


class SupportSerializer(serializers.Serializer[Grounded]):
    """A decision on which another one rests, with its own evidence."""

    id = serializers.UUIDField(source="evaluation.id")
    node_key = serializers.CharField(source="evaluation.node.key")
    node_title = serializers.CharField(source="evaluation.node.title")
    status = serializers.CharField(source="evaluation.status")
    reason = serializers.CharField(source="evaluation.reason")
    revision = serializers.IntegerField(source="evaluation.revision")
    occurred_at = serializers.DateTimeField(source="evaluation.occurred_at")
    recorded_at = serializers.DateTimeField(source="evaluation.recorded_at")
    set_version = serializers.UUIDField(source="evaluation.set_version_id")
    evidence = PieceSerializer(source="pieces", many=True)


class EvaluationDetailSerializer(EvaluationSerializer):
    """A decision with the facts that it was given and everything that it rests on.

    `evidence` are its own pieces; a piece of the kind "evaluation" is told in `supporting`, with
    its pieces, and so on down to the rows themselves.
    """

    _known: list[Grounded] | None = None

    evidence = serializers.SerializerMethodField()
    supporting = serializers.SerializerMethodField()

    class Meta(EvaluationSerializer.Meta):
        fields = [*_FIELDS, "facts", "evidence", "supporting"]
        read_only_fields = fields

    @extend_schema_field(PieceSerializer(many=True))
    def get_evidence(self, row: RequirementEvaluation) -> Any:
        pieces: Any = self._grounded(row)[0].pieces
        return PieceSerializer(pieces, many=True).data

    @extend_schema_field(SupportSerializer(many=True))
    def get_supporting(self, row: RequirementEvaluation) -> Any:
        supporting: Any = self._grounded(row)[1:]
        return SupportSerializer(supporting, many=True).data

    def _grounded(self, row: RequirementEvaluation) -> list[Grounded]:
        """Return what the decision rests on, read once for both halves of the answer."""
        if self._known is None or self._known[0].evaluation.id != row.id:
            self._known = grounded(row.id)
        return self._known
