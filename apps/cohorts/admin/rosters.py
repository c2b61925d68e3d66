"""The people of a cohort on one page: who takes part and how they do, and who works with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from apps.cohorts.admin.base import CohortPages, cohort_url
from apps.cohorts.forms import AddLearnerForm, AddStaffForm, ChosenForm
from apps.cohorts.models import Cohort, CohortEnrollment, EnrollmentState
from apps.cohorts.selectors import standings
from apps.cohorts.services import (
    add_learner,
    add_staff,
    enroll_all,
    fill_seats,
    remove_staff,
    withdraw_all,
)
from apps.contacts.admin_base import actor_of
from apps.contacts.services import contact_by_email
from apps.core.clock import now
from apps.core.problems import Invalid

PER_PAGE = 200


class AddressUnknown(Invalid):
    code = "address-unknown"
    title = "Nobody here has this address."


class NobodyChosen(Invalid):
    code = "nobody-chosen"
    title = "Choose somebody first."


class RosterPages(CohortPages):
    """The roster page and what can be done there."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        pages: dict[str, tuple[Callable[..., HttpResponse], str]] = {
            "roster/": (self.roster_view, "roster"),
            "roster/add/": (self.add_learner_view, "add_learner"),
            "roster/chosen/": (self.chosen_view, "chosen"),
            "roster/promote/": (self.promote_view, "promote"),
            "staff/add/": (self.add_staff_view, "add_staff"),
            "staff/<uuid:staff_id>/remove/": (self.remove_staff_view, "remove_staff"),
        }
        own = [
            path(f"<uuid:object_id>/{where}", view(page), name=f"cohorts_cohort_{name}")
            for where, (page, name) in pages.items()
        ]
        return [*own, *super().get_urls()]

    def roster_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who takes part, 200 at a time, in a fixed number of statements."""
        cohort = self.cohort_of(request, object_id)
        return self._roster(request, cohort, AddLearnerForm(), AddStaffForm())

    def _roster(
        self, request: HttpRequest, cohort: Cohort, learner: AddLearnerForm, staff: AddStaffForm
    ) -> HttpResponse:
        counts = dict(
            cohort.enrollments.values_list("state").annotate(Count("id")).order_by("state")
        )
        state = request.GET.get("state", "")
        people = cohort.enrollments.select_related("contact")
        if state in EnrollmentState.values:
            people = people.filter(state=state)
        in_order = people.order_by("contact__display_name", "id")
        shown = Paginator(in_order, PER_PAGE).get_page(request.GET.get("p"))
        return self.cohort_page(
            request,
            cohort,
            "cohort_roster",
            title=_("People"),
            counts=[(value, counts[value]) for value in EnrollmentState.values if value in counts],
            state=state,
            shown=shown,
            standings=standings(list(shown)),
            staff=cohort.staff.select_related("contact").order_by("contact__display_name", "role"),
            learner_form=learner,
            staff_form=staff,
        )

    def add_learner_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        cohort = self.cohort_to_run(request, object_id)
        form = AddLearnerForm(request.POST)
        if not form.is_valid():
            return self._roster(request, cohort, form, AddStaffForm())

        def work() -> None:
            add_learner(cohort=cohort, actor=actor_of(request), at=now(), **form.cleaned_data)

        return self._done(request, cohort, work, _("Added."))

    def add_staff_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        cohort = self.cohort_to_run(request, object_id)
        form = AddStaffForm(request.POST)
        if not form.is_valid():
            return self._roster(request, cohort, AddLearnerForm(), form)

        def work() -> None:
            contact = contact_by_email(form.cleaned_data["email"])
            if contact is None:
                raise AddressUnknown
            role = form.cleaned_data["role"]
            add_staff(cohort=cohort, contact=contact, role=role, actor=actor_of(request))

        return self._done(request, cohort, work, _("Added."))

    def remove_staff_view(
        self, request: HttpRequest, object_id: str, staff_id: str
    ) -> HttpResponse:
        cohort = self.cohort_to_run(request, object_id)
        staff = cohort.staff.filter(pk=staff_id).first()
        if staff is None:
            messages.warning(request, _("They work here no longer."))
            return HttpResponseRedirect(cohort_url(cohort, "roster"))
        return self._done(
            request,
            cohort,
            lambda: remove_staff(staff=staff, actor=actor_of(request)),
            _("Removed."),
        )

    def promote_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give free seats to those who wait, in their order."""
        cohort = self.cohort_to_run(request, object_id)

        def work() -> None:
            promoted = fill_seats(cohort=cohort, actor=actor_of(request), at=now())
            self._told(request, cohort, "promoted", promoted)

        return self._done(request, cohort, work, _("Free seats went to those who wait."))

    def chosen_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Withdraw those who were chosen, or enrol the invited among them."""
        cohort = self.cohort_to_run(request, object_id)
        form = ChosenForm(cohort, request.POST)
        chosen = form.chosen

        def withdraw() -> None:
            self._demand(chosen)
            left = withdraw_all(
                cohort=cohort, enrollments=chosen, actor=actor_of(request), at=now()
            )
            self._told(request, cohort, "withdrawn", left)

        def enroll() -> None:
            self._demand(chosen)
            invited = [one.contact for one in chosen if one.state == EnrollmentState.INVITED]
            actor = actor_of(request)
            seated = enroll_all(cohort=cohort, contacts=invited, actor=actor, at=now())
            self._told(request, cohort, "enrolled", seated)

        if "enroll" in request.POST:
            return self._done(request, cohort, enroll, _("The invited among them are enrolled."))
        return self._done(request, cohort, withdraw, _("They are withdrawn."))

    def _demand(self, chosen: list[CohortEnrollment]) -> None:
        if not chosen:
            raise NobodyChosen

    def _told(
        self,
        request: HttpRequest,
        cohort: Cohort,
        verb: str,
        enrollments: list[CohortEnrollment],
    ) -> None:
        """Leave one record for all of them."""
        ids = [str(enrollment.pk) for enrollment in enrollments]
        self.on_record(request, verb, cohort, {"enrollments": ids})

    def _done(self, request: HttpRequest, cohort: Cohort, work: Any, done: str) -> HttpResponse:
        return self.carry_out(request, work, done=done, back=cohort_url(cohort, "roster"))
