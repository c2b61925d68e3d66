"""Awards as people look at them: one's own, a cohort's, and what waits for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.selectors import of_staffed, of_staffed_or_own
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids, survivor_id
from apps.credentials.models import AwardHold, CertificationAward


@dataclass(frozen=True, slots=True)
class HeldAward:
    """An award as its holder sees it. `state` is an AwardState's value."""

    award_id: UUID
    enrollment_id: UUID
    program_id: UUID
    name: str
    type: str
    badge: str
    certificate_number: str
    legal_name: str
    issued_at: datetime
    expires_at: datetime | None
    state: str


def held_awards(contact_id: UUID, *, at: datetime) -> list[HeldAward]:
    """Return the awards of a person under all their aliases, the newest first."""
    awards = (
        CertificationAward.objects.with_state(at)
        .filter(contact__in=alias_ids(survivor_id(contact_id)))
        .select_related("template", "template_version__definition")
        .order_by("-issued_at", "-id")
    )
    return [
        HeldAward(
            award_id=award.id,
            enrollment_id=award.enrollment_id,
            program_id=award.template.program_id,
            name=award.template_version.name,
            type=award.template.type,
            badge=award.template_version.badge(),
            certificate_number=award.certificate_number,
            legal_name=award.legal_name,
            issued_at=award.issued_at,
            expires_at=award.expires_at,
            state=award.state,
        )
        for award in awards
    ]


def visible_awards(principal: Principal, *, at: datetime) -> QuerySet[CertificationAward]:
    """Return the awards that somebody may see, with their state: their cohorts' and their own."""
    awards: QuerySet[CertificationAward] = CertificationAward.objects.with_state(at)
    return of_staffed_or_own(awards, principal, cohort="enrollment__cohort", contact="contact")


def visible_holds(principal: Principal) -> QuerySet[AwardHold]:
    """Return the holds that somebody may see: those of their cohorts. A learner sees none."""
    return of_staffed(AwardHold.objects.all(), principal, cohort="enrollment__cohort")


def visible_enrollments(principal: Principal) -> QuerySet[CohortEnrollment]:
    """Return the enrolments of the cohorts that somebody works with, with names for a menu."""
    enrollments = CohortEnrollment.objects.select_related("contact", "cohort")
    staffed: QuerySet[CohortEnrollment] = of_staffed(enrollments, principal, cohort="cohort")
    return staffed.order_by("contact__display_name", "id")
