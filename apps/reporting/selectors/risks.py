"""Learners at risk, in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from apps.assessment.selectors.agendas import agenda
from apps.cohorts.models import Cohort, CohortEnrollment, CohortStatus, EnrollmentState
from apps.cohorts.models import ProgressStatus as Progress
from apps.reporting.models import FactAssessment, FactProgress, RiskThresholds
from apps.reporting.risks import (
    Learner,
    Missed,
    NotPassed,
    Risk,
    Thresholds,
    kinds_of,
    risks,
)
from apps.reporting.selectors.dashboards import Scope
from apps.requirements.rules import evaluate
from apps.requirements.selectors.cases import cases

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class AtRisk:
    """A learner and every reason why they are at risk."""

    enrollment_id: UUID
    contact_id: UUID
    name: str
    cohort_id: UUID
    cohort_title: str
    active_on: date | None
    risks: Sequence[Risk]

    @property
    def kinds(self) -> list[str]:
        return kinds_of(self.risks)


def thresholds_of(cohort_ids: Collection[UUID]) -> dict[UUID, Thresholds]:
    """Return cohort -> its thresholds, the usual ones where it has none of its own."""
    own = {row.cohort_id: row for row in RiskThresholds.objects.filter(cohort__in=cohort_ids)}
    return {key: own[key].thresholds if key in own else Thresholds() for key in cohort_ids}


def at_risk(scope: Scope, *, at: datetime) -> list[AtRisk]:
    """Return the learners at risk in open cohorts, those with most kinds of reason first.

    Of the scope its program and cohorts count; risk is about now, so its days do not.
    """
    people = _enrolled(scope)
    completed, active_on = _progress(people)
    going_on = [one for one in people if one.id not in completed]
    thresholds = thresholds_of({one.cohort_id for one in going_on})
    learners = _learners(going_on, active_on, at)
    found = [
        AtRisk(
            enrollment_id=one.id,
            contact_id=one.contact_id,
            name=one.contact.display_name,
            cohort_id=one.cohort_id,
            cohort_title=one.cohort.title,
            active_on=active_on.get(one.id),
            risks=why,
        )
        for one in going_on
        if (why := risks(learners[one.id], thresholds[one.cohort_id], at=at))
    ]
    return sorted(found, key=lambda one: (-len(one.kinds), one.name.casefold(), one.enrollment_id))


def _enrolled(scope: Scope) -> list[CohortEnrollment]:
    cohorts = Cohort.objects.filter(status=CohortStatus.OPEN)
    if scope.cohorts is not None:
        cohorts = cohorts.filter(pk__in=scope.cohorts)
    if scope.program_id is not None:
        cohorts = cohorts.filter(program_version__definition=scope.program_id)
    return list(
        CohortEnrollment.objects.filter(
            cohort__in=cohorts, state=EnrollmentState.ENROLLED
        ).select_related("contact", "cohort")
    )


def _progress(people: Collection[CohortEnrollment]) -> tuple[set[UUID], dict[UUID, date]]:
    """Return who has completed all that is required, and enrolment -> the day it was last active.

    Whoever was never active counts from the day on which their time began.
    """
    facts = FactProgress.objects.filter(enrollment__in=[one.id for one in people])
    asked: dict[UUID, list[bool]] = defaultdict(list)
    active_on: dict[UUID, date] = {}
    columns = ("enrollment_id", "is_required", "status", "begins_on", "last_activity_at")
    for enrollment_id, is_required, status, begins_on, last in facts.values_list(*columns):
        if is_required:
            asked[enrollment_id].append(status == Progress.COMPLETED)
        day = max(begins_on, last.date()) if last else begins_on
        active_on[enrollment_id] = max(day, active_on.get(enrollment_id, day))
    return {key for key, done in asked.items() if all(done)}, active_on


def _learners(
    people: Collection[CohortEnrollment], active_on: dict[UUID, date], at: datetime
) -> dict[UUID, Learner]:
    ids = [one.id for one in people]
    standings = defaultdict(list)
    for case in cases(ids, as_of=at):
        evaluation = evaluate(case.version.spec, case.facts, at)
        standings[case.subject.enrollment_id].append((case.version.spec, case.facts, evaluation))
    not_passed = defaultdict(list)
    failed = FactAssessment.objects.filter(enrollment__in=ids, is_final=True, passed=False)
    rows = failed.order_by("template__title", "template_id")
    for enrollment_id, title, percent in rows.values_list(
        "enrollment_id", "template__title", "percent"
    ):
        not_passed[enrollment_id].append(NotPassed(title, percent))
    missed = defaultdict(list)
    before = at + timedelta(microseconds=1)
    for due in agenda(people, at=at).due(people, since=LONG_AGO, before=before):
        missed[due.enrollment_id].append(Missed(due.title, due.due_at))
    return {
        key: Learner(active_on.get(key), not_passed[key], missed[key], standings[key])
        for key in ids
    }
