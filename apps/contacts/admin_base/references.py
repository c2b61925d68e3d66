"""Rows that other rows name by kind and id: told by their names, with the page that shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base.links import Name, references
from apps.contacts.admin_base.pages import ReadOnlyAdmin


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
