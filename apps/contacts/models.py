"""The people of one organisation. Rosters, attendance and certificates need no login."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from apps.core.models import ClockTimestamp, HistoryModel, TenantModel


class Contact(TenantModel):
    """One person as this organisation knows them.

    A merged contact keeps its row and its history and points at the survivor; facts are loaded
    for a contact and its aliases. `user_id` is a plain id: no reference leaves the schema.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    display_name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=200, blank=True, default="")
    external_id = models.CharField(max_length=200, null=True, blank=True, unique=True)
    locale = models.CharField(max_length=20, blank=True, default="")
    timezone = models.CharField(max_length=64, blank=True, default="")
    user_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="merged_contacts",
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "crm_contacts"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(display_name=""), name="contact_has_a_display_name"
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=F("id")),
                name="contact_not_merged_into_itself",
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None) | Q(user_id=None),
                name="contact_merged_has_no_user",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(Lower("display_name"), name="contact_by_name"),
        ]

    def __str__(self) -> str:
        return self.display_name


class ChannelKind(models.TextChoices):
    EMAIL = "email"
    PHONE = "phone"


class ContactChannel(TenantModel):
    """A way to reach a contact; an e-mail address leads to one contact only."""

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="channels")
    kind = models.CharField(max_length=10, choices=ChannelKind)
    value = models.CharField(max_length=254)
    verified_at = models.DateTimeField(null=True, blank=True)
    is_primary = models.BooleanField(default=False)

    class Meta:
        db_table = "crm_contact_channels"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint("kind", Lower("value"), name="channel_leads_to_one_contact"),
            models.UniqueConstraint(
                fields=["contact", "kind"],
                condition=Q(is_primary=True),
                name="channel_one_primary_per_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.value


class AdminAction(HistoryModel):
    """What somebody did with elevated rights, and to what; logins and exports too."""

    actor = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=100)
    entity_type = models.CharField(max_length=100, blank=True, default="")
    entity_id = models.UUIDField(null=True)
    details: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        db_table = "admin_actions"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["entity_type", "entity_id"], name="admin_action_by_entity"),
            models.Index(fields=["-recorded_at"], name="admin_action_by_time"),
        ]

    def __str__(self) -> str:
        return self.action


class ApiToken(TenantModel):
    """A client's key to this organisation, on behalf of one contact; stored hashed.

    `scopes` narrow what the contact's role allows; they never widen it.
    """

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    token_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_on = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "api_tokens"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
