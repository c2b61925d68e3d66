"""How the plan stands: sessions that are required, attempts that are allowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Q

from apps.assessment.models import Accommodation, AssessmentVersion, AssessmentWindow
from apps.assessment.rules.policy import AccommodationTerms, WindowTerms, effective_policy
from apps.assessment.selectors.papers import version_terms
from apps.cohorts.models import CohortSession
from apps.requirements.facts import SessionFact
from apps.requirements.rows import History
from apps.requirements.selectors.subjects import Subject


def required_sessions(cohort_ids: Collection[UUID]) -> dict[UUID, tuple[SessionFact, ...]]:
    """Return cohort -> its required sessions that were not cancelled."""
    sessions: dict[UUID, list[SessionFact]] = defaultdict(list)
    rows = CohortSession.objects.filter(
        cohort__in=cohort_ids, is_required=True, cancelled_at=None
    ).order_by("ends_at", "id")
    for cohort_id, session_id, ends_at in rows.values_list("cohort_id", "id", "ends_at"):
        sessions[cohort_id].append(SessionFact(session_id, ends_at))
    return {cohort_id: tuple(found) for cohort_id, found in sessions.items()}


def attempts_allowed(
    subjects: Collection[Subject], histories: Mapping[UUID, History]
) -> dict[UUID, dict[UUID, int | None]]:
    """Return enrolment -> template -> how many attempts the learner has, None without a limit.

    Only of what was tried: nobody is out of attempts before the first. The version's terms, the
    cohort's window and the learner's accommodation are combined as they are when one is started.
    Three statements, or none.
    """
    versions = {a.version for history in histories.values() for a in history.attempts}
    templates = {a.template for history in histories.values() for a in history.attempts}
    if not versions:
        return {}
    terms = {
        row.id: version_terms(row) for row in AssessmentVersion.objects.filter(id__in=versions)
    }
    windows = _windows({subject.cohort_id for subject in subjects}, templates)
    granted = _accommodations({c for subject in subjects for c in subject.contacts}, templates)
    return {
        subject.enrollment_id: {
            attempt.template: effective_policy(
                terms[attempt.version],
                windows.get((subject.cohort_id, attempt.template)),
                _granted(subject, attempt.template, granted),
            ).attempts_allowed
            for attempt in histories[subject.enrollment_id].attempts
        }
        for subject in subjects
    }


def _windows(
    cohort_ids: Collection[UUID], templates: Collection[UUID]
) -> dict[tuple[UUID, UUID], WindowTerms]:
    rows = AssessmentWindow.objects.filter(cohort__in=cohort_ids, template__in=templates)
    return {
        (row.cohort_id, row.template_id): WindowTerms(attempts_allowed=row.attempts_allowed)
        for row in rows
    }


_Granted = dict[tuple[UUID, UUID | None], AccommodationTerms]


def _accommodations(contact_ids: Collection[UUID], templates: Collection[UUID]) -> _Granted:
    rows = Accommodation.objects.filter(
        Q(template__in=templates) | Q(template=None), contact__in=contact_ids, ended_at=None
    ).order_by("created_at")
    return {
        (row.contact_id, row.template_id): AccommodationTerms(extra_attempts=row.extra_attempts)
        for row in rows
    }


def _granted(subject: Subject, template: UUID, granted: _Granted) -> AccommodationTerms | None:
    """Return what the learner or an alias is granted: for this assessment, else for all."""
    for scope in (template, None):
        for contact_id in subject.contacts:
            if (contact_id, scope) in granted:
                return granted[contact_id, scope]
    return None
