"""Requirement sets and the graphs of their versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.assessment.models import AssessmentTemplate
from apps.contacts.admin_base import DefinitionAdmin, Section, VersionAdmin, VersionPartInline
from apps.programs.admin import read_once
from apps.programs.models import Course, Program
from apps.requirements.forms import (
    RequirementEdgeForm,
    RequirementEdgeFormSet,
    RequirementNodeForm,
)
from apps.requirements.graph import NodeKind
from apps.requirements.kinds import SAYS
from apps.requirements.models import (
    Purpose,
    RequirementAssignment,
    RequirementEdge,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)
from apps.requirements.targets import targets_of


@admin.register(RequirementSet)
class RequirementSetAdmin(DefinitionAdmin):
    """What a program asks for: to go on, or to earn an award."""

    section, place = Section.AUTHORING, 70
    nothing_yet = gettext_lazy(
        "Nothing is asked yet. A program needs a progression set before its cohorts can open."
    )
    list_display: Any = ("title", "program", "purpose", "newest")
    list_filter = ("purpose",)
    list_select_related = ("program",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("program", "purpose") if obj is not None and obj.is_settled else ()

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["help_texts"] = {
            "purpose": _(
                "Progression says what unlocks what; a program has one such set, and its cohorts "
                "open once it is published. Certification says what earns an award."
            ),
        }
        return super().get_form(request, obj, change=change, **kwargs)


class NodeInline(VersionPartInline, admin.StackedInline[Any, Any]):
    """The requirements of a draft."""

    model = RequirementNode
    form = RequirementNodeForm
    template = "admin/edit_inline/stacked.html"
    verbose_name = gettext_lazy("requirement")
    verbose_name_plural = gettext_lazy("requirements")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": (("position", "title", "key"), "kind")}),
        (
            gettext_lazy("What is asked"),
            {
                "fields": (
                    "course",
                    "module_key",
                    "item_key",
                    "assessment",
                    "min_percent",
                    "attendance_count",
                    "attendance_percent",
                    "signoff_capability",
                    "credential_program",
                    "group_min_count",
                    "group_min_credits",
                )
            },
        ),
        (
            gettext_lazy("How it counts"),
            {"fields": (("is_root", "retention"), ("deadline_days", "deadline_on"), "credits")},
        ),
    )

    class Media:
        js = ("admin/assay/requirement_nodes.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).order_by("position", "key")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Offer what the program's learners can have; and what the draft names already."""
        here = request.resolver_match.kwargs.get("object_id")
        kwargs["queryset"] = _offered(db_field.name, here)
        return read_once(super().formfield_for_foreignkey(db_field, request, **kwargs))


def _offered(field: str, version_id: Any) -> QuerySet[Any]:
    """Return what a requirement of this version may name in this field."""
    program = RequirementSet.objects.filter(versions=version_id).values("program")
    named = Q(pk__in=RequirementNode.objects.filter(version=version_id).values(field))
    if field == "course":
        own = Course.objects.filter(versions__pinned_by__version__definition__in=program)
        return Course.objects.filter(named | Q(pk__in=own.values("pk"))).order_by("title")
    model = AssessmentTemplate if field == "assessment" else Program
    offered = model._default_manager.filter(named | Q(archived_at=None)).order_by("title")
    return offered if model is AssessmentTemplate else offered.exclude(pk__in=program)


class EdgeInline(VersionPartInline, admin.TabularInline[Any, Any]):
    """What connects the requirements of a draft."""

    model = RequirementEdge
    form = RequirementEdgeForm
    formset = RequirementEdgeFormSet
    fields = ("source", "kind", "target", "condition", "threshold")
    verbose_name = gettext_lazy("connection")
    verbose_name_plural = gettext_lazy("connections")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        edges = super().get_queryset(request).select_related("source", "target")
        return edges.order_by("target__position", "source__position")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        return read_once(super().formfield_for_foreignkey(db_field, request, **kwargs))


class FrozenNodeInline(NodeInline):
    """The requirements of a version that can't be changed: what each one asks, in a line."""

    template = "admin/edit_inline/tabular.html"
    fieldsets: ClassVar[Any] = None
    fields = ("title", "key", "kind", "asks", "counts", "is_root")
    readonly_fields = fields

    class Media:
        js = ()
        extend = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related("course", "assessment", "credential_program")

    @admin.display(description=gettext_lazy("asks for"))
    def asks(self, node: RequirementNode) -> str:
        return _told(node, SAYS[NodeKind(node.kind)].fields) or "–"

    @admin.display(description=gettext_lazy("counts"))
    def counts(self, node: RequirementNode) -> str:
        more = _told(node, ("deadline_days", "deadline_on", "credits"))
        return "; ".join(filter(None, [str(node.get_retention_display()), more]))


def _told(node: RequirementNode, fields: Iterable[str]) -> str:
    """Return what is said in these fields, in a line."""
    labels = RequirementNodeForm.Meta.labels
    said = {name: getattr(node, name) for name in fields}
    return "; ".join(
        f"{labels.get(name, name)}: {value}"
        for name, value in said.items()
        if value not in ("", None)
    )


@admin.register(RequirementSetVersion)
class RequirementSetVersionAdmin(VersionAdmin):
    """A requirement graph: its nodes, and what connects them."""

    section, place = Section.AUTHORING, 90
    search_fields = ("definition__title", "definition__slug")
    change_form_template = "admin/assay/requirement_version_change_form.html"
    inlines: ClassVar[list[Any]] = [NodeInline, EdgeInline]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        is_open = obj is not None and self.has_change_permission(request, obj)
        return [NodeInline if is_open else FrozenNodeInline, EdgeInline]

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        """Save the parts, then name again the edges of requirements that got another key."""
        super().save_related(request, form, formsets, change)
        form.instance.before_publish()

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None and self.has_change_permission(request, obj):
            targets = targets_of(obj.definition.program_id)
            context["module_keys"] = _suggestions(targets.modules)
            context["item_keys"] = _suggestions(targets.items)
        return super().render_change_form(request, context, *args, **kwargs)

    def consequences(self, version: RequirementSetVersion) -> list[str]:
        held = (
            RequirementAssignment.objects.filter(requirement_set=version.definition_id)
            .values("enrollment")
            .distinct()
            .count()
        )
        keeping = ngettext(
            "%(count)d learner keeps the version they have until this one is assigned to them.",
            "%(count)d learners keep the version they have until this one is assigned to them.",
            held,
        )
        sentences = [
            *super().consequences(version),
            _("Whoever enrols from now on gets it."),
            *([keeping % {"count": held}] if held else []),
        ]
        if version.definition.purpose == Purpose.PROGRESSION:
            sentences.append(_("Cohorts of the program can open."))
        return sentences


def _suggestions(keys_of: Any) -> list[str]:
    """Return the keys that any of the program's courses has."""
    found: set[str] = set()
    for keys in keys_of.values():
        found |= keys
    return sorted(found)
