"""How people look under /v1."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.contacts.capabilities import Capability
from apps.contacts.models import AdminAction, ApiToken, Contact, ContactChannel
from apps.core.api import StrictModelSerializer, StrictSerializer
from apps.organizations.models import MembershipStatus, OrgMembership, OrgRole


class ChannelSerializer(StrictModelSerializer[ContactChannel]):
    class Meta:
        model = ContactChannel
        fields = ["id", "kind", "value", "verified_at", "is_primary"]
        read_only_fields = ["id", "verified_at"]


class ContactSerializer(StrictModelSerializer[Contact]):
    """A person. `email` is the primary address: given once, when the contact is made."""

    email = serializers.EmailField(write_only=True, required=False, max_length=254)
    channels = ChannelSerializer(many=True, read_only=True)
    has_login = serializers.SerializerMethodField()

    class Meta:
        model = Contact
        fields = [
            "id",
            "display_name",
            "legal_name",
            "external_id",
            "locale",
            "timezone",
            "email",
            "channels",
            "has_login",
            "merged_into",
            "created_at",
        ]
        read_only_fields = ["id", "merged_into", "created_at"]

    def get_has_login(self, contact: Contact) -> bool:
        return contact.user_id is not None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance is not None and "email" in attrs:
            raise serializers.ValidationError(
                {"email": serializers.ErrorDetail("Add a channel instead.", code="not-here")}
            )
        return attrs


class MergeSerializer(StrictSerializer):
    contact = serializers.UUIDField(help_text="The contact that is merged into this one.")


class MemberSerializer(serializers.ModelSerializer[OrgMembership]):
    """A login's standing in the organisation."""

    # The database shows a login's address only to organisations in which it is active.
    email = serializers.EmailField(source="user.email", read_only=True, allow_null=True)

    class Meta:
        model = OrgMembership
        fields = ["id", "email", "org_role", "status", "created_at"]


class MemberChangeSerializer(StrictSerializer):
    org_role = serializers.ChoiceField(OrgRole.choices, required=False)
    status = serializers.ChoiceField(
        [MembershipStatus.ACTIVE, MembershipStatus.DEACTIVATED], required=False
    )


class InvitationSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    email = serializers.EmailField(max_length=254)
    org_role = serializers.ChoiceField(OrgRole.choices, default=OrgRole.LEARNER)
    expires_at = serializers.DateTimeField(read_only=True)


class TokenSerializer(StrictModelSerializer[ApiToken]):
    """An API token; its secret is told once, in the answer to its creation."""

    scopes = serializers.ListField(
        child=serializers.ChoiceField([(c.value, c.value) for c in Capability]),
        required=False,
        max_length=len(Capability),
    )

    class Meta:
        model = ApiToken
        fields = [
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_on",
        ]
        read_only_fields = ["id", "prefix", "created_at", "revoked_at", "last_used_on"]


class NewTokenSerializer(TokenSerializer):
    secret = serializers.CharField(read_only=True)

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "secret"]


class AdminActionSerializer(serializers.ModelSerializer[AdminAction]):
    class Meta:
        model = AdminAction
        fields = [
            "id",
            "actor",
            "action",
            "entity_type",
            "entity_id",
            "details",
            "recorded_at",
        ]


class MeSerializer(serializers.Serializer[Any]):
    """Who is asking, and what they may do here."""

    contact = serializers.UUIDField(source="contact_id")
    org_role = serializers.CharField()
    capabilities = serializers.ListField(child=serializers.CharField())
    cohorts = serializers.ListField(child=serializers.UUIDField(), allow_null=True)
