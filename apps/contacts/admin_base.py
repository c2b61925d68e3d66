"""The admin classes that every app's back office is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR, InlineModelAdmin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.db import models, transaction
from django.db.utils import DatabaseError
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from apps.contacts.capabilities import Capability
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.services import record_admin_action
from apps.core import versions
from apps.core.clock import now
from apps.core.models import Version
from apps.core.problems import Problem
from apps.core.refusals import refused_by_database


def principal_of(request: HttpRequest) -> Principal:
    principal: Principal = request.principal  # type: ignore[attr-defined]
    return principal


def signed_in(request: HttpRequest) -> Principal | None:
    """Return who is at work, or None for a stranger."""
    principal: Principal | None = getattr(request, "principal", None)
    return principal or None


def actor_of(request: HttpRequest) -> Contact:
    """Return the contact who is at work in the back office."""
    principal = principal_of(request)
    return principal.contact or Contact.objects.get(pk=principal.contact_id)


def tell(request: HttpRequest, problem: Problem) -> None:
    """Show a problem as messages: its sentence, and one for each field."""
    messages.error(request, problem.detail or problem.title)
    for error in problem.errors:
        where = f"{error['field']}: " if error["field"] else ""
        messages.error(request, f"{where}{error['message']}")


class OrganizationModelAdmin(admin.ModelAdmin[Any]):
    """A ModelAdmin that asks capabilities, writes `admin_actions` and tells problems politely.

    `change_capability` and `view_capability` say who may; nothing is deleted by default, and
    Django's own log is not used.
    """

    change_capability = Capability.MANAGE_SETTINGS
    view_capability = Capability.AUDIT_READ
    may_delete = False
    list_per_page = 50
    show_full_result_count = False

    def _may_change(self, request: HttpRequest) -> bool:
        principal = signed_in(request)
        return principal is not None and principal.has(self.change_capability)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        principal = signed_in(request)
        return principal is not None and (
            principal.has(self.view_capability) or principal.has(self.change_capability)
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_delete and self._may_change(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self.on_record(request, "created", obj)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self.on_record(request, "changed", obj, {"changes": message})

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        return [self.on_record(request, "deleted", obj) for obj in queryset]

    def on_record(
        self, request: HttpRequest, verb: str, obj: Any, details: dict[str, Any] | None = None
    ) -> Any:
        """Leave a row of `admin_actions`."""
        return record_admin_action(
            actor=actor_of(request),
            action=f"{obj._meta.model_name}.{verb}",
            entity=obj,
            details=details,
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        is_write = request.method == "POST" and object_id is not None
        if is_write and self.get_object(request, unquote(object_id or "")) is None:
            raise Http404  # before Django says 403 about what is not there
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except Problem as problem:
            tell(request, problem)
        except DatabaseError as error:
            refused = refused_by_database(error)
            if refused is None:
                raise
            tell(request, refused)
        return HttpResponseRedirect(request.get_full_path())

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Return the page as Django's does, but for the content type, which is nothing here.

        Content types differ from schema to schema: tenant code may not even read them.
        """
        formsets = context["inline_admin_formsets"]
        context.update(
            {
                "add": add,
                "change": change,
                "has_view_permission": self.has_view_permission(request, obj),
                "has_add_permission": self.has_add_permission(request),
                "has_change_permission": self.has_change_permission(request, obj),
                "has_delete_permission": self.has_delete_permission(request, obj),
                "has_editable_inline_admin_formsets": any(
                    formset.has_add_permission
                    or formset.has_change_permission
                    or formset.has_delete_permission
                    for formset in formsets
                ),
                "has_file_field": context["adminform"].form.is_multipart()
                or any(formset.formset.is_multipart() for formset in formsets),
                "has_absolute_url": False,
                "form_url": add_preserved_filters(
                    {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts},
                    form_url,
                ),
                "opts": self.opts,
                "save_as": self.save_as,
                "save_on_top": self.save_on_top,
                "to_field_var": TO_FIELD_VAR,
                "is_popup_var": IS_POPUP_VAR,
                "app_label": self.opts.app_label,
            }
        )
        request.current_app = self.admin_site.name
        own = self.add_form_template if add else self.change_form_template
        return TemplateResponse(request, own or "admin/change_form.html", context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Delete, or refuse; what is not here is not found, whatever one may do."""
        if self.get_object(request, unquote(object_id)) is None:
            raise Http404
        return super().delete_view(request, object_id, extra_context)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Not found is 404 here as everywhere, not a friendly redirect."""
        raise Http404

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the object's `admin_actions` instead of Django's log."""
        raise Http404

    def carry_out(
        self, request: HttpRequest, work: Callable[[], Any], *, done: str, back: str
    ) -> HttpResponse:
        """Call a service, tell the outcome, and return to `back`."""
        try:
            with transaction.atomic():
                work()
        except Problem as problem:
            tell(request, problem)
        except DatabaseError as error:
            refused = refused_by_database(error)
            if refused is None:
                raise
            tell(request, refused)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(back)


class ReadOnlyAdmin(OrganizationModelAdmin):
    """Rows that only services write: they can be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AuthoredAdmin(OrganizationModelAdmin):
    """What authors write."""

    change_capability = Capability.AUTHOR_CONTENT
    view_capability = Capability.VIEW_CONTENT


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

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(_change_url(obj))

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
            request, work, done=_("The draft is ready to edit."), back=_change_url(definition)
        )
        return HttpResponseRedirect(_change_url(begun[0])) if begun else response

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        context["versions"] = (
            [(version, _change_url(version)) for version in obj.versions.order_by("-created_at")]
            if obj is not None
            else []
        )
        context["has_draft"] = any(version.is_draft for version, _url in context["versions"])
        return super().render_change_form(request, context, *args, **kwargs)


def _change_url(obj: models.Model) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


class VersionPartForm(ModelForm[Any]):
    """A part of a draft; an empty key is made from the title."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].required = False

    def clean_key(self) -> str:
        key = self.cleaned_data.get("key") or ""
        title = self.data.get(self.add_prefix("title"), "") or self.data.get(
            self.add_prefix("name"), ""
        )
        return key or slugify(title)[:100] or f"part-{(self.prefix or 'x').rsplit('-', 1)[-1]}"


class VersionPartInline(InlineModelAdmin[Any, Any]):
    """Parts of a version: editable in a draft, else read-only. Siblings are offered as targets."""

    form = VersionPartForm
    extra = 0
    template = "admin/edit_inline/tabular.html"
    fk_name = "version"

    def _is_draft(self, request: HttpRequest, obj: Any) -> bool:
        principal = principal_of(request)
        return principal.has(Capability.AUTHOR_CONTENT) and (obj is None or obj.is_draft)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return principal_of(request).has(Capability.VIEW_CONTENT)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        target = db_field.remote_field.model
        version_field = {f.name: f for f in target._meta.get_fields()}.get("version")
        own_version = self.model._meta.get_field("version").related_model
        if version_field is not None and version_field.related_model is own_version:
            match = request.resolver_match
            object_id = match.kwargs.get("object_id") if match else None
            kwargs["queryset"] = target._default_manager.filter(version_id=object_id)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class VersionAdmin(AuthoredAdmin):
    """One version: edit the draft with its parts, publish with consequences shown, diff, retire."""

    list_display = ("__str__", "status", "number", "published_at")
    list_filter = ("status",)
    change_form_template = "admin/assay/version_change_form.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("definition")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("definition",) if obj is not None else ()

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

    def _page(
        self, request: HttpRequest, version: Any, template: str, **context: Any
    ) -> HttpResponse:
        return TemplateResponse(
            request,
            f"admin/assay/{template}.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "version": version,
                "back": _change_url(version),
                **context,
            },
        )

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(request, object_id)
        if not self.has_change_permission(request, version):
            raise Http404
        if request.method == "POST":

            def work() -> None:
                published = versions.publish(version=version, actor=actor_of(request), at=now())
                self.on_record(request, "published", published)

            return self.carry_out(request, work, done=_("Published."), back=_change_url(version))
        return self._page(
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

            return self.carry_out(request, work, done=_("Retired."), back=_change_url(version))
        title = _("Retire %(version)s") % {"version": version}
        return self._page(request, version, "version_retire", title=title)

    def diff_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self._version(request, object_id)
        previous = versions.previous(version)
        return self._page(
            request,
            version,
            "version_diff",
            title=_("What %(version)s changes") % {"version": version},
            previous=previous,
            diff=versions.diff(previous, version),
        )
