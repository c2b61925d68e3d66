"""How programs and courses look under /v1."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.contacts.definitions_api import DEFINITION_FIELDS, VERSION_FIELDS, VersionSerializer
from apps.core.api import M, StrictModelSerializer
from apps.programs.models import (
    Course,
    CourseModule,
    CourseVersion,
    ModuleItem,
    Program,
    ProgramCourse,
    ProgramVersion,
)
from apps.programs.publication import is_web_address
from apps.programs.selectors import outline

READ_ONLY = ["id", "created_at", "archived_at"]


class ProgramSerializer(StrictModelSerializer[Program]):
    class Meta:
        model = Program
        fields = [*DEFINITION_FIELDS, "description"]
        read_only_fields = READ_ONLY


class CourseSerializer(StrictModelSerializer[Course]):
    """A course; the catalog ids tell from which platform-wide course it was adopted."""

    class Meta:
        model = Course
        fields = [*DEFINITION_FIELDS, "description", "catalog_course_id", "catalog_version_id"]
        read_only_fields = [*READ_ONLY, "catalog_course_id", "catalog_version_id"]


class ProgramVersionSerializer(VersionSerializer):
    class Meta(VersionSerializer.Meta):
        model = ProgramVersion
        fields = [*VERSION_FIELDS, "description"]
        read_only_fields = VERSION_FIELDS


class CourseVersionSerializer(VersionSerializer):
    class Meta(VersionSerializer.Meta):
        model = CourseVersion
        fields = [*VERSION_FIELDS, "summary", "catalog_version_id"]
        read_only_fields = [*VERSION_FIELDS, "catalog_version_id"]


class PartSerializer(StrictModelSerializer[M]):
    """A part of a version: it never moves to another one."""

    def validate_version(self, version: Any) -> Any:
        if self.instance is not None and version != self.instance.version:
            raise serializers.ValidationError("A part stays in its version.", code="fixed")
        return version


class ProgramCourseSerializer(PartSerializer[ProgramCourse]):
    """A course of a program version, at one of its versions; the key is the course's slug."""

    class Meta:
        model = ProgramCourse
        fields = ["id", "version", "key", "course_version", "position", "is_required"]
        read_only_fields = ["id", "key"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "course_version" in attrs:
            attrs["key"] = attrs["course_version"].definition.slug
        return attrs


class CourseModuleSerializer(PartSerializer[CourseModule]):
    class Meta:
        model = CourseModule
        fields = ["id", "version", "key", "title", "position"]


class ModuleItemSerializer(PartSerializer[ModuleItem]):
    """Something a learner does. `url` leads to where an external item is."""

    class Meta:
        model = ModuleItem
        fields = [
            "id",
            "version",
            "module",
            "key",
            "type",
            "title",
            "position",
            "is_required",
            "body_markdown",
            "url",
            "estimated_minutes",
        ]

    def validate_url(self, url: str) -> str:
        if url and not is_web_address(url):
            raise serializers.ValidationError(
                "The address is http or https, with a host and without a password.",
                code="not-a-web-address",
            )
        return url

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        module = attrs.get("module")
        version = attrs.get("version", getattr(self.instance, "version", None))
        if module is not None and module.version_id != getattr(version, "pk", None):
            message = "The module belongs to another version."
            raise serializers.ValidationError(
                {"module": serializers.ErrorDetail(message, code="of-another-version")}
            )
        return attrs


class OutlineItemSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    key = serializers.CharField()
    type = serializers.CharField()
    title = serializers.CharField()
    position = serializers.IntegerField()
    is_required = serializers.BooleanField()
    estimated_minutes = serializers.IntegerField(allow_null=True)


class OutlineModuleSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    key = serializers.CharField()
    title = serializers.CharField()
    position = serializers.IntegerField()
    items = OutlineItemSerializer(many=True)


class OutlineSerializer(CourseVersionSerializer):
    """A course version as a table of contents: modules and items in order, without the texts."""

    title = serializers.CharField(source="definition.title", read_only=True)
    modules = serializers.SerializerMethodField()

    class Meta(CourseVersionSerializer.Meta):
        fields = [*CourseVersionSerializer.Meta.fields, "title", "modules"]
        read_only_fields = fields

    @extend_schema_field(OutlineModuleSerializer(many=True))
    def get_modules(self, version: CourseVersion) -> Any:
        return OutlineModuleSerializer(outline(version.id), many=True).data
