"""Back office of contacts."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.contacts.admin_base import OrganizationModelAdmin, ReadOnlyAdmin
from apps.contacts.capabilities import Capability
from apps.contacts.models import AdminAction, Contact, ContactChannel


class ChannelInline(admin.TabularInline[ContactChannel, Contact]):
    model = ContactChannel
    extra = 0
    readonly_fields = ("verified_at",)


@admin.register(Contact)
class ContactAdmin(OrganizationModelAdmin):
    """The people of the organisation."""

    change_capability = Capability.MANAGE_CONTACTS
    view_capability = Capability.VIEW_LEARNERS
    list_display = ("display_name", "external_id", "has_login", "merged_into")
    search_fields = ("display_name", "external_id", "channels__value")
    inlines = [ChannelInline]

    @admin.display(boolean=True, description="login")
    def has_login(self, obj: Contact) -> bool:
        return obj.user_id is not None

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("merged_into")


@admin.register(AdminAction)
class AdminActionAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ("recorded_at", "actor", "action", "entity_type", "entity_id")
    list_filter = ("action",)
    ordering = ("-recorded_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("actor")
