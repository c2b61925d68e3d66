"""What rows of history add up to, as known at a moment. Pure.

`known_at` chooses among the revisions, so that replay folds exactly as evaluation did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from apps.assessment.rules.record import is_released
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.events import (
    ASSESSMENT_EVENTS,
    ASSESSMENT_OUTCOMES,
    ITEM_EVENTS,
    EventType,
)
from apps.requirements.claims import ATTENDED, EXCUSED
from apps.requirements.facts import (
    AssessmentContext,
    AttendanceFact,
    CredentialFact,
    EventFact,
    ResultFact,
    SignOffFact,
    WaiverFact,
)
from apps.requirements.graph import Completion
from apps.requirements.rows import (
    FOREVER,
    AttemptRow,
    AttendanceRow,
    EventRow,
    History,
    Place,
    ReleaseRow,
    ResultRow,
    WordRow,
)

Revised = TypeVar("Revised", AttendanceRow, ResultRow)


def newest(rows: Iterable[Revised], known_at: datetime, subject: str) -> dict[Any, Revised]:
    """Return subject -> its highest revision known at that moment."""
    found: dict[Any, Revised] = {}
    for row in rows:
        if row.recorded_at <= known_at:
            key = getattr(row, subject)
            other = found.get(key)
            if other is None or row.revision > other.revision:
                found[key] = row
    return found


def attendance_known(history: History, known_at: datetime) -> dict[UUID, AttendanceFact]:
    """Return session -> the record that counts.

    Of two records for one session, by merged contacts, the better one counts.
    """
    newest_of: dict[tuple[UUID, UUID], AttendanceRow] = {}
    for row in history.attendance:
        key = (row.session, row.enrollment)
        other = newest_of.get(key)
        if row.recorded_at <= known_at and (other is None or row.revision > other.revision):
            newest_of[key] = row
    best: dict[UUID, AttendanceRow] = {}
    for row in newest_of.values():
        rival = best.get(row.session)
        if rival is None or (_rank(row), str(row.id)) < (_rank(rival), str(rival.id)):
            best[row.session] = row
    return {session: AttendanceFact(row.id, row.status) for session, row in best.items()}


def _rank(row: AttendanceRow) -> int:
    return 0 if row.status in ATTENDED else 1 if row.status == EXCUSED else 2


def completions_known(
    history: History, places: Mapping[UUID, Place], known_at: datetime
) -> dict[Completion, EventFact]:
    """Return what is complete, with the event that says so.

    Of a course or module the latest word counts (completed or reopened), by enrolment. Of an item
    the first completion counts, or the first pass of an assessment placed there, as long as that
    attempt's latest outcome is a pass.
    """
    latest: dict[tuple[UUID | None, Completion], EventRow] = {}
    outcomes: dict[UUID | None, EventRow] = {}
    said: list[tuple[Completion, EventRow]] = []
    for event in history.events:
        if event.recorded_at > known_at:
            continue
        if event.type in _ABOUT_PARTS and event.course is not None:
            latest[event.enrollment, _part(event, event.course)] = event
        elif event.type == EventType.ITEM_COMPLETED:
            place = places.get(event.entity) if event.entity is not None else None
            if place is not None:
                said.append((_item(place), event))
        elif event.type in ASSESSMENT_OUTCOMES:
            outcomes[event.entity] = event
    said += [(part, event) for (_by, part), event in latest.items() if event.type in _COMPLETED]
    for event in outcomes.values():
        if event.type == EventType.ASSESSMENT_PASSED:
            said += [(_item(places[item]), event) for item in placed_items(event) if item in places]
    first: dict[Completion, EventFact] = {}
    for completion, event in said:
        known = first.get(completion)
        if known is None or (event.occurred_at, event.id) < (known.occurred_at, known.event):
            first[completion] = EventFact(event.id, event.occurred_at)
    return first


_COMPLETED = frozenset({EventType.COURSE_COMPLETED, EventType.MODULE_COMPLETED})
_ABOUT_PARTS = _COMPLETED | {EventType.COURSE_REOPENED, EventType.MODULE_REOPENED}
COMPLETION_EVENTS = _ABOUT_PARTS | ASSESSMENT_EVENTS | ITEM_EVENTS
"""The types of event that say what is started, complete, or complete no more."""


def _part(event: EventRow, course: UUID) -> Completion:
    if event.type in (EventType.COURSE_COMPLETED, EventType.COURSE_REOPENED):
        return Completion(course)
    return Completion(course, "module", str(event.payload.get("module", "")))


def _item(place: Place) -> Completion:
    return Completion(place.course, "item", place.item)


def named_items(event: EventRow) -> list[UUID]:
    """Return the module items that an event is about: its own, or where an assessment is placed."""
    own = [event.entity] if event.type in ITEM_EVENTS and event.entity is not None else []
    return own + placed_items(event)


def placed_items(event: EventRow) -> list[UUID]:
    """Return the module items that an assessment's event names."""
    named = event.payload.get("module_items", ())
    return [UUID(str(item)) for item in named] if isinstance(named, list | tuple) else []


def started_known(
    history: History, places: Mapping[UUID, Place], known_at: datetime
) -> frozenset[Completion]:
    """Return everything in which something was done: items, their modules and their courses."""
    started: set[Completion] = set()
    for event in history.events:
        if event.recorded_at > known_at:
            continue
        own = places.get(event.entity) if event.entity is not None else None
        placed = [places[item] for item in placed_items(event) if item in places]
        for place in placed if own is None else [own]:
            module = Completion(place.course, "module", place.module)
            started |= {_item(place), module, Completion(place.course)}
    return frozenset(started)


def credentials_known(
    history: History, known_at: datetime
) -> dict[UUID, tuple[CredentialFact, ...]]:
    """Return program -> the credentials that were issued, in order, and since when they ended.

    The payload of an issuing event names its `program` and may carry `expires_at`.
    """
    issued: dict[UUID, tuple[UUID, CredentialFact]] = {}
    for event in history.credential_events:
        if event.recorded_at > known_at or event.entity is None:
            continue
        if event.type in _ISSUING:
            program = _uuid(event.payload.get("program"))
            if program is not None:
                expires_at = _moment(event.payload.get("expires_at"))
                issued[event.entity] = (
                    program,
                    CredentialFact(event.id, event.occurred_at, expires_at),
                )
        elif event.entity in issued:
            program, fact = issued[event.entity]
            ended_at = None if event.type in _REINSTATING else event.occurred_at
            issued[event.entity] = (
                program,
                CredentialFact(fact.event, fact.occurred_at, fact.expires_at, ended_at),
            )
    held: dict[UUID, list[CredentialFact]] = {}
    for program, fact in issued.values():
        held.setdefault(program, []).append(fact)
    return {
        program: tuple(sorted(facts, key=lambda c: (c.occurred_at, str(c.event))))
        for program, facts in held.items()
    }


_ISSUING = frozenset({EventType.CREDENTIAL_ISSUED})
_REINSTATING = frozenset({EventType.CREDENTIAL_REINSTATED, EventType.CREDENTIAL_RENEWED})
CREDENTIAL_EVENTS = (
    _ISSUING
    | _REINSTATING
    | {
        EventType.CREDENTIAL_SUSPENDED,
        EventType.CREDENTIAL_REVOKED,
        EventType.CREDENTIAL_EXPIRED,
    }
)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def results_known(
    history: History, known_at: datetime, as_of: datetime
) -> dict[UUID, tuple[ResultFact, ...]]:
    """Return template -> the results of its attempts that are not void, in order.

    A provisional result, or one that the learner may not see yet, tells nothing but its place:
    requirements must not give away what is held back.
    """
    current = newest(history.results, known_at, "attempt")
    found: dict[UUID, list[ResultFact]] = {}
    for attempt in sorted(history.attempts, key=_in_order):
        result = current.get(attempt.id)
        if result is None or result.is_void or attempt.submitted_at is None:
            continue
        is_told = _is_told(attempt, result, history.releases, known_at, as_of)
        results = found.setdefault(attempt.template, [])
        results.append(
            ResultFact(
                result=result.id,
                attempt_no=len(results) + 1,
                percent=result.percent if is_told else Decimal(0),
                passed=result.passed and is_told,
                occurred_at=attempt.submitted_at,
                is_final=is_told,
            )
        )
    return {template: tuple(results) for template, results in found.items()}


def _in_order(attempt: AttemptRow) -> tuple[datetime, int, str]:
    return attempt.submitted_at or FOREVER, attempt.attempt_no, str(attempt.id)


def _is_told(
    attempt: AttemptRow,
    result: ResultRow,
    releases: Iterable[ReleaseRow],
    known_at: datetime,
    as_of: datetime,
) -> bool:
    decision = release_decision(attempt, releases, known_at)
    return result.is_final and is_released(
        attempt.policy, decision=decision, is_final=True, at=as_of
    )


def assessment_contexts(
    history: History, allowed: Mapping[UUID, int | None], known_at: datetime, as_of: datetime
) -> dict[UUID, AssessmentContext]:
    """Return template -> how it stands, for those with an attempt.

    `allowed` is the number of attempts that the learner has, None without a limit. A void attempt
    is used up all the same. The policy is that of the latest attempt's version.
    """
    current = newest(history.results, known_at, "attempt")
    tried: dict[UUID, list[AttemptRow]] = {}
    for attempt in sorted(history.attempts, key=_in_order):
        tried.setdefault(attempt.template, []).append(attempt)
    contexts = {}
    for template, attempts in tried.items():
        limit = allowed.get(template)
        waiting = [
            attempt.submitted_at
            for attempt in attempts
            if attempt.status in _HANDED_IN
            and attempt.submitted_at is not None
            and not _is_decided(attempt, current, history.releases, known_at, as_of)
        ]
        contexts[template] = AssessmentContext(
            policy=attempts[-1].result_policy,
            attempts_left=None if limit is None else max(limit - len(attempts), 0),
            is_open=any(attempt.status == AttemptStatus.IN_PROGRESS for attempt in attempts),
            submitted_at=min(waiting, default=None),
        )
    return contexts


_HANDED_IN = frozenset({AttemptStatus.SUBMITTED, AttemptStatus.GRADED})


def _is_decided(
    attempt: AttemptRow,
    current: Mapping[UUID, ResultRow],
    releases: Iterable[ReleaseRow],
    known_at: datetime,
    as_of: datetime,
) -> bool:
    result = current.get(attempt.id)
    return result is not None and _is_told(attempt, result, releases, known_at, as_of)


def release_decision(
    attempt: AttemptRow, releases: Iterable[ReleaseRow], known_at: datetime
) -> bool | None:
    """Return the latest decision about the attempt, else about its cohort, else None."""
    own: bool | None = None
    cohorts: bool | None = None
    for release in releases:
        if release.recorded_at > known_at or release.template != attempt.template:
            continue
        if release.attempt == attempt.id:
            own = release.is_released
        elif release.attempt is None and release.cohort == attempt.cohort:
            cohorts = release.is_released
    return cohorts if own is None else own


def words_known(rows: Iterable[WordRow], set_id: UUID, known_at: datetime) -> dict[str, WordRow]:
    """Return node key -> the sign-off or waiver in force in a set: the latest, unless withdrawn."""
    latest: dict[str, WordRow] = {}
    for row in rows:
        if row.set == set_id and row.recorded_at <= known_at:
            latest[row.key] = row
    return {key: row for key, row in latest.items() if not row.is_withdrawn}


def signoff_facts(words: Mapping[str, WordRow]) -> dict[str, SignOffFact]:
    return {key: SignOffFact(word.id, word.occurred_at) for key, word in words.items()}


def waiver_facts(words: Mapping[str, WordRow]) -> dict[str, WaiverFact]:
    return {
        key: WaiverFact(word.id, word.occurred_at, word.expires_at) for key, word in words.items()
    }
