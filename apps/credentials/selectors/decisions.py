"""The facts of a decision to award, with a fresh look at what is recorded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.assessment.models import AssessmentResult
from apps.assessment.replay import Difference, replay_attempts
from apps.contacts.models import Contact
from apps.contacts.selectors import survivor_id
from apps.credentials.models import CertificationAward, CertificationTemplateVersion
from apps.credentials.publication import printable
from apps.credentials.rules import AwardFacts, ResultKnown
from apps.requirements.models import RequirementEvaluation
from apps.requirements.rules import evaluate
from apps.requirements.selectors.cases import cases_under
from apps.requirements.selectors.subjects import Subject
from apps.requirements.selectors.versions import Assigned, assigned_versions, set_versions
from apps.requirements.statuses import DecisionStatus


@dataclass(frozen=True)
class RootStanding:
    """The recorded decision about a whole set, and a fresh look at it."""

    evaluation_id: UUID
    status: str
    stands: bool
    confirmed_status: str


def root_standing(
    subject: Subject, *, set_version_id: UUID, assignment_id: UUID | None, at: datetime
) -> RootStanding | None:
    """Return how the set stands for the learner under this version, None while undecided."""
    assigned = {subject.enrollment_id: [Assigned(set_version_id, assignment_id)]}
    for case in cases_under([subject], assigned, as_of=at):
        root = case.version.spec.root
        held = case.held.get(root.key) if root else None
        if root is None or held is None:
            return None
        return RootStanding(
            evaluation_id=held.fact.evaluation,
            status=held.fact.status,
            stands=held.fact.stands,
            confirmed_status=evaluate(case.version.spec, case.facts, at).statuses[root.key].status,
        )
    return None


def award_facts(
    subject: Subject, version: CertificationTemplateVersion, *, at: datetime
) -> tuple[AwardFacts, list[Difference]] | None:
    """Return the facts to decide by, and the differences in full; None while nothing is satisfied.

    Cheap as long as the set is not satisfied: a learner's every step asks. The caller holds the
    learner's locks.
    """
    assigned = _assigned(subject, version.requirement_set_id, at)
    if assigned is None or not _is_satisfied(subject, assigned.version_id):
        return None
    standing = root_standing(
        subject, set_version_id=assigned.version_id, assignment_id=assigned.assignment_id, at=at
    )
    if standing is None:
        return None
    evaluation = RequirementEvaluation.objects.get(pk=standing.evaluation_id)
    results = results_known(subject.enrollments)
    differences = list(replay_attempts([known.attempt for known in results]))
    facts = AwardFacts(
        template_version=version.id,
        set_version=assigned.version_id,
        evaluation=evaluation.id,
        evaluation_status=standing.status,
        evaluation_hash=evaluation.facts_hash,
        stands=standing.stands,
        confirmed_status=standing.confirmed_status,
        enrollments=subject.enrollments,
        results=results,
        differences=tuple(f"{d.entity_type} {d.entity_id} {d.check}" for d in differences),
        legal_name=printed_legal_name(subject.contact_id),
        validity_days=version.validity_days,
        issued_at=at.replace(microsecond=0),
    )
    return facts, differences


def _assigned(subject: Subject, set_id: UUID | None, at: datetime) -> Assigned | None:
    held = assigned_versions([subject.enrollment_id], as_of=at).get(subject.enrollment_id, [])
    versions = set_versions([assigned.version_id for assigned in held])
    return next((a for a in held if versions[a.version_id].set_id == set_id), None)


def _is_satisfied(subject: Subject, set_version_id: UUID) -> bool:
    current = (
        RequirementEvaluation.objects.filter(
            enrollment=subject.enrollment_id, set_version=set_version_id, node__is_root=True
        )
        .order_by("-revision")
        .values_list("status", flat=True)
        .first()
    )
    return current == DecisionStatus.SATISFIED


def results_known(
    enrollment_ids: Collection[UUID], *, known_at: datetime | None = None
) -> tuple[ResultKnown, ...]:
    """Return the result of each attempt of these enrolments, now or as known at a moment."""
    results = AssessmentResult.objects.filter(attempt__enrollment__in=list(enrollment_ids))
    standing = results.current() if known_at is None else results.as_of(known_at)
    rows = standing.order_by("attempt_id")
    columns = ("attempt_id", "id", "revision", "facts_hash")
    return tuple(ResultKnown(*row) for row in rows.values_list(*columns))


def printed_legal_name(contact_id: UUID) -> str:
    """Return the name as it is printed: the legal name, or else the one the person goes by."""
    person = Contact.objects.get(pk=survivor_id(contact_id))
    return printable(person.legal_name) or printable(person.display_name)


def later_decision(award: CertificationAward, subject: Subject, *, at: datetime) -> UUID | None:
    """Return the decision that the award no longer agrees with, or None while it stands.

    Looked at under the version of the requirements that the award rests on, whatever was assigned
    since.
    """
    standing = root_standing(
        subject,
        set_version_id=award.evaluation.set_version_id,
        assignment_id=None,
        at=at,
    )
    if standing is None:
        return award.evaluation_id
    if standing.evaluation_id != award.evaluation_id or not standing.stands:
        return standing.evaluation_id
    return None
