"""How the catalog looks under /v1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.catalog.models import CatalogCourseVersion
from apps.contacts.definitions_api import PartChangeSerializer
from apps.core.api import StrictSerializer
from apps.portability.api.reports import PartOutcomeSerializer
from apps.portability.selectors.adoptions import Adoption

NO_ADOPTIONS: Mapping[UUID, Adoption] = {}


class AdoptionSerializer(serializers.Serializer[Any]):
    """Where an organisation stands with a course that it adopted."""

    id = serializers.UUIDField(source="course.pk", help_text="The course here.")
    catalog_course = serializers.UUIDField(source="course.catalog_course_id")
    slug = serializers.CharField(source="course.slug")
    title = serializers.CharField(source="course.title")
    number = serializers.IntegerField(
        allow_null=True, help_text="The catalog's number of what is published here."
    )
    draft = serializers.UUIDField(
        source="draft.pk",
        default=None,
        allow_null=True,
        help_text="A version of the catalog that waits to be published.",
    )
    draft_number = serializers.IntegerField(allow_null=True)
    update_available = serializers.BooleanField(source="has_update")
    withdrawn_reason = serializers.CharField(
        source="withdrawal.reason",
        default=None,
        allow_null=True,
        help_text="Why the catalog offers the version that is published here no longer.",
    )


class CatalogVersionSerializer(serializers.ModelSerializer[CatalogCourseVersion]):
    """A version that is offered."""

    class Meta:
        model = CatalogCourseVersion
        fields = ["id", "number", "title", "licence", "language", "changelog", "published_at"]
        read_only_fields = fields


class CatalogCourseSerializer(serializers.ModelSerializer[CatalogCourseVersion]):
    """A course of the catalog, as its newest version tells it."""

    id = serializers.UUIDField(source="course_id", help_text="The course in the catalog.")
    slug = serializers.CharField(source="course.slug")
    version = serializers.UUIDField(source="pk", help_text="The newest version.")
    adoption = serializers.SerializerMethodField()

    class Meta:
        model = CatalogCourseVersion
        fields = [
            "id",
            "slug",
            "version",
            "number",
            "title",
            "summary",
            "licence",
            "language",
            "publisher",
            "published_at",
            "adoption",
        ]
        read_only_fields = fields

    @extend_schema_field(AdoptionSerializer(allow_null=True))
    def get_adoption(self, version: CatalogCourseVersion) -> Any:
        known = self.context.get("adoptions", NO_ADOPTIONS).get(version.course_id)
        return AdoptionSerializer(known).data if known else None


class CatalogItemSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    type = serializers.CharField()
    minutes = serializers.IntegerField(allow_null=True)
    is_required = serializers.BooleanField()


class CatalogModuleSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    items = CatalogItemSerializer(many=True)


class CatalogCourseDetailSerializer(CatalogCourseSerializer):
    """A course with its outline, and the versions that are offered."""

    outline = CatalogModuleSerializer(many=True)
    versions = serializers.SerializerMethodField()

    class Meta(CatalogCourseSerializer.Meta):
        fields = [*CatalogCourseSerializer.Meta.fields, "outline", "versions"]
        read_only_fields = fields

    @extend_schema_field(CatalogVersionSerializer(many=True))
    def get_versions(self, version: CatalogCourseVersion) -> Any:
        return CatalogVersionSerializer(self.context["versions"], many=True).data


class AdoptSerializer(StrictSerializer):
    """Which version to adopt: the newest, unless one is named."""

    version = serializers.UUIDField(required=False)
    leave_draft = serializers.BooleanField(
        default=False, help_text="Leave it as a draft instead of publishing it here."
    )


class UpdateSerializer(StrictSerializer):
    """Which version to update to: the newest, unless one is named."""

    version = serializers.UUIDField(required=False)


class UpdatedSerializer(serializers.Serializer[Any]):
    """What an update made. `id` is the course here; without a draft nothing had to change."""

    id = serializers.UUIDField(source="course.pk")
    number = serializers.IntegerField(help_text="The catalog's number.")
    draft = serializers.UUIDField(source="draft.pk", default=None, allow_null=True)


class UpdatePreviewSerializer(serializers.Serializer[Any]):
    """What an update would do, and what it would leave behind."""

    from_number = serializers.IntegerField(allow_null=True)
    to_number = serializers.IntegerField()
    version = serializers.UUIDField()
    changelog = serializers.CharField(allow_blank=True)
    changes = PartChangeSerializer(
        many=True, help_text="What the platform changed since the adopted version."
    )
    changed_here = PartChangeSerializer(
        many=True, help_text="What was changed here since then: the draft will not have it."
    )
    parts = PartOutcomeSerializer(many=True)
