"""What was done to a row, out of `admin_actions`: its page, and the words for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base.menu import MenuEntry
from apps.contacts.admin_base.requests import principal_of
from apps.contacts.capabilities import Capability
from apps.contacts.models import AdminAction

PER_PAGE = 100
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""The id of a row says nothing to a person."""

VERBS = {
    "archived": gettext_lazy("archived"),
    "attempt-voided": gettext_lazy("attempt declared void"),
    "attendance-taken": gettext_lazy("attendance taken"),
    "cancelled": gettext_lazy("cancelled"),
    "changed": gettext_lazy("changed"),
    "created": gettext_lazy("created"),
    "deleted": gettext_lazy("deleted"),
    "draft-begun": gettext_lazy("draft begun"),
    "ended": gettext_lazy("ended"),
    "enrolled": gettext_lazy("enrolled"),
    "graded": gettext_lazy("graded"),
    "granted": gettext_lazy("granted"),
    "invited": gettext_lazy("invited"),
    "joined": gettext_lazy("joined"),
    "login": gettext_lazy("signed in"),
    "merged": gettext_lazy("merged"),
    "promoted": gettext_lazy("given a seat"),
    "published": gettext_lazy("published"),
    "retired": gettext_lazy("retired"),
    "retried": gettext_lazy("tried again"),
    "revoked": gettext_lazy("revoked"),
    "staff-added": gettext_lazy("staff added"),
    "staff-removed": gettext_lazy("staff removed"),
    "status": gettext_lazy("status changed"),
    "updated": gettext_lazy("changed"),
    "withdrawn": gettext_lazy("withdrawn"),
}


def verb_of(action: str) -> str:
    """Return what was done, in words: `cohort.staff_added` is “staff added”."""
    verb = action.rpartition(".")[2].replace("_", "-")
    return str(VERBS.get(verb, verb.replace("-", " ")))


def in_words(action: str) -> str:
    """Return an action with what it was done to: `cohort.staff_added` is “cohort: staff added”."""
    about = action.rpartition(".")[0]
    return f"{_words(about)}: {verb_of(action)}" if about else verb_of(action)


def told(details: Mapping[str, Any]) -> list[str]:
    """Return the details of an action in lines that a person can read."""
    return [line for name, value in details.items() for line in _lines(name, value)]


def _lines(name: str, value: Any) -> Iterator[str]:
    if name == "changes" and isinstance(value, list):
        yield from filter(None, map(_change, value))
    elif isinstance(value, list):
        yield f"{_words(name)}: {len(value)}"
    elif isinstance(value, Mapping):
        yield from (f"{_words(name)}, {_words(key)}: {one}" for key, one in value.items())
    elif value not in (None, "") and not _ID.fullmatch(str(value)):
        yield f"{_words(name)}: {value}"


def _words(name: Any) -> str:
    return str(name).replace("_", " ")


def _change(message: Any) -> str:
    """Return one of the changes that Django's forms tell, e.g. {"changed": {"fields": [...]}}."""
    if not isinstance(message, Mapping):
        return str(message)
    sentences = {
        "added": _("added %(what)s"),
        "changed": _("changed %(what)s"),
        "deleted": _("deleted %(what)s"),
    }
    for verb, about in message.items():
        if verb in sentences:
            fields = ", ".join(map(str, about.get("fields", [])))
            name = f"{about.get('name', '')} “{about['object']}”" if "object" in about else ""
            what = ": ".join(filter(None, [name.strip(), fields]))
            return sentences[verb] % {"what": what} if what else ""
    return ""


class HistoryPages(MenuEntry):
    """The page `…/history/` of each row."""

    def may_read_history(self, request: HttpRequest, obj: Any) -> bool:
        """Whether to offer it: to who audits, and to who changes the row anyway."""
        may_audit = principal_of(request).has(Capability.AUDIT_READ)
        return may_audit or self.has_change_permission(request, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the row's `admin_actions`, the newest first, instead of Django's log."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.may_read_history(request, obj):
            raise Http404
        # A proxy and the table behind it have one history.
        labels = {meta.label_lower for meta in (self.opts, obj._meta.concrete_model._meta)}
        rows = AdminAction.objects.filter(entity_type__in=labels, entity_id=obj.pk)
        in_order = rows.select_related("actor").order_by("-recorded_at", "-id")
        shown = Paginator(in_order, PER_PAGE).get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("What was done to %(name)s") % {"name": obj},
            "opts": self.opts,
            "object": obj,
            "list_above": self.list_above(),
            "shown": shown,
            "lines": [(row, verb_of(row.action), told(row.details)) for row in shown],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/assay/history.html", context)
