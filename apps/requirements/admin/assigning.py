"""Assigning a version to chosen learners: asked for, shown with what it changes, then done."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.cohorts.models import CohortEnrollment
from apps.contacts.admin_base import Pages, actor_of, principal_of, tell
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.core.problems import Forbidden, Invalid, Problem
from apps.requirements.forms import AssignForm
from apps.requirements.models import RequirementNode
from apps.requirements.selectors.access import may_assign
from apps.requirements.services import assign_to_enrollments, preview_assignment

MANY = 1_000
"""How many learners one assignment concerns at most."""


class TooManyChosen(Invalid):
    code = "too-many-chosen"
    title = "Choose at most a thousand learners at a time."


class AssigningPages(Pages):
    """The action of a list of enrolments."""

    actions = ("assign",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        offered = super().get_actions(request)
        return offered if principal_of(request).has(Capability.RUN_COHORTS) else {}

    @admin.action(description=gettext_lazy("Assign a version of a requirement set…"))
    def assign(
        self, request: HttpRequest, queryset: QuerySet[CohortEnrollment]
    ) -> HttpResponse | None:
        """Ask which version and why; show who gains or loses what; assign."""
        chosen = list(queryset.select_related("contact", "cohort__program_version")[: MANY + 1])
        try:
            self._refuse(request, chosen)
        except Problem as problem:
            tell(request, problem)
            return None
        programs = {one.cohort.program_version.definition_id for one in chosen}
        is_filled = "reason" in request.POST
        form = AssignForm(request.POST if is_filled else None, programs=programs)
        if not is_filled or not form.is_valid():
            return self._assign_page(request, chosen, form)
        try:
            if "confirmed" not in request.POST:
                return self._assign_page(request, chosen, form, self._changes(chosen, form))
            self._assign(request, chosen, form)
        except Problem as problem:
            tell(request, problem)
        else:
            messages.success(request, _("Assigned; the evaluations are on their way."))
        return None

    def _refuse(self, request: HttpRequest, chosen: list[CohortEnrollment]) -> None:
        if len(chosen) > MANY:
            raise TooManyChosen
        principal = principal_of(request)
        if not all(may_assign(principal, cohort_id=one.cohort_id) for one in chosen):
            raise Forbidden

    def _assign(
        self, request: HttpRequest, chosen: list[CohortEnrollment], form: AssignForm
    ) -> None:
        assign_to_enrollments(
            enrollment_ids=[one.pk for one in chosen],
            actor=actor_of(request),
            at=now(),
            **form.cleaned_data,
        )

    def _changes(self, chosen: list[CohortEnrollment], form: AssignForm) -> list[Any]:
        """Return (enrolment, titles gained, titles lost) for everybody."""
        version = form.cleaned_data["set_version"]
        changes = preview_assignment(
            enrollment_ids=[one.pk for one in chosen], set_version=version, at=now()
        )
        by_id = {change.enrollment_id: change for change in changes}
        titles = dict(
            RequirementNode.objects.filter(version__definition=version.definition_id)
            .order_by("version__number")
            .values_list("key", "title")
        )
        return [
            (
                one,
                [titles.get(key, key) for key in by_id[one.pk].gained],
                [titles.get(key, key) for key in by_id[one.pk].lost],
            )
            for one in chosen
            if one.pk in by_id
        ]

    def _assign_page(
        self,
        request: HttpRequest,
        chosen: list[CohortEnrollment],
        form: AssignForm,
        changes: list[Any] | None = None,
    ) -> HttpResponse:
        return self.page(
            request,
            "requirement_assign",
            title=_("Assign a version"),
            chosen=chosen,
            form=form,
            changes=changes,
            checkbox=ACTION_CHECKBOX_NAME,
        )
