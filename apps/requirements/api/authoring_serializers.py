"""How requirement sets, their versions, nodes and edges look under /v1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from apps.contacts.definitions_api import DEFINITION_FIELDS, VERSION_FIELDS, VersionSerializer
from apps.core.api import StrictModelSerializer
from apps.programs.api.serializers import READ_ONLY, PartSerializer
from apps.requirements.graph import EdgeCondition
from apps.requirements.kinds import Misfit, edge_misfits, node_misfits
from apps.requirements.models import (
    RequirementEdge,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)

FIXED = ("program", "purpose")
"""What is said about a set once and for all, when its first version is published."""


def refuse(misfits: Iterable[Misfit]) -> None:
    """Raise a ValidationError that names every field at fault, if there is any."""
    found = {m.field: serializers.ErrorDetail(str(m.message), code=m.code) for m in misfits}
    if found:
        raise serializers.ValidationError(found)


class RequirementSetSerializer(StrictModelSerializer[RequirementSet]):
    """The requirements of a program for one purpose: progression, or a certification."""

    class Meta:
        model = RequirementSet
        fields = [*DEFINITION_FIELDS, "program", "purpose"]
        read_only_fields = READ_ONLY

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        changed = [
            name
            for name in FIXED
            if self.instance and name in attrs and attrs[name] != getattr(self.instance, name)
        ]
        if changed and self.instance and self.instance.is_settled:
            message = "This can't be changed once a version was published."
            refuse(Misfit(name, "fixed", message) for name in changed)
        return attrs


class RequirementSetVersionSerializer(VersionSerializer):
    class Meta(VersionSerializer.Meta):
        model = RequirementSetVersion
        read_only_fields = VERSION_FIELDS


class RequirementNodeSerializer(PartSerializer[RequirementNode]):
    """One requirement. Which of the typed fields it must and may have depends on its kind."""

    class Meta:
        model = RequirementNode
        fields = [
            "id",
            "version",
            "key",
            "kind",
            "title",
            "position",
            "course",
            "module_key",
            "item_key",
            "assessment",
            "min_percent",
            "attendance_count",
            "attendance_percent",
            "signoff_capability",
            "credential_program",
            "group_min_count",
            "group_min_credits",
            "credits",
            "deadline_days",
            "deadline_on",
            "retention",
            "is_root",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        refuse(node_misfits(self._merged(attrs)))
        return attrs

    def _merged(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the row as it would be: what is given over what is there."""
        if self.instance is None:
            return attrs
        return {f.name: getattr(self.instance, f.attname) for f in _columns()} | attrs


def _columns() -> list[Any]:
    return list(RequirementNode._meta.concrete_fields)


class RequirementEdgeSerializer(PartSerializer[RequirementEdge]):
    """`source` is a member of, comes before, or unlocks `target`; the key is made of both."""

    class Meta:
        model = RequirementEdge
        fields = ["id", "version", "key", "source", "target", "kind", "condition", "threshold"]
        read_only_fields = ["id", "key"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {
            name: attrs.get(name, getattr(self.instance, name, None)) for name in _EDGE
        }
        version = attrs.get("version", getattr(self.instance, "version", None))
        message = "The requirement belongs to another version."
        refuse(
            Misfit(end, "of-another-version", message)
            for end in ("source", "target")
            if merged[end].version_id != getattr(version, "pk", None)
        )
        merged["condition"] = merged["condition"] or EdgeCondition.SATISFIED
        refuse(edge_misfits(merged))
        return attrs


_EDGE = ("source", "target", "kind", "condition", "threshold")
