"""What the pages of assessment share."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from apps.cohorts.models import Cohort
from apps.cohorts.selectors import of_staffed
from apps.contacts.admin_base import ReadOnlyAdmin, principal_of
from apps.contacts.capabilities import Capability


class CohortReadOnly(ReadOnlyAdmin):
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


def staffed_cohorts(request: HttpRequest) -> QuerySet[Cohort]:
    """Return the cohorts that whoever is at work may choose."""
    return of_staffed(Cohort.objects.all(), principal_of(request), cohort="id")
