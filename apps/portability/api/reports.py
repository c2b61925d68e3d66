"""How the report of an import looks under /v1."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.portability.vocabulary import Outcome, PartKind


class PartProblemSerializer(serializers.Serializer[Any]):
    """One thing wrong: `path` is a JSON Pointer into the file."""

    file = serializers.CharField(allow_blank=True)
    path = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()


class PartOutcomeSerializer(serializers.Serializer[Any]):
    """What becomes of one part of a package."""

    kind = serializers.ChoiceField(PartKind.choices)
    file = serializers.CharField()
    slug = serializers.CharField(help_text="The short name here.")
    title = serializers.CharField()
    outcome = serializers.ChoiceField(Outcome.choices)
    definition = serializers.UUIDField(allow_null=True)
    versions = serializers.ListField(child=serializers.CharField())
    version_ids = serializers.ListField(child=serializers.UUIDField())
    notes = serializers.ListField(child=serializers.CharField())
    problems = PartProblemSerializer(many=True)
