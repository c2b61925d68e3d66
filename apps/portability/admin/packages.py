"""Packages in the back office: a version as a file, and a file tried, then imported."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.selectors import newest_of
from apps.contacts.admin_base import (
    ReadOnlyAdmin,
    Section,
    actor_of,
    principal_of,
    refusal_of,
    tell,
    url_of,
)
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.core.models import Definition
from apps.core.problems import Problem
from apps.portability.content import KINDS
from apps.portability.format import MEDIA_TYPE, unpack
from apps.portability.forms import PackageForm
from apps.portability.models import PackageImport
from apps.portability.report import ImportReport
from apps.portability.row_checks import MODELS
from apps.portability.services import (
    Exported,
    KeptPackage,
    Options,
    export_version,
    forget_package,
    import_package,
    keep_package,
    kept_package,
)
from apps.programs.models import CourseVersion, ProgramVersion

DEFINITIONS: dict[str, Any] = {kind.value: MODELS[part] for part, kind in KINDS.items()}


@admin.register(PackageImport)
class PackageImportAdmin(ReadOnlyAdmin):
    """Packages that were taken in."""

    section, place = Section.AUTHORING, 85
    menu = gettext_lazy("Packages")
    nothing_yet = gettext_lazy("No package was imported yet.")
    change_list_template = "admin/assay/package_list.html"
    change_capability = Capability.AUTHOR_CONTENT
    view_capability = Capability.VIEW_CONTENT
    list_display = ("title", "kind", "what_became", "filename", "actor", "recorded_at")
    list_filter = ("kind",)
    list_select_related = ("actor",)
    search_fields = ("title", "slug", "filename", "digest")
    ordering = ("-recorded_at", "-id")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        name = "portability_packageimport"
        return [
            path("import/", view(self.import_view), name=f"{name}_import"),
            path(
                "courses/<uuid:course_version_id>/export/",
                view(self.export_course_view),
                name=f"{name}_course",
            ),
            path(
                "programs/<uuid:program_version_id>/export/",
                view(self.export_program_view),
                name=f"{name}_program",
            ),
            *super().get_urls(),
        ]

    @admin.display(description=gettext_lazy("parts"))
    def what_became(self, row: PackageImport) -> str:
        return ", ".join(f"{count} {outcome}" for outcome, count in row.counts.items())

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shown = {"may_import": self._may_change(request)}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show what became of each part."""
        row = self.found(request, object_id)
        catalog = ""
        if row.catalog_course_id and newest_of([row.catalog_course_id]):
            catalog = reverse("admin:catalog_catalogcourse_change", args=[row.catalog_course_id])
        return self.page(
            request,
            "package_import",
            title=row.title,
            row=row,
            catalog=catalog,
            parts=[(part, _address(part)) for part in row.parts],
        )

    def export_course_view(self, request: HttpRequest, course_version_id: UUID) -> HttpResponse:
        """Send a published course version as a package."""
        versions = CourseVersion.objects.select_related("definition")
        return self._export(request, versions.filter(pk=course_version_id).first())

    def export_program_view(self, request: HttpRequest, program_version_id: UUID) -> HttpResponse:
        """Send a published program version as a package."""
        versions = ProgramVersion.objects.select_related("definition")
        return self._export(request, versions.filter(pk=program_version_id).first())

    def _export(self, request: HttpRequest, version: Any) -> HttpResponse:
        """Send the file; who takes it away with its answer keys is an author, and on record."""
        if version is None or not self._may_change(request):
            raise Http404
        made: list[Exported] = []
        problem = refusal_of(
            lambda: made.append(export_version(version=version, actor=actor_of(request)))
        )
        if problem is not None:
            tell(request, problem)
            return HttpResponseRedirect(url_of(version))
        [exported] = made
        headers = {"Content-Disposition": f'attachment; filename="{exported.filename}"'}
        return HttpResponse(exported.data, content_type=MEDIA_TYPE, headers=headers)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and try it; import it once the author has seen the report and says so."""
        if not self._may_change(request):
            raise Http404
        if request.method != "POST":
            return self._import_page(request, form=PackageForm())
        if "token" in request.POST:
            return self._confirmed(request, request.POST["token"])
        form = PackageForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._import_page(request, form=form)
        file: UploadedFile[bytes] = form.cleaned_data["file"]
        options = Options(
            leaves_drafts=form.cleaned_data["leave_drafts"],
            on_conflict=form.cleaned_data["on_conflict"],
            filename=(file.name or "")[-200:],
        )
        return self._tried(request, form, KeptPackage(options, file.read()))

    def _tried(self, request: HttpRequest, form: PackageForm, sent: KeptPackage) -> HttpResponse:
        """Show what would become of each part; keep the file if it can be imported."""
        report = self._import(request, sent, dry_run=True)
        if isinstance(report, Problem):
            return self._import_page(request, form=form, problem=report)
        token = ""
        if not report.is_refused:
            owner = principal_of(request).contact_id
            token = keep_package(data=sent.data, options=sent.options, actor_id=owner, at=now())
        return self._import_page(request, form=form, report=report, token=token)

    def _confirmed(self, request: HttpRequest, token: str) -> HttpResponse:
        """Import the file that was tried, once."""
        owner = principal_of(request).contact_id
        try:
            kept = kept_package(token, actor_id=owner)
        except Problem as problem:
            return self._import_page(request, form=PackageForm(), problem=problem)
        report = self._import(request, kept, dry_run=False)
        if isinstance(report, Problem):
            return self._import_page(request, form=PackageForm(), problem=report)
        forget_package(token, actor_id=owner)
        messages.success(request, _("Imported. This is what became of each part."))
        address = reverse("admin:portability_packageimport_change", args=[report.import_id])
        return HttpResponseRedirect(address)

    def _import(
        self, request: HttpRequest, sent: KeptPackage, *, dry_run: bool
    ) -> ImportReport | Problem:
        done: list[ImportReport] = []

        def work() -> None:
            report = import_package(
                package=unpack(sent.data),
                actor=actor_of(request),
                at=now(),
                options=sent.options,
                dry_run=dry_run,
            )
            done.append(report)

        problem = refusal_of(work)
        return problem if problem is not None else done[0]

    def _import_page(
        self,
        request: HttpRequest,
        *,
        form: PackageForm,
        report: ImportReport | None = None,
        problem: Problem | None = None,
        token: str = "",
    ) -> HttpResponse:
        return self.page(
            request,
            "package_try",
            title=_("Import a package"),
            form=form,
            report=report,
            parts=[(part.as_data(), "") for part in report.parts] if report else [],
            problem=problem,
            token=token,
            back=self.changelist_url(),
        )


def _address(part: dict[str, Any]) -> str:
    """Return the page of what a part became."""
    model: type[Definition] | None = DEFINITIONS.get(part["kind"])
    if model is None or not part["definition"]:
        return ""
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[part["definition"]])
