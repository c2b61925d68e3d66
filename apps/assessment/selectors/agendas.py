"""What assessments ask of many enrolments at one moment, in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from apps.assessment.models import (
    Accommodation,
    AssessmentAttempt,
    AssessmentPlacement,
    AssessmentWindow,
)
from apps.assessment.rules.policy import (
    AccommodationTerms,
    StartRefusal,
    VersionTerms,
    effective_policy,
    start_refusal,
)
from apps.assessment.selectors.offers import window_terms
from apps.assessment.selectors.papers import version_terms
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.models import CohortEnrollment

HANDED_IN = (AttemptStatus.SUBMITTED, AttemptStatus.GRADED)


@dataclass(frozen=True)
class OpenAttempt:
    """An attempt that goes on. `ends_at` None: without a time limit."""

    attempt_id: UUID
    enrollment_id: UUID
    title: str
    ends_at: datetime | None


@dataclass(frozen=True)
class DueDate:
    """When an assessment is due for one enrolment, its accommodation counted in."""

    enrollment_id: UUID
    template_id: UUID
    title: str
    due_at: datetime


@dataclass(frozen=True)
class Placed:
    """The assessment at an item of a course, and what its version says about taking it."""

    template_id: UUID
    terms: VersionTerms


@dataclass(frozen=True)
class Taking:
    """How far an enrolment is with an assessment.

    `running` is the attempt that goes on, `handed_in` the newest that is over, a void one left
    out, and `refusal` why no other can be started.
    """

    running: UUID | None
    handed_in: UUID | None
    refusal: StartRefusal | None


@dataclass(frozen=True)
class Agenda:
    """The attempts, windows and accommodations of many enrolments, read once."""

    at: datetime
    attempts: Mapping[tuple[UUID, UUID], Sequence[AssessmentAttempt]]
    windows: Mapping[UUID, Mapping[UUID, AssessmentWindow]]
    granted: Mapping[tuple[UUID | None, UUID | None], AccommodationTerms]

    def running(self) -> list[OpenAttempt]:
        """Return the attempts that still take answers, the one that ends first at the top."""
        open_now = [one for own in self.attempts.values() for one in own if self._is_running(one)]
        open_now.sort(key=lambda one: (one.ends_at is None, one.ends_at or self.at, one.id))
        return [
            OpenAttempt(one.id, one.enrollment_id, one.template.title, one.ends_at)
            for one in open_now
        ]

    def due(
        self,
        enrollments: Collection[CohortEnrollment],
        *,
        before: datetime,
        since: datetime | None = None,
    ) -> list[DueDate]:
        """Return what is due since then (None: from now on) and was not handed in, by its date."""
        found = []
        since = since or self.at
        for enrollment in enrollments:
            for window in self.windows.get(enrollment.cohort_id, {}).values():
                own = self.attempts.get((enrollment.id, window.template_id), ())
                granted = self._granted(enrollment, window.template_id)
                due_at = effective_policy(VersionTerms(), window_terms(window), granted).due_at
                if due_at is None or not since <= due_at < before:
                    continue
                if all(one.status not in HANDED_IN for one in own):
                    title = window.template.title
                    found.append(DueDate(enrollment.id, window.template_id, title, due_at))
        return sorted(found, key=lambda due: (due.due_at, due.title))

    def taking(self, enrollment: CohortEnrollment, placed: Placed) -> Taking:
        """Return how far an enrolment is with an assessment of its courses."""
        own = self.attempts.get((enrollment.id, placed.template_id), ())
        window = self.windows.get(enrollment.cohort_id, {}).get(placed.template_id)
        policy = effective_policy(
            placed.terms,
            window_terms(window) if window else None,
            self._granted(enrollment, placed.template_id),
        )
        return Taking(
            running=next((one.id for one in own if self._is_running(one)), None),
            handed_in=next((one.id for one in reversed(own) if one.status in HANDED_IN), None),
            refusal=start_refusal(policy, attempts_made=len(own), at=self.at),
        )

    def _is_running(self, attempt: AssessmentAttempt) -> bool:
        is_over = attempt.accepts_until is not None and attempt.accepts_until < self.at
        return attempt.status == AttemptStatus.IN_PROGRESS and not is_over

    def _granted(
        self, enrollment: CohortEnrollment, template_id: UUID
    ) -> AccommodationTerms | None:
        learner = enrollment.contact_id
        return self.granted.get((learner, template_id)) or self.granted.get((learner, None))


def agenda(enrollments: Collection[CohortEnrollment], *, at: datetime) -> Agenda:
    """Return what there is to do for these enrolments: three statements."""
    windows: dict[UUID, dict[UUID, AssessmentWindow]] = defaultdict(dict)
    for window in AssessmentWindow.objects.filter(
        cohort__in={enrollment.cohort_id for enrollment in enrollments}
    ).select_related("template"):
        windows[window.cohort_id][window.template_id] = window
    return Agenda(
        at=at,
        attempts=_attempts(enrollments),
        windows=windows,
        granted=_accommodations({enrollment.contact_id for enrollment in enrollments}),
    )


def placed_assessments(module_item_ids: Collection[UUID]) -> dict[UUID, Placed]:
    """Return item -> the assessment that stands there: one statement."""
    rows = AssessmentPlacement.objects.filter(module_item__in=module_item_ids).select_related(
        "assessment_version"
    )
    return {
        row.module_item_id: Placed(
            row.assessment_version.definition_id, version_terms(row.assessment_version)
        )
        for row in rows
    }


def _attempts(
    enrollments: Collection[CohortEnrollment],
) -> dict[tuple[UUID, UUID], list[AssessmentAttempt]]:
    """Return (enrolment, template) -> attempts in their order."""
    found: dict[tuple[UUID, UUID], list[AssessmentAttempt]] = defaultdict(list)
    rows = AssessmentAttempt.objects.filter(enrollment__in=enrollments).select_related("template")
    for attempt in rows.defer("policy", "item_order").order_by("attempt_no"):
        found[attempt.enrollment_id, attempt.template_id].append(attempt)
    return found


def _accommodations(
    contact_ids: Collection[UUID],
) -> dict[tuple[UUID | None, UUID | None], AccommodationTerms]:
    """Return (learner, template or None for all) -> what is granted; the newest counts."""
    rows = Accommodation.objects.filter(
        Q(contact__in=contact_ids) | Q(contact__merged_into__in=contact_ids), ended_at=None
    ).order_by("created_at")
    granted: dict[tuple[UUID | None, UUID | None], AccommodationTerms] = {}
    for row in rows.select_related("contact"):
        is_own = row.contact_id in contact_ids
        learner = row.contact_id if is_own else row.contact.merged_into_id
        granted[learner, row.template_id] = AccommodationTerms(
            time_multiplier=row.time_multiplier, extra_attempts=row.extra_attempts
        )
    return granted
