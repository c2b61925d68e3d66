"""Assessments and their versions: terms, questions, rubrics; and where they are placed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.assessment.admin.imports import ImportPages
from apps.assessment.forms.imports import DraftGiftForm
from apps.assessment.forms.questions import ItemRowForm
from apps.assessment.forms.terms import PlacementForm
from apps.assessment.models import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    Rubric,
)
from apps.assessment.selectors.papers import rubrics_of
from apps.assessment.services import import_gift_into_version, place_assessment
from apps.assessment.vocabulary import Kind
from apps.contacts.admin_base import (
    DefinitionAdmin,
    Section,
    VersionAdmin,
    VersionPartAdmin,
    VersionPartInline,
    actor_of,
    url_of,
)


class PartInline(VersionPartInline, admin.TabularInline[Any, Any]):
    """Parts whose choices are read once for all rows of the page."""

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        field.choices = list(field.choices)
        return field


class ItemInline(PartInline):
    """The questions of a version in order; each has a page of its own, with its key."""

    model = AssessmentItem
    form = ItemRowForm
    fields = ("position", "title", "key", "kind", "points", "rubric")
    readonly_fields = ("kind",)
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AssessmentTemplate)
class AssessmentAdmin(DefinitionAdmin):
    """Assessments."""

    section, place = Section.AUTHORING, 30
    menu = gettext_lazy("Assessments")
    nothing_yet = gettext_lazy("No assessment yet.")
    list_filter = ("type", "scoring_model")


@admin.register(AssessmentVersion)
class AssessmentVersionAdmin(ImportPages, VersionAdmin):
    """What an assessment asks, and under which terms."""

    section, place = Section.AUTHORING, 90
    inlines = [ItemInline]
    search_fields = ("definition__title", "definition__slug")
    change_form_template = "admin/assay/assessment_version_change_form.html"
    import_form = DraftGiftForm

    def consequences(self, version: AssessmentVersion) -> list[str]:
        older = AssessmentPlacement.objects.filter(
            assessment_version__definition_id=version.definition_id
        ).count()
        kept = ngettext(
            "It stands in %(count)d place of a course: that keeps the version it has.",
            "It stands in %(count)d places of courses: those keep the versions they have.",
            older,
        )
        return [*super().consequences(version), *([kept % {"count": older}] if older else [])]

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        version = kwargs.get("obj")
        if version is not None:
            rubrics = rubrics_of(version.pk)
            context["rubrics"] = [
                (url_of(rubric), rubrics[rubric.pk])
                for rubric in version.rubrics.order_by("title", "key")
            ]
        if version is not None and version.is_draft:
            add = url_of(AssessmentItem, "add")
            context["kinds"] = [
                (f"{add}?version={version.pk}&kind={kind.value}", kind.label) for kind in Kind
            ]
            context["add_rubric"] = f"{url_of(Rubric, 'add')}?version={version.pk}"
        return super().render_change_form(request, context, *args, **kwargs)

    def bank_of(self, target: AssessmentVersion, form: Any) -> Any:
        return form.cleaned_data["bank"]

    def take(self, request: HttpRequest, target: AssessmentVersion, form: Any) -> int:
        _report, items = import_gift_into_version(
            version=target,
            bank=form.cleaned_data["bank"],
            data=form.cleaned_data["text"].encode(),
            actor=actor_of(request),
            filename=form.cleaned_data["filename"],
            encoding="utf-8",
        )
        return len(items)


@admin.register(AssessmentPlacement)
class PlacementAdmin(VersionPartAdmin):
    """Which assessment an item of a course stands for; frozen with the course."""

    section, place = Section.AUTHORING, 60
    menu = gettext_lazy("Placements in courses")
    nothing_yet = gettext_lazy("No assessment stands in a course yet.")
    list_display = ("course", "item", "assessment_version")
    search_fields = ("version__definition__title", "module_item__title")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows.select_related(
            "version__definition", "module_item", "assessment_version__definition"
        )

    @admin.display(description="course", ordering="version__definition__title")
    def course(self, obj: AssessmentPlacement) -> str:
        return str(obj.version)

    @admin.display(description="item", ordering="module_item__title")
    def item(self, obj: AssessmentPlacement) -> str:
        return obj.module_item.title

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise Http404
        return self._place(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        placement = self.found(request, object_id)
        if not self.has_change_permission(request, placement):
            return super().change_view(request, object_id, form_url, extra_context)
        return self._place(request, placement)

    def _place(self, request: HttpRequest, placement: AssessmentPlacement | None) -> HttpResponse:
        form = PlacementForm(request.POST or None, placement=placement)

        def work() -> None:
            placed = place_assessment(**form.cleaned_data)
            self.on_record(request, "changed" if placement else "created", placed)

        is_sound = request.method == "POST" and form.is_valid()
        if is_sound and self.succeeded(request, work, done=_("Placed.")):
            return HttpResponseRedirect(self.changelist_url())
        title = _("Place an assessment")
        return self.form_page(request, form, title=title, back=self.changelist_url())
