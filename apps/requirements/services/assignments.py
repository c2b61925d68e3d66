"""Binding enrolments to set versions: by default when they begin, later by decision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import Contact
from apps.contacts.services import lock_learners, record_admin_action
from apps.core.models import OutboxMessage, VersionStatus
from apps.core.outbox import owe_many
from apps.core.problems import Conflict, Invalid
from apps.core.revisions import RevisionConflict, is_revision_race
from apps.requirements.facts import Facts
from apps.requirements.models import RequirementAssignment, RequirementSetVersion
from apps.requirements.rules import deadline_of
from apps.requirements.selectors.previews import AssignmentChange, assignment_preview
from apps.requirements.selectors.subjects import Subject, subjects
from apps.requirements.selectors.versions import SetVersion, default_versions, set_versions
from apps.requirements.services.words import given_reason

ENROLLED = "enrolled"
"""The reason of an assignment that the platform makes when a learner enrols."""
_TICK = timedelta(microseconds=1)


class NotAssignable(Conflict):
    code = "not-assignable"
    title = "Only a published version can be assigned."


class ForeignProgram(Invalid):
    code = "foreign-program"
    title = "The requirements are of another program than the learner's."


def assign_requirements(
    *,
    enrollment: CohortEnrollment,
    set_version: RequirementSetVersion,
    actor: Contact | None,
    reason: str,
    at: datetime,
    effective_from: datetime | None = None,
) -> RequirementAssignment:
    """Return the assignment of this version to one enrolment, new or as it is already.

    Raises what assign_to_enrollments raises.
    """
    [assignment] = assign_to_enrollments(
        enrollment_ids=[enrollment.id],
        set_version=set_version,
        actor=actor,
        reason=reason,
        at=at,
        effective_from=effective_from,
    )
    return assignment


@transaction.atomic
def assign_to_enrollments(
    *,
    enrollment_ids: Collection[UUID],
    set_version: RequirementSetVersion,
    actor: Contact | None,
    reason: str,
    at: datetime,
    effective_from: datetime | None = None,
) -> list[RequirementAssignment]:
    """Return the assignments that hold now, in the order of the enrolments' ids.

    Whoever has this version already keeps the assignment they have. Everybody else is owed an
    evaluation, and another at each deadline. All or none: raises NotAssignable for a draft or
    retired version, ForeignProgram for an enrolment in another program, ReasonMissing,
    RevisionConflict.
    """
    reason = given_reason(reason)
    people = _locked(enrollment_ids)
    _refuse_unassignable(set_version, people)
    current = _current(people, {set_version.definition_id})
    terms = {"effective_from": effective_from or at, "reason": reason, "actor": actor}
    new = {
        enrollment_id: _revision(enrollment_id, set_version, held, **terms)
        for enrollment_id in people
        for held in [current.get((enrollment_id, set_version.definition_id))]
        if held is None or held.set_version_id != set_version.id
    }
    _append(new.values())
    _owe(new.values(), people)
    if actor is not None and new:
        details = {"enrollments": sorted(str(e) for e in new), "reason": reason}
        record_admin_action(
            actor=actor, action="requirements.assigned", entity=set_version, details=details
        )
    return [
        new.get(enrollment_id) or current[enrollment_id, set_version.definition_id]
        for enrollment_id in sorted(people)
    ]


def preview_assignment(
    *, enrollment_ids: Collection[UUID], set_version: RequirementSetVersion, at: datetime
) -> list[AssignmentChange]:
    """Return what assigning this version would change, and write nothing.

    Refuses what assign_to_enrollments refuses: NotAssignable, ForeignProgram.
    """
    _refuse_unassignable(set_version, subjects(enrollment_ids))
    return assignment_preview(version_id=set_version.id, enrollment_ids=enrollment_ids, at=at)


def _refuse_unassignable(
    set_version: RequirementSetVersion, people: Mapping[UUID, Subject]
) -> None:
    if set_version.status != VersionStatus.PUBLISHED:
        raise NotAssignable
    if any(s.program_id != set_version.definition.program_id for s in people.values()):
        raise ForeignProgram


def _revision(
    enrollment_id: UUID,
    set_version: RequirementSetVersion,
    held: RequirementAssignment | None,
    **terms: Any,
) -> RequirementAssignment:
    return RequirementAssignment(
        enrollment_id=enrollment_id,
        requirement_set_id=set_version.definition_id,
        set_version=set_version,
        purpose=set_version.definition.purpose,
        revision=1 + (held.revision if held else 0),
        **terms,
    )


def _locked(enrollment_ids: Collection[UUID]) -> dict[UUID, Subject]:
    contacts = CohortEnrollment.objects.filter(id__in=enrollment_ids)
    lock_learners(contacts.values_list("contact_id", flat=True))
    return subjects(enrollment_ids)


def assign_defaults(
    people: Mapping[UUID, Subject], *, bound: Collection[UUID], at: datetime
) -> bool:
    """Assign to everybody who is enrolled and not bound yet what is published now.

    Returns whether anything was assigned. The caller holds the learners' locks.
    """
    free = [
        subject
        for subject in people.values()
        if subject.enrollment_id not in bound and subject.state == EnrollmentState.ENROLLED
    ]
    if not free:
        return False
    defaults = default_versions(subject.program_id for subject in free)
    versions = set_versions({v for some in defaults.values() for v in some})
    new = [
        RequirementAssignment(
            enrollment_id=subject.enrollment_id,
            requirement_set_id=versions[version_id].set_id,
            set_version_id=version_id,
            purpose=versions[version_id].purpose,
            effective_from=at,
            reason=ENROLLED,
            revision=1,
        )
        for subject in free
        for version_id in defaults.get(subject.program_id, ())
    ]
    _append(new)
    _owe_deadlines(new, people, versions)
    return bool(new)


def _current(
    enrollment_ids: Iterable[UUID], set_ids: Collection[UUID]
) -> dict[tuple[UUID, UUID], RequirementAssignment]:
    rows = RequirementAssignment.objects.filter(
        enrollment__in=list(enrollment_ids), requirement_set__in=set_ids
    )
    return {(row.enrollment_id, row.requirement_set_id): row for row in rows.current()}


def _append(new: Iterable[RequirementAssignment]) -> None:
    try:
        RequirementAssignment.objects.bulk_create(new)
    except IntegrityError as error:
        if is_revision_race(error, RequirementAssignment):
            raise RevisionConflict from error
        raise


def _owe(new: Collection[RequirementAssignment], people: Mapping[UUID, Subject]) -> None:
    owe_many(ADVANCE, sorted(str(assignment.enrollment_id) for assignment in new))
    versions = set_versions({assignment.set_version_id for assignment in new})
    _owe_deadlines(new, people, versions)


def _owe_deadlines(
    new: Iterable[RequirementAssignment],
    people: Mapping[UUID, Subject],
    versions: Mapping[UUID, SetVersion],
) -> None:
    """Owe an evaluation right after each deadline: nothing else happens when one passes."""
    moments = {
        (assignment.enrollment_id, deadline + _TICK)
        for assignment in new
        for deadline in _deadlines(
            versions[assignment.set_version_id], people[assignment.enrollment_id]
        )
        if deadline >= assignment.effective_from
    }
    owe_advances(moments)


def _deadlines(version: SetVersion, subject: Subject) -> set[datetime]:
    facts = Facts(version.id, subject.enrolled_at, subject.timezone)
    found = {deadline_of(node, facts) for node in version.spec.nodes}
    return {deadline for deadline in found if deadline is not None}


def owe_advances(moments: Iterable[tuple[UUID, datetime]]) -> None:
    """Owe these enrolments an evaluation, each at its moment to come; one statement."""
    OutboxMessage.objects.bulk_create(
        OutboxMessage(topic=ADVANCE, key=str(enrollment_id), available_at=moment)
        for enrollment_id, moment in sorted(moments, key=str)
    )
