"""The admin classes of rows in general: capabilities, records of what was done, refusals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import DateField, DateTimeField, Field
from django.db.utils import DatabaseError
from django.forms import DateInput, DateTimeInput, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from apps.contacts.admin_base.history import HistoryPages
from apps.contacts.admin_base.links import without_dead_links
from apps.contacts.admin_base.requests import (
    actor_of,
    refusal_of,
    refuse_in,
    signed_in,
    tell,
)
from apps.contacts.capabilities import Capability
from apps.contacts.services import record_admin_action
from apps.core.problems import Problem
from apps.core.refusals import refused_by_database

NATIVE_DATES: dict[type[Field[Any, Any]], dict[str, Any]] = {
    DateField: {"widget": DateInput(attrs={"type": "date"}, format="%Y-%m-%d")},
    DateTimeField: {
        "form_class": forms.DateTimeField,
        "widget": DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    },
}
"""The browser's own fields of dates: they have labels, and need no script."""


class OrganizationModelAdmin(HistoryPages):
    """A ModelAdmin that asks capabilities, writes `admin_actions` and tells problems politely.

    `change_capability` and `view_capability` say who may; nothing is deleted by default, and
    Django's own log is not used.
    """

    change_capability = Capability.MANAGE_SETTINGS
    view_capability = Capability.AUDIT_READ
    may_delete = False
    formfield_overrides = NATIVE_DATES
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
            refused = problem
        except DatabaseError as error:
            known = refused_by_database(error)
            if known is None:
                raise
            refused = known
        # Once more, with a form that is not valid now and keeps what was entered.
        request.refused = refused  # type: ignore[attr-defined]
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PermissionDenied:  # somebody published it in the meantime
            tell(request, refused)
            return HttpResponseRedirect(request.get_full_path())

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        refused: Problem | None = getattr(request, "refused", None)
        return form if refused is None else refusing(form, refused)

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
        if obj is not None:
            context.update({"title": str(obj), "subtitle": None})
        context.update(
            {
                "list_above": self.list_above(),
                "may_read_history": obj is not None and self.may_read_history(request, obj),
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
        page = TemplateResponse(request, own or "admin/change_form.html", context)
        page.add_post_render_callback(partial(self._without_dead_links, request))
        return page

    def _without_dead_links(self, request: HttpRequest, page: HttpResponse) -> None:
        principal = signed_in(request)
        if principal is not None and principal.visible_cohorts is not None:
            text = page.content.decode()
            page.content = without_dead_links(self.admin_site, request, text).encode()

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Delete, or refuse; what is not here is not found, whatever one may do."""
        if self.get_object(request, unquote(object_id)) is None:
            raise Http404
        above = {"list_above": self.list_above(), **(extra_context or {})}
        return super().delete_view(request, object_id, above)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Not found is 404 here as everywhere, not a friendly redirect."""
        raise Http404

    def carry_out(
        self, request: HttpRequest, work: Callable[[], Any], *, done: str, back: str
    ) -> HttpResponse:
        """Call a service, tell the outcome, and return to `back`."""
        self.succeeded(request, work, done=done)
        return HttpResponseRedirect(back)

    def succeeded(self, request: HttpRequest, work: Callable[[], Any], *, done: Any) -> bool:
        """Call a service and tell the outcome; False leaves a page as it is, input and all."""
        problem = refusal_of(work)
        if problem is None:
            messages.success(request, done)
            return True
        tell(request, problem)
        return False


def refusing(form: type[ModelForm[Any]], problem: Problem) -> type[ModelForm[Any]]:
    """Return the form as one that says why a service or the database refused it."""

    class Refused(form):  # type: ignore[misc, valid-type]
        def clean(self) -> Any:
            cleaned = super().clean()
            refuse_in(self, problem)
            return cleaned

    return Refused
