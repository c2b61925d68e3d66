"""The back office of one organisation."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.contacts.capabilities import Capability


class OrganizationAdminSite(admin.AdminSite):
    site_header = _("Assay back office")
    site_title = _("Assay")
    index_title = _("Back office")

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody of this organisation with a staff role is signed in."""
        principal = getattr(request, "principal", None)
        return bool(principal) and principal.has(Capability.USE_BACK_OFFICE)
