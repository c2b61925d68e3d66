"""What happened to a learner, and what it adds up to. Written under the learner's lock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models, transaction

from apps.cohorts.models import Cohort, CohortEnrollment, CourseProgress, ProgressEvent
from apps.cohorts.rules.progress import (
    MILESTONES,
    CourseState,
    Milestone,
    fold_course,
    milestones,
)
from apps.cohorts.selectors import course_plans, happenings
from apps.contacts.models import Contact
from apps.contacts.services import lock_learner, lock_learners
from apps.core.bulk import insert_many, insert_values
from apps.core.outbox import owe, owe_many
from apps.core.problems import Invalid
from apps.programs.models import Course, CourseModule

ADVANCE = "learner.advance"
BATCH = 1_000
PROJECTED = (
    "course_version_id",
    "status",
    "percent_complete",
    "last_activity_at",
    "completed_at",
    "time_spent_seconds",
)
"""The columns of course_progress that the fold decides."""


class IdempotencyKeyReused(Invalid):
    code = "idempotency-key-reused"
    title = "The same idempotency key was used for something else."


@dataclass(frozen=True)
class Projection:
    """What a projection changed: rows written or removed, and the milestones that it found."""

    written: int = 0
    removed: int = 0
    advanced: frozenset[UUID] = frozenset()

    def __add__(self, other: Projection) -> Projection:
        return Projection(
            self.written + other.written,
            self.removed + other.removed,
            self.advanced | other.advanced,
        )


@transaction.atomic
def record_event(
    *,
    enrollment: CohortEnrollment,
    type: str,  # noqa: A002
    occurred_at: datetime,
    entity: models.Model | None = None,
    course: Course | None = None,
    payload: dict[str, Any] | None = None,
    actor: Contact | None = None,
    idempotency_key: str = "",
    owes_step: bool = True,
) -> ProgressEvent:
    """Return the new event, or the one recorded before under this key; owes the learner a step.

    A caller that owes other work which ends in that step may leave it to that. For our own
    services only: what clients say goes through `assert_progress`. Raises IdempotencyKeyReused
    when the key names an event of another type or entity.
    """
    lock_learner(enrollment.contact_id)
    event = ProgressEvent(
        contact_id=enrollment.contact_id,
        enrollment=enrollment,
        course=course,
        type=type,
        entity_type=entity._meta.label_lower if entity is not None else "",
        entity_id=entity.pk if entity is not None else None,
        payload=payload or {},
        occurred_at=occurred_at,
        idempotency_key=idempotency_key,
        asserted_by=actor,
    )
    recorded = recorded_under([event.contact_id], [idempotency_key]).get(
        (event.contact_id, idempotency_key)
    )
    if recorded is not None:
        if not is_repeat(event, recorded):
            raise IdempotencyKeyReused(detail=f"“{idempotency_key}” names another event.")
        return recorded
    event.save(force_insert=True)
    if owes_step:
        owe(ADVANCE, str(enrollment.id))
    return event


def recorded_under(
    contact_ids: Iterable[UUID], keys: Iterable[str]
) -> dict[tuple[UUID, str], ProgressEvent]:
    """Return (contact, key) -> the event of this contact that was recorded under this key."""
    wanted = set(filter(None, keys))
    if not wanted:
        return {}
    events = ProgressEvent.objects.filter(
        contact_id__in=set(contact_ids), idempotency_key__in=wanted
    )
    return {(event.contact_id, event.idempotency_key): event for event in events}


def is_repeat(event: ProgressEvent, recorded: ProgressEvent) -> bool:
    """Whether both speak of the same thing."""
    return (event.type, event.entity_id, event.enrollment_id) == (
        recorded.type,
        recorded.entity_id,
        recorded.enrollment_id,
    )


def begin_progress(*, cohort: Cohort, enrollment_ids: Collection[UUID]) -> None:
    """Store the course progress of enrolments made in this transaction: nothing happened yet."""
    if not enrollment_ids:
        return
    version_id = cohort.program_version_id
    for plan in course_plans({version_id})[version_id]:
        state = fold_course(plan, ())
        insert_values(
            CourseProgress,
            ("enrollment_id",),
            ((enrollment_id,) for enrollment_id in enrollment_ids),
            course_id=state.course_id,
            **{column: getattr(state, column) for column in PROJECTED},
        )


def project_course_progress(enrollment_id: UUID, *, at: datetime) -> None:
    """Bring one enrolment's course progress up to date and record the milestones it reached."""
    project_progress(enrollment_ids=[enrollment_id], at=at)


def project_progress(*, enrollment_ids: Collection[UUID], at: datetime) -> Projection:
    """Bring the course progress of enrolments up to date, each batch in one transaction.

    Returns what changed; called again it changes nothing. Rows exist for whoever was ever
    enrolled. Milestones follow from the events alone, so that they owe no further step here.
    """
    ids = sorted(enrollment_ids)
    done = Projection()
    for start in range(0, len(ids), BATCH):
        done += _project(ids[start : start + BATCH], at)
    return done


def rebuild_course_progress(*, at: datetime) -> Projection:
    """Make every row of course_progress what the events say, a batch of learners at a time.

    Learners go on meanwhile: each batch holds only its own. Rows that were right stay untouched;
    milestones that were missing are recorded, and then a step is owed.
    """
    ids = CohortEnrollment.objects.filter(enrolled_at__isnull=False).values_list("id", flat=True)
    done = project_progress(enrollment_ids=list(ids), at=at)
    orphans = CourseProgress.objects.filter(enrollment__enrolled_at=None)
    removed, _ = orphans.delete()
    with transaction.atomic():
        owe_many(ADVANCE, sorted(str(enrollment_id) for enrollment_id in done.advanced))
    return done + Projection(removed=removed)


@transaction.atomic(savepoint=False)
def _project(enrollment_ids: Collection[UUID], at: datetime) -> Projection:
    enrollments = list(
        CohortEnrollment.objects.filter(id__in=enrollment_ids, enrolled_at__isnull=False)
        .select_related("cohort")
        .order_by("id")
    )
    lock_learners(enrollment.contact_id for enrollment in enrollments)
    states = _folded(enrollments)
    written, removed = _store(states)
    advanced = _record_milestones(states, at)
    return Projection(written, removed, advanced)


def progress_unlike_events(enrollment_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the enrolments whose rows of course_progress are not what the events say."""
    enrollments = CohortEnrollment.objects.filter(
        id__in=enrollment_ids, enrolled_at__isnull=False
    ).select_related("cohort")
    said = {
        (enrollment.id, state.course_id): tuple(getattr(state, name) for name in PROJECTED)
        for enrollment, states in _folded(list(enrollments)).items()
        for state in states
    }
    rows = CourseProgress.objects.filter(enrollment_id__in=enrollment_ids)
    stored = {
        row[:2]: row[2:] for row in rows.values_list("enrollment_id", "course_id", *PROJECTED)
    }
    return {key[0] for key in said.keys() | stored.keys() if said.get(key) != stored.get(key)}


def _folded(enrollments: list[CohortEnrollment]) -> dict[CohortEnrollment, list[CourseState]]:
    """Return enrolment -> the state of each of its courses, as its events add up."""
    plans = course_plans({enrollment.cohort.program_version_id for enrollment in enrollments})
    events = happenings([enrollment.id for enrollment in enrollments])
    return {
        enrollment: [
            fold_course(plan, events.get(enrollment.id, []))
            for plan in plans[enrollment.cohort.program_version_id]
        ]
        for enrollment in enrollments
    }


def _store(states: dict[CohortEnrollment, list[CourseState]]) -> tuple[int, int]:
    """Make the rows what `states` say; return how many were written and removed."""
    known = {
        (row.enrollment_id, row.course_id): row
        for row in CourseProgress.objects.filter(enrollment_id__in=[one.id for one in states])
    }
    new, changed = [], []
    for enrollment, courses in states.items():
        for state in courses:
            row = known.pop((enrollment.id, state.course_id), None)
            values = {column: getattr(state, column) for column in PROJECTED}
            if row is None:
                new.append(
                    CourseProgress(enrollment=enrollment, course_id=state.course_id, **values)
                )
            elif any(getattr(row, column) != value for column, value in values.items()):
                for column, value in values.items():
                    setattr(row, column, value)
                changed.append(row)
    insert_many(CourseProgress, new)
    CourseProgress.objects.bulk_update(changed, PROJECTED, batch_size=BATCH)
    if known:
        CourseProgress.objects.filter(id__in=[row.id for row in known.values()]).delete()
    return len(new) + len(changed), len(known)


def _record_milestones(
    states: dict[CohortEnrollment, list[CourseState]], at: datetime
) -> frozenset[UUID]:
    """Record what the states imply and nobody recorded yet; return whose enrolments those are."""
    recorded: dict[tuple[UUID | None, UUID | None], list[tuple[str, UUID | None]]] = defaultdict(
        list
    )
    for enrollment_id, course_id, type_, entity_id in (
        ProgressEvent.objects.filter(
            enrollment_id__in=[one.id for one in states], type__in=MILESTONES
        )
        .order_by("recorded_at", "id")
        .values_list("enrollment_id", "course_id", "type", "entity_id")
    ):
        recorded[enrollment_id, course_id].append((type_, entity_id))
    found = [
        _event(enrollment, milestone)
        for enrollment, courses in states.items()
        for state in courses
        for milestone in milestones(state, recorded[enrollment.id, state.course_id], at=at)
    ]
    insert_many(ProgressEvent, found)
    return frozenset(event.enrollment_id for event in found if event.enrollment_id)


def _event(enrollment: CohortEnrollment, milestone: Milestone) -> ProgressEvent:
    module = milestone.module
    entity = CourseModule if module else Course
    return ProgressEvent(
        contact_id=enrollment.contact_id,
        enrollment=enrollment,
        course_id=milestone.course_id,
        type=milestone.type,
        entity_type=entity._meta.label_lower,
        entity_id=module.id if module else milestone.course_id,
        payload={"module": module.key} if module else {},
        occurred_at=milestone.occurred_at,
    )
