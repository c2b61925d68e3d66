"""Rows that other rows name by kind and id: told by their names, with the page that shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base.pages import ReadOnlyAdmin

Name = tuple[str, UUID]
"""A model's label in small letters, and the id of a row."""


@dataclass(frozen=True)
class Reference:
    """A row as people call it; `url` is empty where there is no page of it for them."""

    kind: str
    name: str
    url: str = ""

    def as_html(self) -> SafeString:
        if not self.name:
            return format_html("{}", self.kind)
        if not self.url:
            return format_html("{}: {}", self.kind, self.name)
        return format_html('{}: <a href="{}">{}</a>', self.kind, self.url, self.name)


def references(
    site: AdminSite, request: HttpRequest, names: Iterable[Name]
) -> dict[Name, Reference]:
    """Return each name's row as whoever is at work may see it: one statement for each kind.

    What they may not see, or is gone, has its kind alone.
    """
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for label, pk in names:
        wanted[label].add(pk)
    found: dict[Name, Reference] = {}
    for label, pks in wanted.items():
        model = _model(label)
        kind = str(capfirst(model._meta.verbose_name)) if model else label
        seen = _seen(site, request, model, pks) if model else {}
        for pk in pks:
            name, url = seen.get(pk, ("", ""))
            found[label, pk] = Reference(kind, name, url)
    return found


def _model(label: str) -> type[models.Model] | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _seen(
    site: AdminSite, request: HttpRequest, model: type[models.Model], pks: set[UUID]
) -> dict[UUID, tuple[str, str]]:
    """Return id -> name and address of the rows that the model's own list would show."""
    about: Any = site._registry.get(model)
    if about is None or not about.has_view_permission(request):
        return {}
    rows = about.get_queryset(request).filter(pk__in=pks)
    return {row.pk: (str(row), _url(row)) for row in rows}


def _url(row: models.Model) -> str:
    meta = row._meta
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""


class ReferringList(ChangeList):
    """A page of rows with what each of them is about, looked up for all of them at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.refer(request, self.result_list)  # type: ignore[attr-defined]


class ReferringAdmin(ReadOnlyAdmin):
    """Rows that name another one by kind and id; the column `about` shows it."""

    def named(self, row: Any) -> Name | None:
        """Return what the row names."""
        raise NotImplementedError

    def refer(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        names = {row.pk: self.named(row) for row in rows}
        known = references(self.admin_site, request, filter(None, names.values()))
        for row in rows:
            name = names[row.pk]
            row.reference = known[name] if name is not None else None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReferringList

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.refer(request, [row])
        return row

    @admin.display(description=gettext_lazy("about"))
    def about(self, row: Any) -> str:
        return row.reference.as_html() if row.reference is not None else "–"
