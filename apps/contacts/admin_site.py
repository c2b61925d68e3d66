"""The back office of one organisation."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal


class OrganizationAdminSite(admin.AdminSite):
    site_header = _("Assay back office")
    site_title = _("Assay")
    index_title = _("Back office")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models of ours only: tenant code may not read the tables of libraries."""
        asked = (
            [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        )
        own = [model for model in asked if model.__module__.startswith("apps.")]
        super().register(own, admin_class, **options)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the one sign-in page, so that no factor can be skipped here.

        Who is signed in already lacks a staff role: that is a refusal, not a sign-in.
        """
        if request.user.is_authenticated:
            raise PermissionDenied
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(wanted)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the one page where a password is changed: only that column may be written."""
        return redirect("account_change_password")

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody of this organisation with a staff role is signed in."""
        principal: Principal | None = getattr(request, "principal", None) or None
        return principal is not None and principal.has(Capability.USE_BACK_OFFICE)
