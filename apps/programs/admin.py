"""Back office of programs and courses: drafts with their parts, publishing, comparing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.contacts.admin_base import (
    DefinitionAdmin,
    Section,
    VersionAdmin,
    VersionPartForm,
    VersionPartInline,
)
from apps.core.models import VersionStatus
from apps.programs.models import (
    Course,
    CourseModule,
    CourseVersion,
    ModuleItem,
    Program,
    ProgramCourse,
    ProgramVersion,
)


class ModuleInline(VersionPartInline, admin.TabularInline[Any, Any]):
    model = CourseModule
    fields = ("position", "title", "key")


class ItemInline(VersionPartInline, admin.StackedInline[Any, Any]):
    """The items of a course; a new module is offered here once it was saved."""

    model = ModuleItem
    template = "admin/edit_inline/stacked.html"
    fields = (
        ("module", "position"),
        ("title", "key"),
        ("type", "is_required", "estimated_minutes"),
        "body_markdown",
        "url",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        items = super().get_queryset(request).select_related("module")
        return items.order_by("module__position", "position")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        return read_once(super().formfield_for_foreignkey(db_field, request, **kwargs))


def read_once(field: Any) -> Any:
    """Return the field with its choices read: a page asks once, not again for each of its rows."""
    field.choices = list(field.choices)
    return field


@admin.register(Course)
class CourseAdmin(DefinitionAdmin):
    """Courses."""

    section, place = Section.AUTHORING, 20
    nothing_yet = gettext_lazy("No course yet.")
    change_form_template = "admin/assay/course_change_form.html"
    readonly_fields = ("catalog_course_id", "catalog_version_id")


@admin.register(CourseVersion)
class CourseVersionAdmin(VersionAdmin):
    """What a course says: its modules and items."""

    section, place = Section.AUTHORING, 90
    change_form_template = "admin/assay/exported_version_change_form.html"
    inlines = [ModuleInline, ItemInline]
    search_fields = ("definition__title", "definition__slug")

    def consequences(self, version: CourseVersion) -> list[str]:
        pinned = (
            ProgramCourse.objects.filter(course_version__definition_id=version.definition_id)
            .values("version__definition")
            .distinct()
            .count()
        )
        programs = ngettext(
            "%(count)d program takes this course: it keeps the version that it pins.",
            "%(count)d programs take this course: they keep the versions that they pin.",
            pinned,
        )
        return [*super().consequences(version), *([programs % {"count": pinned}] if pinned else [])]


class ProgramCourseForm(VersionPartForm):
    """A course of a program. Its key is the course's slug, so that it stands there once."""

    class Meta:
        model = ProgramCourse
        fields = ("position", "course_version", "is_required")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        course_version = self.cleaned_data.get("course_version")
        if course_version is not None:
            self.instance.key = course_version.definition.slug
        return cleaned


class ProgramCourseInline(VersionPartInline, admin.TabularInline[Any, Any]):
    model = ProgramCourse
    form = ProgramCourseForm
    fields = ("position", "course_version", "is_required")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pins = super().get_queryset(request).select_related("course_version__definition")
        return pins.order_by("position")

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Offer published versions, and what the draft pins already."""
        match = request.resolver_match
        here = match.kwargs.get("object_id") if match else None
        pinned = ProgramCourse.objects.filter(version_id=here).values("course_version_id")
        kwargs["queryset"] = (
            CourseVersion.objects.filter(Q(status=VersionStatus.PUBLISHED) | Q(id__in=pinned))
            .select_related("definition")
            .order_by("definition__title", "-number")
        )
        return read_once(super().formfield_for_foreignkey(db_field, request, **kwargs))


@admin.register(Program)
class ProgramAdmin(DefinitionAdmin):
    """Programs."""

    section, place = Section.AUTHORING, 10
    nothing_yet = gettext_lazy(
        "No program yet. Write the courses first; a program takes published ones."
    )


@admin.register(ProgramVersion)
class ProgramVersionAdmin(VersionAdmin):
    """What a program says: which courses it takes, at which version."""

    section, place = Section.AUTHORING, 90
    change_form_template = "admin/assay/exported_version_change_form.html"
    inlines = [ProgramCourseInline]
    search_fields = ("definition__title", "definition__slug")

    def consequences(self, version: ProgramVersion) -> list[str]:
        opening = _("New cohorts can pin it, and open once its progression set is published.")
        return [*super().consequences(version), opening]
