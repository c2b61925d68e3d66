"""Whose requirements a principal may see, and what they may decide about them."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.selectors import of_staffed, of_staffed_or_own
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.requirements.models import RequirementNode

Row = TypeVar("Row", bound=Model)


def visible_enrollments(principal: Principal) -> QuerySet[CohortEnrollment]:
    """Return the enrolments of cohorts that the caller works with, and their own."""
    return of_staffed_or_own(
        CohortEnrollment.objects.select_related("contact"),
        principal,
        cohort="cohort",
        contact="contact",
    )


def visible_rows(rows: QuerySet[Row], principal: Principal) -> QuerySet[Row]:
    """Return the rows about such enrolments; each row has an `enrollment`."""
    return of_staffed_or_own(
        rows, principal, cohort="enrollment__cohort", contact="enrollment__contact"
    )


def staffed_rows(rows: QuerySet[Row], principal: Principal) -> QuerySet[Row]:
    """Return the rows about learners of cohorts that the caller works with, as staff see them."""
    return of_staffed(rows, principal, cohort="enrollment__cohort")


def may_sign_off(principal: Principal, *, node: RequirementNode, cohort_id: UUID) -> bool:
    """Whether the caller may sign off this requirement in this cohort.

    They need the capability that the requirement names, and that of signing off: a requirement
    that names one of those who only look makes nobody a signatory.
    """
    return all(
        principal.can(capability, cohort_id=cohort_id)
        for capability in (Capability.SIGN_OFF, node.signoff_capability)
        if capability
    )


def may_waive(principal: Principal, *, cohort_id: UUID) -> bool:
    """Whether the caller may waive requirements in this cohort."""
    return principal.can(Capability.WAIVE, cohort_id=cohort_id)


def may_assign(principal: Principal, *, cohort_id: UUID) -> bool:
    """Whether the caller may assign sets to learners of this cohort."""
    return principal.can(Capability.RUN_COHORTS, cohort_id=cohort_id)
