"""The admin class of versions: their drafts, what publishing means, what differs."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.contacts.admin_base.definitions import AuthoredAdmin
from apps.contacts.admin_base.pages import url_of
from apps.contacts.admin_base.requests import actor_of
from apps.core import versions
from apps.core.clock import now


class VersionAdmin(AuthoredAdmin):
    """One version: edit the draft with its parts, publish with consequences shown, diff, retire."""

    list_display = ("__str__", "status", "number", "published_at")
    list_filter = ("status",)
    change_form_template = "admin/assay/version_change_form.html"

    def list_above(self) -> tuple[str, str]:
        definitions = self.model._meta.get_field("definition").related_model
        about: Any = self.admin_site._registry[definitions]
        return url_of(definitions, "changelist"), about.title

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        version = kwargs.get("obj")
        if version is not None:
            context["trail"] = [(url_of(version.definition), version.definition)]
            context["crumb"] = version.label
            context["may_retire"] = self._may_change(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("definition")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("definition",) if obj is not None else ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep versions out of the menu: the page of their definition lists them."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.is_draft)

    def consequences(self, version: Any) -> list[str]:
        """Return sentences about what publishing this draft means; apps add theirs."""
        return [
            _("The version is frozen: it and its parts can't be changed afterwards."),
            _("Nobody is moved to it: enrolments keep the version they have."),
        ]

    def get_urls(self) -> list[URLPattern]:
        base = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/publish/", view(self.publish_view), name=f"{base}_publish"),
            path("<path:object_id>/retire/", view(self.retire_view), name=f"{base}_retire"),
            path("<path:object_id>/diff/", view(self.diff_view), name=f"{base}_diff"),
            *super().get_urls(),
        ]

    def _version(self, request: HttpRequest, object_id: str) -> Any:
        version = self.get_object(request, object_id)
        if version is None or not self.has_view_permission(request, version):
            raise Http404
        return version

    def version_page(
        self, request: HttpRequest, version: Any, template: str, **context: Any
    ) -> HttpResponse:
        """Return a page about the version."""
        trail = [(url_of(version.definition), version.definition), (url_of(version), version.label)]
        return self.page(
            request, template, trail=trail, version=version, back=url_of(version), **context
        )

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(request, object_id)
        if not self.has_change_permission(request, version):
            raise Http404
        if request.method == "POST":

            def work() -> None:
                published = versions.publish(version=version, actor=actor_of(request), at=now())
                self.on_record(request, "published", published)

            return self.carry_out(request, work, done=_("Published."), back=url_of(version))
        return self.version_page(
            request,
            version,
            "version_publish",
            title=_("Publish %(version)s") % {"version": version},
            problems=version.publication_problems(),
            consequences=self.consequences(version),
            diff=versions.diff(versions.previous(version), version),
        )

    def retire_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(request, object_id)
        if not self._may_change(request):
            raise Http404
        if request.method == "POST":

            def work() -> None:
                retired = versions.retire(version=version, actor=actor_of(request), at=now())
                self.on_record(request, "retired", retired)

            return self.carry_out(request, work, done=_("Retired."), back=url_of(version))
        title = _("Retire %(version)s") % {"version": version}
        return self.version_page(request, version, "version_retire", title=title)

    def diff_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(request, object_id)
        previous = versions.previous(version)
        return self.version_page(
            request,
            version,
            "version_diff",
            title=_("What %(version)s changes") % {"version": version},
            previous=previous,
            diff=versions.diff(previous, version),
        )
