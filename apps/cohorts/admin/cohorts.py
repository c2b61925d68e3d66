"""Cohorts: made and changed through services; opened, ended and cancelled after a question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.cohorts.admin.base import cohort_url
from apps.cohorts.admin.imports import RosterImportPages
from apps.cohorts.admin.rosters import RosterPages
from apps.cohorts.admin.sessions import SessionPages
from apps.cohorts.forms import CohortForm
from apps.cohorts.models import Cohort, CohortStatus, EnrollmentState
from apps.cohorts.selectors import of_staffed
from apps.cohorts.services import (
    cancel_cohort,
    create_cohort,
    end_cohort,
    open_cohort,
    update_cohort,
)
from apps.contacts.admin_base import Section, actor_of, principal_of
from apps.core.clock import now
from apps.core.models import VersionStatus
from apps.programs.models import ProgramVersion

CHANGEABLE = (CohortStatus.PLANNED, CohortStatus.OPEN)
FIXED = ("program_version", "slug", "is_self_paced")

MOVES: dict[str, tuple[Callable[..., Cohort], tuple[str, ...], Any, Any]] = {
    "open": (
        open_cohort,
        (CohortStatus.PLANNED,),
        gettext_lazy("Learners can be enrolled from now on."),
        gettext_lazy("The cohort is open."),
    ),
    "end": (
        end_cohort,
        (CohortStatus.OPEN,),
        gettext_lazy("All participation ends; what was earned stays. This can't be undone."),
        gettext_lazy("The cohort has ended."),
    ),
    "cancel": (
        cancel_cohort,
        CHANGEABLE,
        gettext_lazy("All participation ends. This can't be undone."),
        gettext_lazy("The cohort is cancelled."),
    ),
}
"""name -> the service, the statuses that it starts from, what it means, what to say after it."""


@admin.register(Cohort)
class CohortAdmin(RosterPages, RosterImportPages, SessionPages):
    """Cohorts."""

    section, place = Section.TEACHING, 10
    nothing_yet = gettext_lazy(
        "No cohort yet. Add one for a published program; learners are enrolled on its roster."
    )
    form = CohortForm
    list_display = ("title", "program_version", "status", "starts_on", "ends_on", "learners")
    list_filter = ("status", "is_self_paced")
    search_fields = ("title", "slug")
    prepopulated_fields: ClassVar[dict[str, Any]] = {"slug": ("title",)}
    change_form_template = "admin/assay/cohort_change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        cohorts = super().get_queryset(request).select_related("program_version__definition")
        enrolled = Count("enrollments", filter=Q(enrollments__state=EnrollmentState.ENROLLED))
        staffed = of_staffed(cohorts, principal_of(request), cohort="pk")
        counted: QuerySet[Any] = staffed.annotate(enrolled=enrolled)
        return counted

    @admin.display(description=gettext_lazy("enrolled"))
    def learners(self, cohort: Any) -> str:
        seats = "" if cohort.capacity is None else f" / {cohort.capacity}"
        return f"{cohort.enrolled}{seats}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever runs only the cohorts they staff would make one that they can't see."""
        everywhere = principal_of(request).visible_cohorts is None
        return everywhere and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return super().has_change_permission(request)
        return self.may_run(request, obj) and obj.status in CHANGEABLE

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*FIXED, "status") if obj is not None else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj is not None else self.prepopulated_fields

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = CohortForm.Meta.fields
        return ("status", *fields) if obj is not None else fields

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "program_version":
            versions = ProgramVersion.objects.filter(status=VersionStatus.PUBLISHED)
            kwargs["queryset"] = versions.select_related("definition").order_by(
                "definition__title", "-number"
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = actor_of(request)
        if change:
            said = {name: form.cleaned_data[name] for name in form.changed_data}
            if said:
                update_cohort(cohort=obj, actor=actor, at=now(), **said)
            return
        obj.pk = create_cohort(actor=actor, **form.cleaned_data).pk

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The service has left its record."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The service has left its record."""

    def get_urls(self) -> list[URLPattern]:
        move = path(
            "<uuid:object_id>/move/<str:move>/",
            self.admin_site.admin_view(self.move_view),
            name="cohorts_cohort_move",
        )
        return [move, *super().get_urls()]

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["moves"] = self._moves(request, kwargs.get("obj"))
        return super().render_change_form(request, context, *args, **kwargs)

    def _moves(self, request: HttpRequest, cohort: Cohort | None) -> list[str]:
        """Return what can be done with the cohort as it stands."""
        if cohort is None or not self.may_run(request, cohort):
            return []
        return [name for name, (_w, before, *_says) in MOVES.items() if cohort.status in before]

    def move_view(self, request: HttpRequest, object_id: str, move: str) -> HttpResponse:
        """Ask once more, saying what it means; then open, end or cancel the cohort."""
        cohort = self.cohort_of(request, object_id)
        if move not in MOVES or not self.may_run(request, cohort):
            raise Http404
        work, _before, means, done = MOVES[move]
        if request.method == "POST":
            return self.carry_out(
                request,
                lambda: work(cohort=cohort, actor=actor_of(request), at=now()),
                done=done,
                back=cohort_url(cohort),
            )
        ask = {
            "open": (_("Open %(cohort)s"), _("Open the cohort")),
            "end": (_("End %(cohort)s"), _("End the cohort")),
            "cancel": (_("Cancel %(cohort)s"), _("Cancel the cohort")),
        }
        title, send = ask[move]
        active = cohort.enrollments.active().count()
        people = ngettext("It concerns %(count)d person.", "It concerns %(count)d people.", active)
        return self.cohort_page(
            request,
            cohort,
            "cohort_move",
            title=title % {"cohort": cohort},
            send=send,
            danger=move != "open",
            consequences=[means, people % {"count": active}],
        )
