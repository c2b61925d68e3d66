"""The back office of one organisation."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.contacts.admin_base.menu import Section
from apps.contacts.capabilities import Capability
from apps.contacts.factors import FactorRequired, needs_factor
from apps.contacts.principal import Principal
from apps.core.problems import Forbidden
from apps.organizations.middleware import refuse
from apps.organizations.models import OrgRole


class StaffOnly(Forbidden):
    code = "staff-only"
    title = "The back office is for staff."


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

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the menu: what the sections hold for whoever is at work, then the other apps."""
        sections: dict[Any, dict[str, Any]] = {
            section: {
                "name": section.label,
                "app_label": section.value,
                "app_url": f"{reverse('admin:index')}#{section.value}",
                "has_module_perms": True,
                "models": [],
            }
            for section in Section
        }
        for app in super().get_app_list(request, app_label):
            for entry in app["models"]:
                about = self._registry[entry["model"]]
                section = getattr(about, "section", None)
                entry["name"] = getattr(about, "title", entry["name"])
                entry["place"] = getattr(about, "place", 50)
                sections.setdefault(section or app["app_label"], {**app, "models": []})
                sections[section or app["app_label"]]["models"].append(entry)
        menu = [section for section in sections.values() if section["models"]]
        for section in menu:
            section["models"].sort(key=lambda entry: (entry["place"], entry["name"]))
        return menu

    def app_index(  # type: ignore[override]
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the one page of the menu: apps are nothing that people here know."""
        return redirect("admin:index")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add whose back office it is and who is at work, for the head of every page."""
        principal: Principal | None = getattr(request, "principal", None) or None
        organization = getattr(request, "tenant", None)
        name = getattr(organization, "name", "")
        return {
            **super().each_context(request),
            "site_header": name or self.site_header,
            "site_title": name or self.site_title,
            "at_work": principal.contact if principal else None,
            "org_role": OrgRole(principal.org_role).label if principal else "",
        }

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the one sign-in page, so that no factor can be skipped here.

        Who is signed in already lacks a second factor that is wanted, which is set up on the
        account's pages, or a staff role: that is a refusal, not a sign-in.
        """
        if request.user.is_authenticated:
            if needs_factor(request, signed_in(request)):
                messages.warning(request, FactorRequired.title)
                return redirect("mfa_index")
            said = gettext("You are signed in as %(name)s. Your courses are on the start page.")
            return refuse(request, StaffOnly(detail=said % {"name": request.user}))
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect_to_login(wanted)

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the one page where people sign out."""
        return redirect("account_logout")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the one page where a password is changed: only that column may be written."""
        return redirect("account_change_password")

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody with a staff role is signed in, as strongly as is wanted."""
        principal = signed_in(request)
        return (
            principal is not None
            and principal.has(Capability.USE_BACK_OFFICE)
            and not needs_factor(request, principal)
        )


def signed_in(request: HttpRequest) -> Principal | None:
    """Return who is at work, or None for a stranger."""
    return getattr(request, "principal", None) or None
