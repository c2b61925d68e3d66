"""How templates, awards and holds look under /v1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from apps.contacts.definitions_api import DEFINITION_FIELDS, VERSION_FIELDS, VersionSerializer
from apps.core.api import StrictModelSerializer, StrictSerializer
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CertificationTemplate,
    CertificationTemplateVersion,
    CredentialDocument,
    CredentialEvent,
)
from apps.credentials.publication import (
    MAX_ALIGNMENTS,
    MAX_TAGS,
    validate_alignments,
    validate_tags,
)
from apps.credentials.selectors.issuers import Issuer
from apps.credentials.vocabulary import AwardState, HoldResolution


class CertificationTemplateSerializer(StrictModelSerializer[CertificationTemplate]):
    """Something that a program's learners can earn; type and program are fixed once published."""

    class Meta:
        model = CertificationTemplate
        fields = [*DEFINITION_FIELDS, "type", "program"]
        read_only_fields = ["id", "created_at", "archived_at"]


class AlignmentSerializer(StrictSerializer):
    """A skill or standard outside that the achievement corresponds to."""

    target_name = serializers.CharField(max_length=200)
    target_url = serializers.URLField(max_length=2_000)
    target_code = serializers.CharField(max_length=100, required=False)
    target_description = serializers.CharField(max_length=2_000, required=False)
    target_framework = serializers.CharField(max_length=200, required=False)


class CertificationTemplateVersionSerializer(VersionSerializer):
    """What the credential says. The badge is drawn from its letters and colours (#rrggbb)."""

    alignments = serializers.ListField(
        child=AlignmentSerializer(), required=False, max_length=MAX_ALIGNMENTS
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=MAX_TAGS
    )

    class Meta(VersionSerializer.Meta):
        model = CertificationTemplateVersion
        fields = [
            *VERSION_FIELDS,
            "name",
            "description",
            "criteria_markdown",
            "requirement_set",
            "award_mode",
            "validity_days",
            "alignments",
            "tags",
            "badge_letters",
            "badge_background",
            "badge_foreground",
        ]
        read_only_fields = VERSION_FIELDS

    def validate_alignments(self, value: list[Any]) -> list[Any]:
        return _checked(validate_alignments, [dict(entry) for entry in value])

    def validate_tags(self, value: list[str]) -> list[Any]:
        return _checked(validate_tags, value)

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        return instance


def _checked(validator: Callable[[object], None], value: list[Any]) -> list[Any]:
    """Return the value as it is. Raises ValidationError as the back office's form would."""
    try:
        validator(value)
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.messages, code=error.error_list[0].code) from error
    return value


class AwardSerializer(StrictModelSerializer[CertificationAward]):
    """A credential held by a learner. `state` is how it stands now."""

    state = serializers.CharField(read_only=True, help_text=", ".join(AwardState.values))
    credential_url = serializers.SerializerMethodField()
    page_url = serializers.SerializerMethodField()

    class Meta:
        model = CertificationAward
        fields = [
            "id",
            "template",
            "template_version",
            "enrollment",
            "contact",
            "evaluation",
            "certificate_number",
            "legal_name",
            "issued_at",
            "expires_at",
            "revoked_at",
            "state",
            "granted_by",
            "reason",
            "replaces",
            "credential_url",
            "page_url",
        ]
        read_only_fields = fields

    def get_credential_url(self, award: CertificationAward) -> str:
        return _issuer(self.context).credential_url(award.id)

    def get_page_url(self, award: CertificationAward) -> str:
        return _issuer(self.context).page_url(award.id)


def _issuer(context: Mapping[str, Any]) -> Issuer:
    issuer: Issuer = context["issuer"]
    return issuer


class AwardEventSerializer(StrictModelSerializer[CredentialEvent]):
    class Meta:
        model = CredentialEvent
        fields = ["id", "revision", "type", "actor", "reason", "occurred_at", "recorded_at"]
        read_only_fields = fields


class GrantSerializer(StrictSerializer):
    """Whom to award what."""

    enrollment = serializers.UUIDField()
    template = serializers.UUIDField()
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=2_000)


class AwardReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=2_000)


class HoldSerializer(StrictModelSerializer[AwardHold]):
    """What about an award waits for a person. `details` names differences that were found."""

    class Meta:
        model = AwardHold
        fields = [
            "id",
            "template",
            "enrollment",
            "contact",
            "award",
            "evaluation",
            "code",
            "reason",
            "details",
            "opened_by",
            "opened_at",
            "resolved_at",
            "resolved_by",
            "resolution",
            "resolution_reason",
        ]
        read_only_fields = fields


class OpenHoldSerializer(StrictSerializer):
    enrollment = serializers.UUIDField()
    template = serializers.UUIDField()
    reason = serializers.CharField(max_length=2_000)


class ResolveSerializer(StrictSerializer):
    resolution = serializers.ChoiceField([HoldResolution.RELEASED, HoldResolution.REFUSED])
    reason = serializers.CharField(max_length=2_000)


class CredentialSerializer(StrictModelSerializer[CredentialDocument]):
    """A signed credential; its bytes are at `url`. `id` is the award's."""

    id = serializers.UUIDField(source="award_id", read_only=True)
    certificate_number = serializers.CharField(source="award.certificate_number", read_only=True)
    signed_at = serializers.DateTimeField(source="recorded_at", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = CredentialDocument
        fields = ["id", "certificate_number", "media_type", "sha256", "signed_at", "url"]
        read_only_fields = fields

    def get_url(self, document: CredentialDocument) -> str:
        return _issuer(self.context).credential_url(document.award_id)
