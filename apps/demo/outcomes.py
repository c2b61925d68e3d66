"""How a group of the demo ends: words of people, awards, and what is taken back."""

from __future__ import annotations

from datetime import timedelta

from apps.assessment.selectors.records import results_of_record
from apps.cohorts.services import end_cohort
from apps.credentials.models import CertificationAward
from apps.credentials.services import consider_awards, grant_award, revoke_award
from apps.credentials.vocabulary import AwardMode
from apps.demo.answers import luck
from apps.demo.groups import Group
from apps.demo.studies import Studies
from apps.requirements.models import RequirementEvaluation, RequirementNode
from apps.requirements.services import evaluate_enrollments, sign_off, waive
from apps.requirements.statuses import DecisionStatus

SEEN_AFTER = timedelta(days=3)
"""How long after the practical an instructor sees the learner at a real space."""
REVOKED_AFTER = timedelta(days=6)
NOT_SEEN_YET = 0.1
"""The share of learners whom nobody had time to see."""


def conclude(studies: Studies) -> None:
    """Bring an ended group to its end: sign-offs, a waiver, awards; then one is revoked."""
    group = studies.group
    _sign_off(group)
    _waive(group)
    evaluate_enrollments(
        enrollment_ids=[learner.enrollment.id for learner in group.learners], at=group.ends_at
    )
    _award(group)
    end_cohort(cohort=group.cohort, actor=group.director, at=group.ends_at)
    _revoke(group)


def _need(group: Group, key: str) -> RequirementNode:
    nodes = RequirementNode.objects.select_related("version")
    return nodes.get(version=group.curriculum.certification, key=key)


def _sign_off(group: Group) -> None:
    plan = group.organization
    if not plan.signoff_need:
        return
    node = _need(group, plan.signoff_need)
    template_id = group.curriculum.assessments[plan.signoff_after].definition_id
    results = results_of_record([learner.enrollment.id for learner in group.learners])
    for learner in group.learners:
        result = results.get((learner.enrollment.id, template_id))
        if result is None or not result.passed or result.submitted_at is None:
            continue
        if luck(learner.email, "seen") < NOT_SEEN_YET:
            continue
        sign_off(
            enrollment=learner.enrollment,
            node=node,
            actor=group.instructor,
            at=min(result.submitted_at + SEEN_AFTER, group.ends_at),
        )


def _waive(group: Group) -> None:
    if group.plan.waived is None:
        return
    email, reason = group.plan.waived
    waive(
        enrollment=group.learner(email).enrollment,
        node=_need(group, group.organization.attendance_need),
        actor=group.director,
        reason=reason,
        at=group.ends_at - timedelta(days=2),
    )


def _award(group: Group) -> None:
    """Let the platform award, or the director, who leaves the last one for a visitor to grant."""
    certificate = group.curriculum.certificate
    decisions = RequirementEvaluation.objects.filter(
        node__version=group.curriculum.certification, node__is_root=True
    ).current()
    earned = set(
        decisions.filter(status=DecisionStatus.SATISFIED).values_list("enrollment_id", flat=True)
    )
    due = [learner for learner in group.learners if learner.enrollment.id in earned]
    if certificate.award_mode == AwardMode.AUTOMATIC:
        for learner in due:
            consider_awards(learner.enrollment.id, at=group.ends_at)
        return
    for learner in due[:-1]:
        grant_award(
            enrollment=learner.enrollment,
            template=certificate.definition,
            actor=group.director,
            at=group.ends_at,
        )


def _revoke(group: Group) -> None:
    if group.plan.revoked is None:
        return
    email, reason = group.plan.revoked
    award = CertificationAward.objects.get(enrollment=group.learner(email).enrollment)
    revoke_award(
        award=award,
        actor=group.director,
        reason=reason,
        at=min(group.ends_at + REVOKED_AFTER, group.now),
    )
