"""Whose rows tell about an enrolment: the learner's, and those of merged aliases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.contacts.models import Contact


@dataclass(frozen=True)
class Subject:
    """An enrolment, and the contacts and enrolments whose facts count for it.

    Other enrolments count when a merged alias of the learner has them in the same cohort. The
    learner's own earlier ones don't: who comes back starts anew.
    """

    enrollment_id: UUID
    contact_id: UUID
    cohort_id: UUID
    program_id: UUID
    state: str
    enrolled_at: datetime
    timezone: str
    contacts: tuple[UUID, ...]
    enrollments: tuple[UUID, ...]


def subjects(enrollment_ids: Collection[UUID]) -> dict[UUID, Subject]:
    """Return enrolment -> subject, for those that exist: three statements at most."""
    rows = list(
        CohortEnrollment.objects.filter(id__in=enrollment_ids)
        .select_related("contact", "cohort__program_version")
        .order_by("id")
    )
    people = _people({_person(row) for row in rows})
    others = _other_enrollments(rows, people)
    return {
        row.id: Subject(
            enrollment_id=row.id,
            contact_id=row.contact_id,
            cohort_id=row.cohort_id,
            program_id=row.cohort.program_version.definition_id,
            state=row.state,
            enrolled_at=row.enrolled_at or row.created_at,
            timezone=row.cohort.timezone,
            contacts=people[_person(row)],
            enrollments=tuple(sorted({row.id, *others[row.id]})),
        )
        for row in rows
    }


def _person(row: CohortEnrollment) -> UUID:
    """Return the contact that stands for the learner: a merge points at the final survivor."""
    return row.contact.merged_into_id or row.contact_id


def _people(person_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Return survivor -> itself and everybody merged into it."""
    contacts: dict[UUID, list[UUID]] = {person_id: [person_id] for person_id in person_ids}
    merged = Contact.objects.filter(merged_into__in=person_ids)
    for person_id, alias in merged.values_list("merged_into_id", "id"):
        contacts[person_id].append(alias)
    return {person_id: tuple(sorted(ids)) for person_id, ids in contacts.items()}


def _other_enrollments(
    rows: Collection[CohortEnrollment], people: dict[UUID, tuple[UUID, ...]]
) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = defaultdict(list)
    merged = {contact for ids in people.values() if len(ids) > 1 for contact in ids}
    if not merged:
        return found
    theirs = CohortEnrollment.objects.filter(
        contact__in=merged, cohort__in={row.cohort_id for row in rows}
    ).exclude(state=EnrollmentState.WITHDRAWN)
    person_of = {contact: person for person, ids in people.items() for contact in ids}
    by_person: dict[tuple[UUID, UUID], list[tuple[UUID, UUID]]] = defaultdict(list)
    for enrollment_id, contact_id, cohort_id in theirs.values_list("id", "contact_id", "cohort_id"):
        by_person[person_of[contact_id], cohort_id].append((contact_id, enrollment_id))
    for row in rows:
        for contact_id, enrollment_id in by_person[person_of[row.contact_id], row.cohort_id]:
            if contact_id != row.contact_id:
                found[row.id].append(enrollment_id)
    return found
