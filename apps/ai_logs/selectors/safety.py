"""Which cases of the safety queue somebody may see, and who may take them on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.ai_logs.models import AiSafetyReview
from apps.cohorts.models import CohortStaff
from apps.contacts.capabilities import CAPABILITIES, UNSCOPED_ROLES, Capability
from apps.contacts.models import Contact
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids
from apps.core.tenancy import connection
from apps.organizations.models import MembershipStatus, OrgMembership


def visible_reviews(principal: Principal) -> QuerySet[Any]:
    """Return the cases about the cohorts that the caller staffs, or all; nobody's as a learner."""
    rows = AiSafetyReview.objects.select_related(
        "interaction__session__contact",
        "interaction__session__enrollment__cohort",
        "feedback__contact",
        "assignee",
        "decided_by",
    )
    if not principal.has(Capability.READ_CONVERSATIONS):
        return rows.none()
    if principal.visible_cohorts is None:
        return rows
    return rows.filter(interaction__session__enrollment__cohort__in=principal.visible_cohorts)


def reviewers(review: AiSafetyReview) -> QuerySet[Contact]:
    """Return who may decide about a case: by role, for its cohort, and not the learner."""
    able = [role for role, has in CAPABILITIES.items() if Capability.REVIEW_SAFETY in has]
    members = OrgMembership.objects.filter(
        organization_id=connection.tenant.id, org_role__in=able, status=MembershipStatus.ACTIVE
    )
    unscoped: list[UUID] = []
    scoped: list[UUID] = []
    for user_id, role in members.values_list("user_id", "org_role"):
        (unscoped if role in UNSCOPED_ROLES else scoped).append(user_id)
    session = review.interaction.session
    staff = CohortStaff.objects.filter(cohort__enrollments=session.enrollment_id)
    people = Contact.objects.filter(
        Q(user_id__in=unscoped) | Q(user_id__in=scoped, id__in=staff.values("contact_id")),
        merged_into=None,
    )
    own = alias_ids(session.contact_id) if session.contact_id else []
    return people.exclude(id__in=own).order_by("display_name", "id")
