"""Letting learners see their results, or holding them back, by a recorded decision."""

from __future__ import annotations

from django.db import transaction

from apps.assessment.models import AssessmentAttempt, AssessmentTemplate, ResultRelease
from apps.cohorts.models import Cohort
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.outbox import owe, owe_many


@transaction.atomic
def decide_release(
    *,
    template: AssessmentTemplate,
    cohort: Cohort,
    is_released: bool,
    actor: Contact,
    reason: str = "",
) -> ResultRelease:
    """Return the recorded decision to release a cohort's results of an assessment, or hold them.

    Only released results count, so each learner concerned is owed a step.
    """
    decision = ResultRelease.objects.create(
        template=template, cohort=cohort, is_released=is_released, actor=actor, reason=reason
    )
    _record(decision, actor)
    attempts = AssessmentAttempt.objects.filter(template=template, enrollment__cohort=cohort)
    enrollments = attempts.order_by("enrollment").values_list("enrollment", flat=True).distinct()
    owe_many(ADVANCE, [str(enrollment_id) for enrollment_id in enrollments])
    return decision


@transaction.atomic
def decide_attempt_release(
    *, attempt: AssessmentAttempt, is_released: bool, actor: Contact, reason: str = ""
) -> ResultRelease:
    """Return the recorded decision about one attempt's result; it goes before the cohort's."""
    decision = ResultRelease.objects.create(
        template_id=attempt.template_id,
        attempt=attempt,
        is_released=is_released,
        actor=actor,
        reason=reason,
    )
    _record(decision, actor)
    owe(ADVANCE, str(attempt.enrollment_id))
    return decision


def _record(decision: ResultRelease, actor: Contact) -> None:
    action = "assessment.results_released" if decision.is_released else "assessment.results_held"
    record_admin_action(
        actor=actor, action=action, entity=decision, details={"reason": decision.reason}
    )
