"""Rows of history as they were read. Pure.

All revisions are read once, and folding chooses among them: a thousand learners, or one learner at
a thousand moments, cost the same few statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from apps.assessment.rules.policy import EffectivePolicy

FOREVER = datetime.max.replace(tzinfo=UTC)


class AttendanceRow(NamedTuple):
    id: UUID
    session: UUID
    enrollment: UUID
    revision: int
    status: str
    recorded_at: datetime


class EventRow(NamedTuple):
    id: UUID
    enrollment: UUID | None
    type: str
    course: UUID | None
    entity: UUID | None
    payload: Mapping[str, Any]
    occurred_at: datetime
    recorded_at: datetime


class AttemptRow(NamedTuple):
    """An attempt with what is frozen on it; its status is how it stands now."""

    id: UUID
    enrollment: UUID
    cohort: UUID
    template: UUID
    version: UUID
    attempt_no: int
    status: str
    submitted_at: datetime | None
    result_policy: str
    policy: EffectivePolicy


class ResultRow(NamedTuple):
    id: UUID
    attempt: UUID
    revision: int
    percent: Decimal
    passed: bool
    is_final: bool
    is_void: bool
    recorded_at: datetime


class ReleaseRow(NamedTuple):
    template: UUID
    cohort: UUID | None
    attempt: UUID | None
    is_released: bool
    recorded_at: datetime


class WordRow(NamedTuple):
    """A sign-off or waiver, or its withdrawal. `key` is the node's, in any version of the set."""

    id: UUID
    set: UUID
    key: str
    revision: int
    is_withdrawn: bool
    occurred_at: datetime
    expires_at: datetime | None
    recorded_at: datetime


class EvaluationRow(NamedTuple):
    id: UUID
    version: UUID
    key: str
    revision: int
    status: str
    occurred_at: datetime
    recorded_at: datetime


class LinkRow(NamedTuple):
    """What a decision rests on, with what its row speaks of where that is needed."""

    evaluation: UUID
    kind: str
    target: UUID
    attempt: UUID | None = None


class Place(NamedTuple):
    """Where a module item stands: the course, and its own and its module's stable key."""

    course: UUID
    item: str
    module: str


@dataclass(slots=True)
class History:
    """One learner's rows, in the order in which they were recorded."""

    attendance: list[AttendanceRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    credential_events: list[EventRow] = field(default_factory=list)
    attempts: list[AttemptRow] = field(default_factory=list)
    results: list[ResultRow] = field(default_factory=list)
    releases: list[ReleaseRow] = field(default_factory=list)
    signoffs: list[WordRow] = field(default_factory=list)
    waivers: list[WordRow] = field(default_factory=list)
    evaluations: list[EvaluationRow] = field(default_factory=list)
    links: list[LinkRow] = field(default_factory=list)
