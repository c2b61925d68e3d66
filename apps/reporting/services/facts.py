"""Bringing facts up to date: what differs from its sources is written, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apps.cohorts.models import CohortEnrollment
from apps.contacts.services import lock_learners
from apps.core.bulk import insert_many
from apps.reporting.models import Fact
from apps.reporting.selectors.sources import FACT_TABLES, Differences, FactTable, places_of

BATCH: Final = 1_000


@dataclass(frozen=True)
class Refreshed:
    """How many rows of each table were written or removed."""

    rows: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Refreshed) -> Refreshed:
        names = {**self.rows, **other.rows}
        return Refreshed({n: self.rows.get(n, 0) + other.rows.get(n, 0) for n in names})


def refresh_facts(enrollment_id: UUID, *, at: datetime) -> Refreshed:
    """Return what was written to bring one enrolment's facts up to date; called again, nothing.

    The last stage of `learner.advance`.
    """
    return refresh_many(enrollment_ids=[enrollment_id])


def refresh_many(*, enrollment_ids: Collection[UUID]) -> Refreshed:
    """Return what was written for these enrolments, a batch in a transaction of its own.

    The number of statements of a batch does not depend on how many they are. Each batch holds its
    learners, so that nobody's facts are written from what is no longer so.
    """
    ids = sorted(set(enrollment_ids))
    done = Refreshed()
    for start in range(0, len(ids), BATCH):
        done += _refresh(ids[start : start + BATCH])
    return done


def rebuild_facts() -> Refreshed:
    """Make every fact what its sources say; learners go on meanwhile, and right rows stay."""
    return refresh_many(enrollment_ids=list(CohortEnrollment.objects.values_list("id", flat=True)))


@transaction.atomic(savepoint=False)
def _refresh(enrollment_ids: Collection[UUID]) -> Refreshed:
    places = places_of(enrollment_ids)
    lock_learners(place.contact_id for place in places.values())
    return Refreshed(
        {t.name: _store(t, t.differences(enrollment_ids, places)) for t in FACT_TABLES}
    )


def _store(table: FactTable, found: Differences) -> int:
    """Write the differences: at most one statement each for new, changed and removed rows."""
    if found.gone:
        table.model._default_manager.filter(id__in=found.gone).delete()
    insert_many(table.model, _instances(table, ((None, row) for row in found.new)))
    if found.changed:
        table.model._default_manager.bulk_create(
            _instances(table, found.changed),
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=table.columns,
        )
    return len(found)


def _instances(
    table: FactTable, rows: Iterable[tuple[UUID | None, tuple[Any, ...]]]
) -> Iterable[Fact]:
    for known, row in rows:
        values = dict(zip(table.columns, row, strict=True))
        yield table.model(**values) if known is None else table.model(id=known, **values)
