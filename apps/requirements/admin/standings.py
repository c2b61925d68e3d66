"""One page a learner: how they stand and why, and what staff may say about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.cohorts.admin.records import LearnerRecordAdmin
from apps.contacts.admin_base import Section, actor_of, principal_of, url_of
from apps.core.clock import now
from apps.requirements.admin.assigning import AssigningPages
from apps.requirements.admin.decisions import OwnCohortFilter
from apps.requirements.forms import SignOffForm, WaiveForm, WithdrawForm
from apps.requirements.graph import NodeKind
from apps.requirements.models import EnrollmentStanding, RequirementNode
from apps.requirements.selectors.access import may_sign_off, may_waive
from apps.requirements.selectors.evidence import Piece, grounded_in
from apps.requirements.selectors.statuses import (
    RequirementStatus,
    RequirementStatusTree,
    statuses,
)
from apps.requirements.selectors.versions import node_in_force
from apps.requirements.services import sign_off, waive, withdraw_sign_off, withdraw_waiver
from apps.requirements.statuses import Status


@dataclass(frozen=True)
class Verb:
    """Something that staff can say about a requirement: its form, its service, its words."""

    form: type[forms.Form]
    service: Callable[..., Any]
    title: Any
    done: Any
    is_waiver: bool = False


VERBS = {
    "sign-off": Verb(
        SignOffForm, sign_off, gettext_lazy("Sign off “%s”"), gettext_lazy("Signed off.")
    ),
    "withdraw-sign-off": Verb(
        WithdrawForm,
        withdraw_sign_off,
        gettext_lazy("Withdraw the sign-off of “%s”"),
        gettext_lazy("The sign-off is withdrawn."),
    ),
    "waive": Verb(
        WaiveForm, waive, gettext_lazy("Waive “%s”"), gettext_lazy("Waived."), is_waiver=True
    ),
    "withdraw-waiver": Verb(
        WithdrawForm,
        withdraw_waiver,
        gettext_lazy("Withdraw the waiver of “%s”"),
        gettext_lazy("The waiver is withdrawn."),
        is_waiver=True,
    ),
}


@dataclass(frozen=True)
class Line:
    """A requirement on the page: its evidence, and the verbs that are open to who looks."""

    requirement: RequirementStatus
    status: str
    evidence: tuple[Piece, ...]
    verbs: list[tuple[str, str]]


@admin.register(EnrollmentStanding)
class EnrollmentStandingAdmin(AssigningPages, LearnerRecordAdmin):
    """Learners, and for each a page of what is met, what is asked next, and why."""

    section, place = Section.TEACHING, 50
    menu = gettext_lazy("Learners’ standings")
    nothing_yet = gettext_lazy("Nobody is enrolled yet.")
    cohort_lookup = "cohort"
    related = ("cohort", "contact")
    list_display = ("contact", "cohort", "state", "enrolled_at")
    list_filter = ("state", OwnCohortFilter)
    search_fields = ("contact__display_name", "contact__external_id", "cohort__title")
    ordering = ("cohort__title", "contact__display_name")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:object_id>/{name}/<uuid:node_id>/",
                self.admin_site.admin_view(self._view_of(verb)),
                name=f"requirements_enrollmentstanding_{name}",
            )
            for name, verb in VERBS.items()
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show how the learner stands; what is said about it has pages of its own."""
        enrollment = self._seen(request, object_id)
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        at = now()
        trees = statuses(enrollment.pk, at=at)
        return self.page(
            request,
            "standing",
            title=_("Requirements of %s") % enrollment.contact,
            enrollment=enrollment,
            at=at,
            standings=self._lines(request, enrollment, trees),
        )

    def _seen(self, request: HttpRequest, object_id: Any) -> EnrollmentStanding:
        """Return the enrolment, to somebody who works with its cohort; raises Http404."""
        enrollment: EnrollmentStanding | None = self.get_object(request, str(object_id))
        if enrollment is None or not self.has_view_permission(request, enrollment):
            raise Http404
        return enrollment

    def _lines(
        self,
        request: HttpRequest,
        enrollment: EnrollmentStanding,
        trees: list[RequirementStatusTree],
    ) -> list[tuple[RequirementStatusTree, list[Line]]]:
        every = [one for tree in trees for one in tree.requirements]
        recorded = [one.evaluation_id for one in every if one.evaluation_id]
        evidence = {found.evaluation.pk: found.pieces for found in grounded_in(recorded)}
        nodes = RequirementNode.objects.in_bulk([one.node_id for one in every])
        return [
            (
                tree,
                [
                    Line(
                        one,
                        str(Status(one.status).label),
                        evidence.get(one.evaluation_id, ()) if one.evaluation_id else (),
                        self._verbs(request, enrollment, nodes[one.node_id], one),
                    )
                    for one in tree.requirements
                ],
            )
            for tree in trees
        ]

    def _verbs(
        self,
        request: HttpRequest,
        enrollment: EnrollmentStanding,
        node: RequirementNode,
        status: RequirementStatus,
    ) -> list[tuple[str, str]]:
        """Return address and label of what the one at work may say about this requirement."""
        principal, cohort_id = principal_of(request), enrollment.cohort_id
        names = []
        if node.kind == NodeKind.SIGNOFF and may_sign_off(
            principal, node=node, cohort_id=cohort_id
        ):
            names.append("withdraw-sign-off" if status.signoff_id else "sign-off")
        if may_waive(principal, cohort_id=cohort_id):
            names.append("withdraw-waiver" if status.waiver_id else "waive")
        base = "admin:requirements_enrollmentstanding_"
        return [
            (reverse(base + name, args=[enrollment.pk, node.pk]), str(LABELS[name]))
            for name in names
        ]

    def _view_of(self, verb: Verb) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: UUID, node_id: UUID) -> HttpResponse:
            return self.word_view(request, object_id, node_id, verb)

        return view

    def word_view(
        self, request: HttpRequest, object_id: UUID, node_id: UUID, verb: Verb
    ) -> HttpResponse:
        """Ask for a reason, and say it: the service leaves the record."""
        enrollment = self._seen(request, object_id)
        node = self._node(request, enrollment, node_id, verb)
        back = url_of(enrollment)
        form = verb.form(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            title = f"{enrollment.contact}: {verb.title % node}"
            return self.form_page(request, form, title=title, back=back, about=enrollment)

        def work() -> None:
            verb.service(
                enrollment=enrollment,
                node=node,
                actor=actor_of(request),
                at=now(),
                **form.cleaned_data,
            )

        return self.carry_out(request, work, done=verb.done, back=back)

    def _node(
        self, request: HttpRequest, enrollment: EnrollmentStanding, node_id: UUID, verb: Verb
    ) -> RequirementNode:
        """Return what is asked of this learner; 404 for anything else, and for who may not."""
        named = RequirementNode.objects.select_related("version").filter(pk=node_id).first()
        node = named and node_in_force(enrollment.pk, named, as_of=now())
        if node is None:
            raise Http404
        principal, cohort_id = principal_of(request), enrollment.cohort_id
        may = (
            may_waive(principal, cohort_id=cohort_id)
            if verb.is_waiver
            else may_sign_off(principal, node=node, cohort_id=cohort_id)
        )
        if not may:
            raise Http404
        return node


LABELS = {
    "sign-off": gettext_lazy("Sign off…"),
    "withdraw-sign-off": gettext_lazy("Withdraw the sign-off…"),
    "waive": gettext_lazy("Waive…"),
    "withdraw-waiver": gettext_lazy("Withdraw the waiver…"),
}
