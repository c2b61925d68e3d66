"""The admin classes of what authors write: definitions, which have versions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.contacts.admin_base.pages import Pages, url_of
from apps.contacts.admin_base.requests import actor_of
from apps.contacts.capabilities import Capability
from apps.core import versions
from apps.core.clock import now
from apps.core.models import Version


class AuthoredAdmin(Pages):
    """What authors write."""

    change_capability = Capability.AUTHOR_CONTENT
    view_capability = Capability.VIEW_CONTENT


class VersionPartAdmin(AuthoredAdmin):
    """A part of a version with pages of its own: written while the version is a draft."""

    may_delete = True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.version.is_draft)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return none: a frozen one among the selected would refuse all of them."""
        return {}


class DefinitionAdmin(AuthoredAdmin):
    """A definition; its page lists the versions and begins the next draft."""

    list_display = ("title", "slug", "newest")
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    exclude = ("created_by", "archived_at")
    change_form_template = "admin/assay/definition_change_form.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("versions")

    @admin.display(description="versions")
    def newest(self, obj: Any) -> str:
        labels = sorted(
            obj.versions.all(), key=lambda version: (version.number is None, version.number or 0)
        )
        return ", ".join(version.label for version in labels[-3:]) or "–"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = actor_of(request)
        super().save_model(request, obj, form, change)
        if change:
            versions.definition_changed(type(obj), obj.pk)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(url_of(obj))

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_draft"
        own = path(
            "<path:object_id>/draft/", self.admin_site.admin_view(self.draft_view), name=name
        )
        return [own, *super().get_urls()]

    def draft_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        definition = self.get_object(request, object_id)
        if definition is None or request.method != "POST":
            raise Http404
        if not self.has_change_permission(request, definition):
            raise Http404
        begun: list[Version] = []

        def work() -> None:
            draft = versions.new_draft(definition=definition, actor=actor_of(request), at=now())
            self.on_record(request, "draft-begun", draft)
            begun.append(draft)

        response = self.carry_out(
            request, work, done=_("The draft is ready to edit."), back=url_of(definition)
        )
        return HttpResponseRedirect(url_of(begun[0])) if begun else response

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        context["versions"] = (
            [(version, url_of(version)) for version in obj.versions.order_by("-created_at")]
            if obj is not None
            else []
        )
        context["has_draft"] = any(version.is_draft for version, _url in context["versions"])
        return super().render_change_form(request, context, *args, **kwargs)
