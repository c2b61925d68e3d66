"""Whose rows tell about an enrolment: the learner's, and those of merged aliases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import Coalesce

from apps.cohorts.models import CohortEnrollment, EnrollmentState
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp
from apps.requirements.selectors.prepared import Among, Prepared


@dataclass(frozen=True)
class Subject:
    """An enrolment, and the contacts and enrolments whose facts count for it.

    Other enrolments count when a merged alias of the learner has them in the same cohort. The
    learner's own earlier ones don't: who comes back starts anew. `read_at` is the database's clock
    when this was read.
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
    read_at: datetime


def subjects(enrollment_ids: Collection[UUID]) -> dict[UUID, Subject]:
    """Return enrolment -> subject, for those that exist: one statement, two where people merged."""
    rows = [_Row(*row) for row in _ROWS.rows(enrollments=enrollment_ids)]
    people = {row.person: tuple(sorted({row.person, *row.aliases})) for row in rows}
    others = _other_enrollments(rows, people)
    return {
        row.id: Subject(
            enrollment_id=row.id,
            contact_id=row.contact_id,
            cohort_id=row.cohort_id,
            program_id=row.cohort__program_version__definition_id,
            state=row.state,
            enrolled_at=row.since,
            timezone=row.cohort__timezone,
            contacts=people[row.person],
            enrollments=tuple(sorted({row.id, *others[row.id]})),
            read_at=row.read_at,
        )
        for row in rows
    }


class _Row(NamedTuple):
    """An enrolment as it is read. `person` stands for the learner: a merge's final survivor."""

    id: UUID
    contact_id: UUID
    cohort_id: UUID
    cohort__program_version__definition_id: UUID
    cohort__timezone: str
    state: str
    person: UUID
    aliases: list[UUID]
    since: datetime
    read_at: datetime


def _rows() -> QuerySet[Any, Any]:
    person = Coalesce(OuterRef("contact__merged_into_id"), OuterRef("contact_id"))
    return (
        CohortEnrollment.objects.filter(Among("id", "enrollments"))
        .annotate(
            person=Coalesce("contact__merged_into_id", "contact_id"),
            aliases=ArraySubquery(Contact.objects.filter(merged_into=person).values("id")),
            since=Coalesce("enrolled_at", "created_at"),
            read_at=ClockTimestamp(),
        )
        .order_by("id")
        .values_list(*_Row._fields)
    )


_ROWS = Prepared(_rows)


def _other_enrollments(
    rows: Collection[_Row], people: dict[UUID, tuple[UUID, ...]]
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
        for contact_id, enrollment_id in by_person[row.person, row.cohort_id]:
            if contact_id != row.contact_id:
                found[row.id].append(enrollment_id)
    return found
