"""Who grades what next. A lease is a courtesy between graders; revisions keep them apart."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When

from apps.assessment.models import GradingTask
from apps.assessment.vocabulary import TaskState
from apps.contacts.models import Contact
from apps.core.problems import Conflict

LEASE: Final = timedelta(minutes=15)


class LeaseLost(Conflict):
    code = "lease-lost"
    title = "Somebody else is grading this now, or it is done."


def gradable_tasks(
    *, grader_id: UUID, cohort_ids: Collection[UUID] | None
) -> QuerySet[GradingTask]:
    """Return the open tasks of these cohorts (None: of all), but never of the grader's own work."""
    tasks = GradingTask.objects.filter(state=TaskState.OPEN).exclude(
        Q(attempt__contact_id=grader_id) | Q(attempt__contact__merged_into_id=grader_id)
    )
    if cohort_ids is not None:
        tasks = tasks.filter(attempt__enrollment__cohort_id__in=cohort_ids)
    return tasks


@transaction.atomic
def lease_next_task(
    *,
    grader: Contact,
    cohort_ids: Collection[UUID] | None,
    at: datetime,
    template_id: UUID | None = None,
    item_id: UUID | None = None,
) -> GradingTask | None:
    """Return the next task nobody is at, leased to the grader; their own unfinished one first.

    Two graders never get the same task: rows locked by another are skipped. None: all is done.
    """
    tasks = gradable_tasks(grader_id=grader.id, cohort_ids=cohort_ids).filter(
        Q(leased_by=None) | Q(leased_until__lt=at) | Q(leased_by=grader)
    )
    if template_id is not None:
        tasks = tasks.filter(attempt__template_id=template_id)
    if item_id is not None:
        tasks = tasks.filter(item_id=item_id)
    own_first = Case(When(leased_by=grader, then=Value(0)), default=Value(1))
    task = tasks.order_by(own_first, "id").select_for_update(skip_locked=True, of=("self",)).first()
    return _leased(task, grader, at) if task else None


@transaction.atomic
def lease_task(*, task_id: UUID, grader: Contact, at: datetime) -> GradingTask:
    """Return this task, leased to the grader or, if it is theirs, for longer (a heartbeat).

    Raises LeaseLost when it is closed or somebody else's. That it is within the grader's cohorts
    and not their own work is checked by whoever found it in gradable_tasks.
    """
    task = GradingTask.objects.select_for_update().get(id=task_id)
    is_free = (
        task.leased_by_id in (None, grader.id)
        or task.leased_until is None
        or task.leased_until < at
    )
    if task.state != TaskState.OPEN or not is_free:
        raise LeaseLost
    return _leased(task, grader, at)


def release_task(*, task_id: UUID, grader: Contact) -> None:
    """Give a leased task back; nothing happens if it is not the grader's."""
    GradingTask.objects.filter(id=task_id, leased_by=grader).update(
        leased_by=None, leased_until=None
    )


def _leased(task: GradingTask, grader: Contact, at: datetime) -> GradingTask:
    task.leased_by, task.leased_until = grader, at + LEASE
    task.save(update_fields=["leased_by", "leased_until"])
    return task
