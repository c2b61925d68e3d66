"""What was decided and said about learners, to be looked at: rows that only services write."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.cohorts.admin.records import LearnerRecordAdmin
from apps.cohorts.models import Cohort
from apps.cohorts.selectors import of_staffed
from apps.contacts.admin_base import Section, principal_of
from apps.requirements.models import (
    RequirementAssignment,
    RequirementEvaluation,
    SignOff,
    Waiver,
)
from apps.requirements.selectors.evidence import grounded


class CohortFilter(admin.SimpleListFilter):
    """Narrows a list to one of the cohorts that whoever is at work may see."""

    title = gettext_lazy("cohort")
    parameter_name = "cohort"
    lookup = "enrollment__cohort"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        cohorts = of_staffed(Cohort.objects.all(), principal_of(request), cohort="pk")
        rows = cohorts.order_by("title").values_list("pk", "title")
        return [(str(pk), title) for pk, title in rows]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        known = {value for value, _title in self.lookup_choices}
        return queryset.filter(**{self.lookup: self.value()}) if self.value() in known else queryset


class OwnCohortFilter(CohortFilter):
    """The same for rows that are enrolments themselves."""

    lookup = "cohort"


@admin.register(RequirementEvaluation)
class RequirementEvaluationAdmin(LearnerRecordAdmin):
    """Decisions about requirements, and on its page everything that one rests on."""

    section, place = Section.RECORDS, 70
    menu = gettext_lazy("Evaluations")
    nothing_yet = gettext_lazy("Nothing was decided yet.")
    related = (
        "contact",
        "enrollment__cohort",
        "enrollment__contact",
        "node",
        "set_version__definition",
    )
    list_display = ("recorded_at", "contact", "cohort", "node", "status", "reason", "revision")
    list_filter = ("status", CohortFilter)
    search_fields = ("contact__display_name", "node__title", "node__key")
    ordering = ("-recorded_at",)
    exclude = ("facts", "primary_evidence_id")
    change_form_template = "admin/assay/evaluation_change_form.html"

    @admin.display(description=gettext_lazy("cohort"))
    def cohort(self, row: RequirementEvaluation) -> str:
        return str(row.enrollment.cohort)

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        row = kwargs.get("obj")
        if row is not None:
            context["decisions"] = grounded(row.pk)
            context["facts"] = json.dumps(row.facts, indent=2, sort_keys=True, ensure_ascii=False)
        return super().render_change_form(request, context, *args, **kwargs)


class WordAdmin(LearnerRecordAdmin):
    """What somebody said about a learner's requirement."""

    related = ("contact", "enrollment__cohort", "enrollment__contact", "node", "actor")
    list_display = ("recorded_at", "contact", "node", "status", "actor", "reason", "revision")
    list_filter = ("status", CohortFilter)
    search_fields = ("contact__display_name", "actor__display_name", "node__title")
    ordering = ("-recorded_at",)


@admin.register(SignOff)
class SignOffAdmin(WordAdmin):
    """Sign-offs, given and withdrawn; both happen on the learner's page."""

    section, place = Section.RECORDS, 80
    menu = gettext_lazy("Sign-offs")
    nothing_yet = gettext_lazy("Nothing was signed off yet.")


@admin.register(Waiver)
class WaiverAdmin(WordAdmin):
    """Waivers, granted and withdrawn; both happen on the learner's page."""

    section, place = Section.RECORDS, 85
    nothing_yet = gettext_lazy("Nothing was waived yet.")


@admin.register(RequirementAssignment)
class RequirementAssignmentAdmin(LearnerRecordAdmin):
    """Which version of a set holds for whom; assigned from the list of learners' standings."""

    section, place = Section.RECORDS, 90
    menu = gettext_lazy("Assignments")
    nothing_yet = gettext_lazy("No requirements were assigned yet.")
    related = (
        "enrollment__contact",
        "enrollment__cohort",
        "requirement_set",
        "set_version__definition",
        "actor",
    )
    list_display = ("recorded_at", "learner", "set_version", "effective_from", "actor", "reason")
    list_filter = ("purpose", CohortFilter)
    search_fields = ("enrollment__contact__display_name", "requirement_set__title")
    ordering = ("-recorded_at",)

    @admin.display(description=gettext_lazy("learner"))
    def learner(self, row: RequirementAssignment) -> str:
        return str(row.enrollment.contact)
