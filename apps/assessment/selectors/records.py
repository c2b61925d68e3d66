"""The result of record over a learner's attempts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.assessment.models import AssessmentResult
from apps.assessment.rules.record import Candidate, choose_result


@dataclass(frozen=True)
class ResultFact:
    """The result that counts for one enrolment and assessment. Percent is 0 to 100.

    `attempts` are those it was chosen from: with a result, and not void.
    """

    enrollment_id: UUID
    template_id: UUID
    attempt_id: UUID
    attempt_no: int
    result_id: UUID
    revision: int
    score: Decimal
    max_score: Decimal
    percent: Decimal
    passed: bool
    is_final: bool
    submitted_at: datetime | None
    recorded_at: datetime
    attempts: int


_COLUMNS = (
    "attempt__enrollment_id",
    "attempt__template_id",
    "attempt_id",
    "attempt__attempt_no",
    "id",
    "revision",
    "score",
    "max_score",
    "percent",
    "passed",
    "is_final",
    "attempt__submitted_at",
    "recorded_at",
    "is_void",
    "attempt__version__result_policy",
)


def results_of_record(
    enrollment_ids: Collection[UUID], *, as_of: datetime | None = None
) -> dict[tuple[UUID, UUID], ResultFact]:
    """Return (enrolment, template) -> the result that counts: one statement for any number.

    The policy is that of the version of the latest attempt with a result. Void attempts never
    count; an assessment without a countable result is missing. `as_of`: as known at that moment.
    """
    results = AssessmentResult.objects.filter(attempt__enrollment__in=list(enrollment_ids))
    standing = results.current() if as_of is None else results.as_of(as_of)
    tried: dict[tuple[UUID, UUID], list[Any]] = defaultdict(list)
    for row in standing.values_list(*_COLUMNS):
        tried[row[0], row[1]].append(row)
    return {
        subject: fact for subject, rows in tried.items() if (fact := _of_record(rows)) is not None
    }


def _of_record(rows: list[Any]) -> ResultFact | None:
    attempts = sum(not row[13] for row in rows)
    facts = {row[3]: ResultFact(*(*row[:13], attempts)) for row in rows}
    candidates = [
        Candidate(attempt_no=row[3], percent=row[8], is_final=row[10], is_void=row[13])
        for row in rows
    ]
    policy = max(rows, key=lambda row: row[3])[14]
    chosen = choose_result(policy, candidates)
    return facts[chosen.attempt_no] if chosen else None
