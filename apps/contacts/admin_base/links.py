"""Rows by their names, with a link where whoever is at work may open the page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.admin import AdminSite
from django.db import models
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

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


_ROW = re.compile(
    r'<a href="/admin/(?P<app>\w+)/(?P<model>\w+)/'
    r'(?P<pk>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/change/">(?P<name>[^<]*)</a>'
)
"""A link as Django writes it for a foreign key that can't be changed, to whoever looks."""


def without_dead_links(site: AdminSite, request: HttpRequest, page: str) -> str:
    """Return the page without links to rows that whoever is at work may not open.

    Their names stay: who recorded an attendance is known to its cohort's instructor, who has no
    page of that person. One statement for each kind of row.
    """
    known = references(site, request, {_named(found) for found in _ROW.finditer(page)})

    def kept(found: re.Match[str]) -> str:
        return found[0] if known[_named(found)].url else found["name"]

    return _ROW.sub(kept, page)


def _named(link: re.Match[str]) -> Name:
    return f"{link['app']}.{link['model']}", UUID(link["pk"])
