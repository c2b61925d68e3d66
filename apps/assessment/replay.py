"""Promise 4 for results: every stored decision is computed again and compared.

Of each result: (a) the decision from the stored facts under its version is the stored decision;
(b) the history, as it was known when the result was recorded, still yields those facts. Of each
automatic grade: scoring the stored answer again gives the stored score, and the answer that was
graded is the one that was saved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResponse,
    AssessmentResult,
    GradingEvent,
)
from apps.assessment.questions.items import JsonValue
from apps.assessment.questions.numbers import plain
from apps.assessment.rules.canonical import facts_hash
from apps.assessment.rules.results import decide_result, read_facts
from apps.assessment.rules.scoring import needs_person, score_response
from apps.assessment.selectors.papers import published_paper
from apps.assessment.services.results import result_facts
from apps.assessment.vocabulary import GradingKind

BATCH = 500


@dataclass(frozen=True)
class Difference:
    """One stored decision that a replay does not confirm."""

    entity_type: str
    entity_id: UUID
    check: str
    stored: str
    replayed: str


def replay_results(since: datetime | None = None) -> Iterator[Difference]:
    """Yield every difference, attempt by attempt; with `since`, of attempts decided since then.

    A constant number of statements for each five hundred attempts, and one for each version.
    """
    attempts = AssessmentAttempt.objects.filter(results__isnull=False)
    if since is not None:
        attempts = attempts.filter(results__recorded_at__gte=since)
    ids = list(attempts.order_by("id").distinct().values_list("id", flat=True))
    for start in range(0, len(ids), BATCH):
        yield from _replay_batch(ids[start : start + BATCH])


def replay_attempts(attempt_ids: Collection[UUID]) -> Iterator[Difference]:
    """Yield every difference in these attempts: asked before something rests on their results."""
    ids = sorted(attempt_ids)
    for start in range(0, len(ids), BATCH):
        yield from _replay_batch(ids[start : start + BATCH])


def _replay_batch(ids: list[UUID]) -> Iterator[Difference]:
    events: dict[UUID, list[GradingEvent]] = defaultdict(list)
    for event in GradingEvent.objects.filter(attempt__in=ids).order_by("recorded_at", "id"):
        events[event.attempt_id].append(event)
    results: dict[UUID, list[AssessmentResult]] = defaultdict(list)
    for result in AssessmentResult.objects.filter(attempt__in=ids).order_by("revision"):
        results[result.attempt_id].append(result)
    values: dict[UUID, dict[UUID, JsonValue]] = defaultdict(dict)
    saved = AssessmentResponse.objects.filter(attempt__in=ids)
    for attempt_id, item_id, value in saved.values_list("attempt_id", "item_id", "value"):
        values[attempt_id][item_id] = value
    for attempt in AssessmentAttempt.objects.filter(id__in=ids).order_by("id"):
        for event in events[attempt.id]:
            if event.kind == GradingKind.AUTO and event.item_id is not None:
                yield from _replay_grade(attempt, event, values[attempt.id].get(event.item_id))
        for result in results[attempt.id]:
            yield from _replay_result(attempt, result, events[attempt.id])


def _replay_grade(
    attempt: AssessmentAttempt, event: GradingEvent, saved: JsonValue
) -> Iterator[Difference]:
    stored = event.details.get("value")
    if stored != saved:
        yield _difference(event, "answer", stored, saved)
    [item] = published_paper(attempt.version_id).items_of([str(event.item_id)])
    score = None if needs_person(item, stored) else score_response(item, stored).score
    if score != event.score:
        yield _difference(event, "score", event.score, score)


def _replay_result(
    attempt: AssessmentAttempt, result: AssessmentResult, events: list[GradingEvent]
) -> Iterator[Difference]:
    if facts_hash(result.facts) != result.facts_hash:
        yield _difference(result, "hash", result.facts_hash, facts_hash(result.facts))
    try:
        facts = read_facts(result.facts)
        decided = asdict(decide_result(published_paper(attempt.version_id).result_terms, facts))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        yield _difference(result, "facts", "readable facts", repr(error))
        return
    for name, value in decided.items():
        stored = getattr(result, name)
        if stored != value:
            yield _difference(result, name, stored, value)
    known = [event for event in events if event.recorded_at <= result.recorded_at]
    history = result_facts(attempt, known).as_json()
    if facts_hash(history) != result.facts_hash:
        yield _difference(result, "history", result.facts, history)


def _difference(
    row: GradingEvent | AssessmentResult, check: str, stored: object, replayed: object
) -> Difference:
    return Difference(
        entity_type=row._meta.label_lower,
        entity_id=row.pk,
        check=check,
        stored=_text(stored),
        replayed=_text(replayed),
    )


def _text(value: Any) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
