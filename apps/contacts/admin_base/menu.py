"""The menu of the back office: its parts, and what a list in it is called."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _


class Section(Enum):
    """A heading of the menu, in this order; an admin class names its own."""

    TEACHING = "teaching"
    AUTHORING = "authoring"
    PEOPLE = "people"
    CREDENTIALS = "credentials"
    AI = "ai"
    COMMERCE = "commerce"
    RECORDS = "records"
    ORGANIZATION = "organization"

    @property
    def label(self) -> Any:
        return LABELS[self]


LABELS = {
    Section.TEACHING: _("Teaching"),
    Section.AUTHORING: _("Courses and assessments"),
    Section.PEOPLE: _("People"),
    Section.CREDENTIALS: _("Credentials"),
    Section.AI: _("AI conversations"),
    Section.COMMERCE: _("Sales"),
    Section.RECORDS: _("Records"),
    Section.ORGANIZATION: _("Organisation"),
}


class MenuEntry(admin.ModelAdmin[Any]):
    """A list in the menu: under which heading, at which place (small numbers first), how called.

    Without a section it stands under the name of its app, after the others. `nothing_yet` is what
    an empty list says.
    """

    section: ClassVar[Section | None] = None
    place: ClassVar[int] = 50
    menu: ClassVar[Any] = ""
    nothing_yet: ClassVar[Any] = _("Nothing is here yet.")
    listed_under: ClassVar[type[Model] | None] = None
    """Whose list stands above its pages, where its own is in no menu."""

    @property
    def title(self) -> str:
        return str(self.menu or capfirst(self.opts.verbose_name_plural))

    def list_above(self) -> tuple[str, str]:
        """Return address and name of the list that stands above each page."""
        model = self.listed_under or self.model
        about: Any = self.admin_site._registry.get(model, self)
        return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist"), about.title

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"title": self.title, "nothing_yet": self.nothing_yet}
        page: HttpResponse = super().changelist_view(request, {**shown, **(extra_context or {})})
        return page
