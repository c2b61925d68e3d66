"""What an enrolment may take: which version, under which terms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache
from django.db.models import F, Q, QuerySet

from apps.assessment.models import (
    Accommodation,
    AssessmentAttempt,
    AssessmentPlacement,
    AssessmentTemplate,
    AssessmentVersion,
    AssessmentWindow,
)
from apps.assessment.rules.policy import AccommodationTerms, WindowTerms
from apps.assessment.selectors.papers import KEPT_SECONDS, SHAPE
from apps.cohorts.models import CohortEnrollment


@dataclass(frozen=True)
class Placement:
    """Where an assessment stands in the courses that a cohort's program version pins."""

    template_id: UUID
    version_id: UUID
    module_item_id: UUID
    course_id: UUID


@dataclass(frozen=True)
class Offer:
    """The version that an enrolment takes, and what its cohort and learner are granted."""

    version_id: UUID
    window: WindowTerms | None
    accommodation: AccommodationTerms | None


def placements(cohort_id: UUID, template_ids: Collection[UUID] | None = None) -> list[Placement]:
    """Return where assessments stand in a cohort's pinned courses, in course order.

    A cohort pins a frozen program of frozen courses for good, so they are cached.
    """
    key = f"assessment.placements.{SHAPE}.{cohort_id}"
    placed = cache.get(key)
    if not isinstance(placed, tuple):
        placed = _placements(cohort_id)
        cache.set(key, placed, KEPT_SECONDS)
    return [one for one in placed if template_ids is None or one.template_id in template_ids]


def _placements(cohort_id: UUID) -> tuple[Placement, ...]:
    rows = AssessmentPlacement.objects.filter(version__pinned_by__version__cohorts=cohort_id)
    values = rows.order_by(
        "version__pinned_by__position", "module_item__module__position", "module_item__position"
    ).values_list(
        "assessment_version__definition_id",
        "assessment_version_id",
        "module_item_id",
        "version__definition_id",
    )
    return tuple(Placement(*row) for row in values)


_PLACED = (
    "cohort__program_version__courses__course_version"
    "__assessment_placements__assessment_version__definition"
)


def enrollments_offered(contact_id: UUID, template_id: UUID) -> list[CohortEnrollment]:
    """Return the person's enrolments whose cohort offers this assessment, the newest first.

    Under any of their aliases, and in any state: who is no longer enrolled is told so.
    """
    own = Q(contact_id=contact_id) | Q(contact__merged_into_id=contact_id)
    offered = Q(**{_PLACED: template_id}) | Q(cohort__assessment_windows__template=template_id)
    found = CohortEnrollment.objects.filter(own, offered, enrolled_at__isnull=False)
    return list(found.distinct().order_by("-created_at", "-id"))


def readable_templates(contact_id: UUID) -> QuerySet[AssessmentTemplate]:
    """Return the assessments that a learner's cohorts offer, or that they have attempted."""
    own = CohortEnrollment.objects.filter(
        Q(contact_id=contact_id) | Q(contact__merged_into_id=contact_id),
        enrolled_at__isnull=False,
    )
    placed = AssessmentPlacement.objects.filter(
        version__pinned_by__version__cohorts__in=own.values("cohort_id")
    )
    windowed = AssessmentWindow.objects.filter(cohort__in=own.values("cohort_id"))
    attempted = AssessmentAttempt.objects.filter(enrollment__in=own)
    return AssessmentTemplate.objects.filter(
        Q(id__in=placed.values("assessment_version__definition_id"))
        | Q(id__in=windowed.values("template_id"))
        | Q(id__in=attempted.values("template_id"))
    )


def offer(enrollment: CohortEnrollment, template_id: UUID) -> Offer | None:
    """Return what the enrolment is offered, or None: neither placed in its courses nor windowed.

    A placed assessment is taken in the version that the course pins (the first placement counts);
    one that the cohort only has a window for, in its latest published version.
    """
    window = AssessmentWindow.objects.filter(
        cohort_id=enrollment.cohort_id, template_id=template_id
    ).first()
    placed = placements(enrollment.cohort_id, [template_id])
    if placed:
        version_id: UUID | None = placed[0].version_id
    elif window is not None:
        latest = AssessmentVersion.objects.filter(definition_id=template_id).latest_published()
        version_id = latest.id if latest else None
    else:
        version_id = None
    if version_id is None:
        return None
    return Offer(
        version_id=version_id,
        window=window_terms(window) if window else None,
        accommodation=accommodation_terms(enrollment.contact_id, template_id),
    )


def accommodation_terms(contact_id: UUID, template_id: UUID) -> AccommodationTerms | None:
    """Return what the learner, or an alias, is granted; for this template goes before for all."""
    granted = (
        Accommodation.objects.filter(
            Q(contact_id=contact_id) | Q(contact__merged_into_id=contact_id),
            Q(template_id=template_id) | Q(template=None),
            ended_at=None,
        )
        .order_by(F("template_id").asc(nulls_last=True), "-created_at")
        .first()
    )
    if granted is None:
        return None
    return AccommodationTerms(
        time_multiplier=granted.time_multiplier, extra_attempts=granted.extra_attempts
    )


def window_terms(window: AssessmentWindow) -> WindowTerms:
    """Return what a window says."""
    return WindowTerms(
        opens_at=window.opens_at,
        due_at=window.due_at,
        closes_at=window.closes_at,
        attempts_allowed=window.attempts_allowed,
        time_limit_seconds=window.time_limit_seconds,
    )
