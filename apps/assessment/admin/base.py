"""What the pages of assessment share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.db.utils import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from apps.cohorts.models import Cohort
from apps.cohorts.selectors import of_staffed
from apps.contacts.admin_base import OrganizationModelAdmin, ReadOnlyAdmin, principal_of, tell
from apps.contacts.capabilities import Capability
from apps.core.problems import Problem
from apps.core.refusals import refused_by_database


class Pages(OrganizationModelAdmin):
    """Purpose-built pages beside or instead of Django's own."""

    def page(
        self, request: HttpRequest, template: str, *, title: Any, status: int = 200, **context: Any
    ) -> HttpResponse:
        """Return a page out of templates/admin/assay."""
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(
            request, f"admin/assay/{template}.html", {**shared, **context}, status=status
        )

    def form_page(
        self, request: HttpRequest, form: Any, *, title: Any, back: str, **context: Any
    ) -> HttpResponse:
        """Return a page of one form."""
        return self.page(request, "form_page", title=title, form=form, back=back, **context)

    def succeeded(self, request: HttpRequest, work: Callable[[], Any], *, done: Any) -> bool:
        """Call a service and tell the outcome; False leaves the page as it is, input and all."""
        problem = refusal_of(work)
        if problem is None:
            messages.success(request, done)
            return True
        tell(request, problem)
        return False

    def changelist_url(self) -> str:
        return url_of(self.model, "changelist")

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """Return the object that the page is about; 404 for who doesn't see it."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        return obj


class CohortReadOnly(Pages, ReadOnlyAdmin):
    """Rows of learners: those of the cohorts that one works with, and never one's own.

    Who works here and learns here too sees their own work on the learners' pages alone.
    """

    change_capability = Capability.GRADE
    view_capability = Capability.VIEW_LEARNERS
    to_cohort: str
    to_contact: str

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        principal = principal_of(request)
        rows = of_staffed(super().get_queryset(request), principal, cohort=self.to_cohort)
        me = principal.contact_id
        return rows.exclude(
            Q(**{f"{self.to_contact}_id": me}) | Q(**{f"{self.to_contact}__merged_into_id": me})
        )

    def may_grade(self, request: HttpRequest, cohort_id: UUID) -> bool:
        return principal_of(request).can(Capability.GRADE, cohort_id=cohort_id)


def refusal_of(work: Callable[[], Any]) -> Problem | None:
    """Carry work out in a transaction; return why it was refused, or None."""
    try:
        with transaction.atomic():
            work()
    except Problem as problem:
        return problem
    except DatabaseError as error:
        refused = refused_by_database(error)
        if refused is None:
            raise
        return refused
    return None


def url_of(subject: models.Model | type[models.Model], page: str = "change") -> str:
    """Return the address of an admin page of this object, or of its model."""
    meta = subject._meta
    args = [subject.pk] if isinstance(subject, models.Model) else []
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=args)


def staffed_cohorts(request: HttpRequest) -> QuerySet[Cohort]:
    """Return the cohorts that whoever is at work may choose."""
    return of_staffed(Cohort.objects.all(), principal_of(request), cohort="id")
