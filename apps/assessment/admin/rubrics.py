"""The page of a rubric: its criteria and their levels, written in one go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from apps.assessment.forms.rubrics import RubricEditor
from apps.assessment.models import AssessmentTemplate, AssessmentVersion, Rubric
from apps.assessment.rules.rubrics import RubricSpec, rubric_fingerprint
from apps.assessment.selectors.papers import rubric_spec
from apps.assessment.services import RubricChanged, save_rubric
from apps.contacts.admin_base import Section, VersionPartAdmin, refusal_of, tell, url_of
from apps.core.problems import Problem


@admin.register(Rubric)
class RubricAdmin(VersionPartAdmin):
    """Rubrics; the page of their version lists them."""

    section, place = Section.AUTHORING, 95
    listed_under = AssessmentTemplate
    list_display = ("title", "version")
    search_fields = ("title", "key", "version__definition__title")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("version__definition")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Offer it on the page of a draft alone: a rubric belongs to one."""
        return super().has_add_permission(request) and "version" in request.GET

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write a new rubric of the draft that the address names."""
        version = _draft(request)
        if version is None or not self.has_add_permission(request):
            raise Http404
        return self._edited(request, version, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Change a draft's rubric; one of a published version is shown."""
        rubric: Rubric = self.found(request, object_id)
        if self.has_change_permission(request, rubric):
            return self._edited(request, rubric.version, rubric)
        if request.method != "GET":
            raise Http404
        spec = rubric_spec(rubric)
        return self._page(request, rubric.version, "rubric", rubric=rubric, spec=spec, title=rubric)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, _("The rubric “%s” is deleted.") % obj_display)
        return HttpResponseRedirect(url_of(AssessmentVersion, "changelist"))

    def _edited(
        self, request: HttpRequest, version: AssessmentVersion, rubric: Rubric | None
    ) -> HttpResponse:
        spec = rubric_spec(rubric) if rubric else None
        if request.method == "POST":
            fuller = RubricEditor.with_more_rows(request.POST, rubric=spec)
            if fuller is not None:
                return self._form(request, version, rubric, fuller)
            editor = RubricEditor(request.POST, rubric=spec)
            return self._saved(request, version, rubric, editor)
        seen = rubric_fingerprint(spec) if spec else ""
        return self._form(request, version, rubric, RubricEditor(rubric=spec, seen=seen))

    def _saved(
        self,
        request: HttpRequest,
        version: AssessmentVersion,
        rubric: Rubric | None,
        editor: RubricEditor,
    ) -> HttpResponse:
        if not editor.is_valid():
            messages.error(request, _("Nothing is saved yet: look at what is marked below."))
            return self._form(request, version, rubric, editor)
        kept: list[Rubric] = []

        def work() -> None:
            spec = editor.as_spec()
            kept.append(save_rubric(version=version, spec=spec, rubric=rubric, seen=editor.seen))
            self.on_record(request, "changed" if rubric else "created", kept[0])

        problem = refusal_of(work)
        if problem is None:
            messages.success(request, _("The rubric is saved."))
            again = "_continue" in request.POST
            return HttpResponseRedirect(url_of(kept[0]) if again else url_of(version))
        return self._refused(request, version, rubric, problem)

    def _refused(
        self,
        request: HttpRequest,
        version: AssessmentVersion,
        rubric: Rubric | None,
        problem: Problem,
    ) -> HttpResponse:
        """Tell why, and show again what was entered: sent once more it overrides a collision."""
        tell(request, problem)
        entered = request.POST.copy()
        spec: RubricSpec | None = None
        if rubric is not None:
            spec = rubric_spec(Rubric.objects.get(pk=rubric.pk))
        if isinstance(problem, RubricChanged) and spec is not None:
            entered["rubric-seen"] = rubric_fingerprint(spec)
            again = _("What you entered is kept: save again to put it in place of what is there.")
            messages.warning(request, again)
        editor = RubricEditor(entered, rubric=spec)
        editor.is_valid()
        return self._form(request, version, rubric, editor)

    def _form(
        self,
        request: HttpRequest,
        version: AssessmentVersion,
        rubric: Rubric | None,
        editor: RubricEditor,
    ) -> HttpResponse:
        title = rubric.title if rubric else _("A new rubric")
        faults = version.publication_problems() if rubric else []
        keys = {rubric.key, *rubric.criteria.values_list("key", flat=True)} if rubric else set()
        return self._page(
            request,
            version,
            "rubric_form",
            title=title,
            rubric=rubric,
            editor=editor,
            faults=[fault.message for fault in faults if fault.key in keys],
        )

    def _page(
        self, request: HttpRequest, version: AssessmentVersion, template: str, **context: Any
    ) -> HttpResponse:
        trail = [(url_of(version.definition), version.definition), (url_of(version), version.label)]
        return self.page(request, template, trail=trail, back=url_of(version), **context)


def _draft(request: HttpRequest) -> AssessmentVersion | None:
    """Return the draft that the address names, if there is one."""
    try:
        version_id = UUID(request.GET.get("version", ""))
    except ValueError:
        return None
    versions = AssessmentVersion.objects.select_related("definition")
    version: AssessmentVersion | None = versions.filter(pk=version_id).first()
    return version if version is not None and version.is_draft else None
