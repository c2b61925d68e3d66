"""What an assignment would change, before anybody is assigned."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.requirements.rules import evaluate
from apps.requirements.selectors.cases import Case, cases_under
from apps.requirements.selectors.subjects import subjects
from apps.requirements.selectors.versions import Assigned, assigned_versions, set_versions


@dataclass(frozen=True)
class AssignmentChange:
    """What one enrolment would gain or lose: keys of requirements that are met on one side only.

    Without a version of the set so far, everything that would be met is gained.
    """

    enrollment_id: UUID
    contact_id: UUID
    from_version_id: UUID | None
    gained: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def is_unchanged(self) -> bool:
        return not self.gained and not self.lost


def assignment_preview(
    *, version_id: UUID, enrollment_ids: Collection[UUID], at: datetime
) -> list[AssignmentChange]:
    """Return for each enrolment what assigning this version would change, in the ids' order.

    What is recorded under the version before is not carried over, so a requirement that was kept
    only because it was met once is shown as lost. Statements as for one evaluation, twice.
    """
    people = subjects(enrollment_ids)
    version = set_versions([version_id])[version_id]
    assigned = assigned_versions(list(people), as_of=at)
    versions = set_versions({a.version_id for some in assigned.values() for a in some})
    before = {
        enrollment_id: [a for a in some if versions[a.version_id].set_id == version.set_id]
        for enrollment_id, some in assigned.items()
    }
    after = {enrollment_id: [Assigned(version_id)] for enrollment_id in people}
    old = {c.subject.enrollment_id: c for c in cases_under(people.values(), before, as_of=at)}
    new = {c.subject.enrollment_id: c for c in cases_under(people.values(), after, as_of=at)}
    return [
        _change(new[enrollment_id], old.get(enrollment_id), at)
        for enrollment_id in sorted(people)
        if enrollment_id in new
    ]


def _change(new: Case, old: Case | None, at: datetime) -> AssignmentChange:
    now_met = _met(old, at) if old else frozenset()
    then_met = _met(new, at)
    return AssignmentChange(
        enrollment_id=new.subject.enrollment_id,
        contact_id=new.subject.contact_id,
        from_version_id=old.version.id if old else None,
        gained=tuple(sorted(then_met - now_met)),
        lost=tuple(sorted(now_met - then_met)),
    )


def _met(case: Case, at: datetime) -> frozenset[str]:
    found = evaluate(case.version.spec, case.facts, at).statuses
    return frozenset(key for key, status in found.items() if status.is_met)
