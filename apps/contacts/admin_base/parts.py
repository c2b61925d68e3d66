"""The inlines of a version's parts."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import InlineModelAdmin
from django.forms import ModelForm
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.text import slugify

from apps.contacts.admin_base.organization import NATIVE_DATES
from apps.contacts.admin_base.requests import principal_of
from apps.contacts.capabilities import Capability
from apps.core.models import VersionChild


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


class LabelledFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Rows of a table whose fields say themselves what they are, as their column does."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for field in form.fields.values():
            if field.label and not field.widget.is_hidden:
                # What the admin wraps in its own widget has its attributes inside.
                widget = getattr(field.widget, "widget", field.widget)
                widget.attrs.setdefault("aria-label", str(field.label))


class VersionPartInline(InlineModelAdmin[Any, Any]):
    """Parts of a version: editable in a draft, else read-only. Siblings are offered as targets."""

    form = VersionPartForm
    formset = LabelledFormSet
    formfield_overrides = NATIVE_DATES
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

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Offer no page for a new sibling: it would not know of which version."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        target = getattr(db_field.remote_field, "model", None)
        if field is not None and target is not None and issubclass(target, VersionChild):
            field.widget.can_add_related = False
        return field
