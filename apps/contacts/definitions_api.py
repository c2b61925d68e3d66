"""Definitions, their versions and the versions' parts: one set of endpoints for all of them."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.services import record_admin_action
from apps.core import versions
from apps.core.api import ApiView, StrictModelSerializer
from apps.core.clock import now
from apps.core.models import Definition, Version
from apps.core.problems import Problem

AUTHORS = Requires(Capability.AUTHOR_CONTENT, read=Capability.VIEW_CONTENT)

DEFINITION_FIELDS = ["id", "slug", "title", "created_at", "archived_at"]
VERSION_FIELDS = [
    "id",
    "definition",
    "status",
    "number",
    "created_at",
    "published_at",
    "retired_at",
]


class Stale(Problem):
    code, status, title = "stale", 412, "This changed since you read it."


def etag_of(data: Any) -> str:
    """Return a strong ETag of a representation: the digest of its JSON."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


class Tagged(mixins.RetrieveModelMixin, mixins.UpdateModelMixin):
    """Reads answer an ETag; a write under If-Match is refused with 412 when it is outdated."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().retrieve(request, *args, **kwargs)
        response["ETag"] = etag_of(response.data)
        return response

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        expected = request.headers.get("If-Match")
        if expected is not None and expected != "*":
            instance = self.get_object()  # type: ignore[attr-defined]
            if expected != etag_of(self.get_serializer(instance).data):  # type: ignore[attr-defined]
                raise Stale
        response = super().update(request, *args, **kwargs)
        response["ETag"] = etag_of(response.data)
        return response


class RecordedViewSet(ApiView, mixins.ListModelMixin, Tagged, viewsets.GenericViewSet[Any]):
    """Listing, reading and changing what authors write; each write is on record."""

    permission_classes = [AUTHORS]
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        changed = serializer.save()
        self.on_record("changed", changed)

    def on_record(self, verb: str, entity: Any) -> None:
        record_admin_action(
            actor=actor_of(self.request),
            action=f"{entity._meta.model_name}.{verb}",
            entity=entity,
        )


class AuthoredViewSet(RecordedViewSet, mixins.CreateModelMixin):
    """The same, and creating."""

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        created = serializer.save(**self.creation_values())
        self.on_record("created", created)

    def creation_values(self) -> dict[str, Any]:
        """Return what the server sets on a new object."""
        return {}


class VersionSerializer(StrictModelSerializer[Version]):
    """Base of the serializers of versions."""

    class Meta:
        model: type[Version]
        fields = VERSION_FIELDS
        read_only_fields = [name for name in VERSION_FIELDS if name != "definition"]


class FieldChangeSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class PartChangeSerializer(serializers.Serializer[Any]):
    part = serializers.CharField(allow_blank=True)
    key = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(["added", "removed", "changed"])
    fields_changed = FieldChangeSerializer(many=True)


class DiffSerializer(serializers.Serializer[Any]):
    changes = PartChangeSerializer(many=True)


def diff_as_data(changes: versions.VersionDiff) -> dict[str, Any]:
    """Return a diff as plain JSON values."""

    def plain(value: Any) -> Any:
        return json.loads(JSONRenderer().render(value)) if value is not None else None

    return {
        "changes": [
            {
                "part": change.part,
                "key": change.key,
                "outcome": change.outcome,
                "fields_changed": [
                    {"field": f.field, "old": plain(f.old), "new": plain(f.new)}
                    for f in change.fields
                ],
            }
            for change in changes.changes
        ]
    }


class DefinitionViewSet(AuthoredViewSet):
    """A definition: its lasting name. `POST …/draft` begins its next version."""

    http_method_names = ["get", "post", "put", "patch", "head"]
    version_serializer_class: ClassVar[type[VersionSerializer]]

    def creation_values(self) -> dict[str, Any]:
        return {"created_by": actor_of(self.request)}

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        super().perform_update(serializer)
        definition: Any = serializer.instance
        versions.definition_changed(type(definition), definition.pk)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="draft", url_name="draft")
    def draft(self, request: Request, **kwargs: Any) -> Response:
        """Begin the next version: a copy of the newest with all its parts, or an empty one."""
        definition: Definition = self.get_object()
        draft = versions.new_draft(definition=definition, actor=actor_of(request), at=now())
        self.on_record("draft-begun", draft)
        return Response(
            self.version_serializer_class(draft, context=self.get_serializer_context()).data,
            status=201,
        )

    def render_again(self, request: Request, answer: dict[str, Any]) -> Any:
        if self.action != "draft":
            return super().render_again(request, answer)
        model = self.version_serializer_class.Meta.model
        version = model._default_manager.get(pk=answer["id"])
        return self.version_serializer_class(version, context=self.get_serializer_context()).data


class VersionViewSet(RecordedViewSet):
    """A version: a draft that may change, or a frozen number. Drafts begin at the definition."""

    http_method_names = ["get", "post", "put", "patch", "head"]

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        version: Version = self.get_object()
        if not versions.lock_version(version).is_draft:
            raise versions.NotADraft
        super().perform_update(serializer)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, **kwargs: Any) -> Response:
        """Freeze the draft under the next number; 409 with every reason when it can't be."""
        version = versions.publish(version=self.get_object(), actor=actor_of(request), at=now())
        self.on_record("published", version)
        return Response(self.get_serializer(version).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, **kwargs: Any) -> Response:
        """Retire a published version: what points at it stays, nothing new may."""
        version = versions.retire(version=self.get_object(), actor=actor_of(request), at=now())
        self.on_record("retired", version)
        return Response(self.get_serializer(version).data)

    @extend_schema(responses=DiffSerializer)
    @action(detail=True, methods=["get"])
    def diff(self, request: Request, **kwargs: Any) -> Response:
        """What this version changes against the newest published one before it."""
        version: Version = self.get_object()
        return Response(diff_as_data(versions.diff(versions.previous(version), version)))


class VersionPartViewSet(AuthoredViewSet, mixins.DestroyModelMixin):
    """A part of a version. Of a published one it can only be read: the database refuses."""

    def perform_destroy(self, instance: Any) -> None:
        self.on_record("deleted", instance)
        super().perform_destroy(instance)
