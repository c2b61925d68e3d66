"""What clients and learners may say happened: checked one by one, recorded all at once."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from apps.cohorts import ports
from apps.cohorts.models import (
    CohortEnrollment,
    CohortStatus,
    EnrollmentState,
    ProgressEvent,
)
from apps.cohorts.rules.progress import ASSERTABLE, is_assertable
from apps.cohorts.services.progress import (
    ADVANCE,
    IdempotencyKeyReused,
    is_repeat,
    project_progress,
    recorded_under,
)
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids
from apps.contacts.services import lock_learners
from apps.core.outbox import owe_many
from apps.core.ports import Gate
from apps.core.problems import Conflict, Forbidden, Invalid, NotFound, Problem, TooLarge
from apps.programs.models import ModuleItem, ProgramCourse

MAX_BATCH = 1_000
MAX_TIME_SPENT = 24 * 60 * 60
MAX_KEY = 200
CLIENT_KEY = "client:"
"""Keeps the keys that clients choose apart from the platform's own."""
SAID_KEY = "said:"
"""Begins the key of an event for which no client chose one: it follows from what is said."""

RECORDED, REPEATED, REFUSED = "recorded", "repeated", "refused"


class EventNotAssertable(Forbidden):
    code = "event-not-assertable"
    title = "Only the platform itself can find that this happened."


class ItemLocked(Forbidden):
    code = "item-locked"
    title = "This item is not open to the learner yet."


class NotTakingPart(Conflict):
    code = "not-taking-part"
    title = "The learner does not take part in this cohort at the moment."


class AssertionInvalid(Invalid):
    code = "assertion-invalid"
    title = "The event can't be like this."


class BatchTooLarge(TooLarge):
    code = "batch-too-large"
    title = "Send fewer events at a time."


@dataclass(frozen=True)
class Assertion:
    """One thing that a client says happened. `time_spent` is in seconds.

    Sent again it is the same event: under the client's key or, without one, if it says the very
    same. What has no time of its own happened when it was first received.
    """

    enrollment_id: UUID
    type: str
    item_id: UUID | None
    occurred_at: datetime | None
    idempotency_key: str = ""
    time_spent: int | None = None

    @property
    def key(self) -> str:
        """The key of the event, apart from the platform's own keys."""
        if self.idempotency_key:
            return CLIENT_KEY + self.idempotency_key
        moment = self.occurred_at.astimezone(UTC).isoformat() if self.occurred_at else ""
        said = [str(self.enrollment_id), self.type, str(self.item_id), moment, self.time_spent]
        return SAID_KEY + hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass(frozen=True)
class AssertionOutcome:
    """What became of an assertion: recorded, repeated (known by its key), or refused and why."""

    status: str
    event: ProgressEvent | None = None
    problem: Problem | None = None


@transaction.atomic
def assert_progress(
    *, principal: Principal, assertions: Sequence[Assertion], at: datetime, project: bool = False
) -> list[AssertionOutcome]:
    """Return an outcome for each assertion, in order; the refused ones change nothing.

    Learners speak for themselves, who runs a cohort for its learners; `rules.ASSERTABLE` says of
    what. Whether an item is open is asked before the batch, so an item that only the batch itself
    opens is refused. With `project` the course progress is brought up to date at once. Raises
    BatchTooLarge above 1,000.
    """
    if len(assertions) > MAX_BATCH:
        raise BatchTooLarge(detail=f"At most {MAX_BATCH} events at a time.")
    batch = _load(principal, assertions)
    outcomes = [_outcome(batch, assertion, at) for assertion in assertions]
    events = [outcome.event for outcome in outcomes if outcome.event and outcome.status == RECORDED]
    ProgressEvent.objects.bulk_create(events)
    touched = sorted({event.enrollment_id for event in events if event.enrollment_id})
    owe_many(ADVANCE, [str(enrollment_id) for enrollment_id in touched])
    if project:
        accepted = [outcome.event.enrollment_id for outcome in outcomes if outcome.event]
        project_progress(enrollment_ids=set(filter(None, accepted)), at=at)
    return outcomes


@dataclass
class _Batch:
    """Everything that the checks of one batch read, loaded in a fixed number of queries."""

    principal: Principal
    enrollments: dict[UUID, CohortEnrollment]
    items: dict[UUID, ModuleItem]
    courses: dict[tuple[UUID, UUID], UUID]
    known: dict[tuple[UUID, str], ProgressEvent]
    gates: Mapping[UUID, Mapping[UUID, Gate]]


def _load(principal: Principal, assertions: Sequence[Assertion]) -> _Batch:
    """Lock the learners of whom the principal may speak, then read."""
    own = set(alias_ids(principal.contact_id))
    wanted = CohortEnrollment.objects.filter(
        id__in={assertion.enrollment_id for assertion in assertions}
    )
    mine = {
        enrollment_id: contact_id
        for enrollment_id, contact_id, cohort_id in wanted.values_list(
            "id", "contact_id", "cohort_id"
        )
        if contact_id in own or principal.can(Capability.RUN_COHORTS, cohort_id=cohort_id)
    }
    lock_learners(mine.values())
    enrollments = wanted.select_related("cohort").in_bulk(list(mine))
    pins = ProgramCourse.objects.filter(
        version_id__in={e.cohort.program_version_id for e in enrollments.values()}
    ).values_list("version_id", "course_version_id", "course_version__definition_id")
    items = ModuleItem.objects.defer("body_markdown").in_bulk(
        {assertion.item_id for assertion in assertions if assertion.item_id}
    )
    known = recorded_under(mine.values(), (assertion.key for assertion in assertions))
    return _Batch(
        principal=principal,
        enrollments=enrollments,
        items=items,
        courses={(program, version): course for program, version, course in pins},
        known=known,
        gates=_gates(assertions, enrollments, items, known),
    )


def _gates(
    assertions: Sequence[Assertion],
    enrollments: Mapping[UUID, CohortEnrollment],
    items: Mapping[UUID, ModuleItem],
    known: Mapping[tuple[UUID, str], ProgressEvent],
) -> Mapping[UUID, Mapping[UUID, Gate]]:
    """Return enrolment -> item -> gate for all that is new in the batch, asked at once."""
    asked: dict[UUID, set[UUID]] = defaultdict(set)
    for assertion in assertions:
        enrollment, item_id = enrollments.get(assertion.enrollment_id), assertion.item_id
        if enrollment is None or item_id is None or item_id not in items:
            continue
        if (enrollment.contact_id, assertion.key) not in known:
            asked[enrollment.id].add(item_id)
    return ports.may_open_items(asked) if asked else {}


def _outcome(batch: _Batch, assertion: Assertion, at: datetime) -> AssertionOutcome:
    """Check one assertion and remember its key, so that the batch itself can repeat it."""
    try:
        event = _checked(batch, assertion, at)
    except Problem as problem:
        return AssertionOutcome(REFUSED, problem=problem)
    slot = (event.contact_id, event.idempotency_key)
    recorded = batch.known.get(slot)
    if recorded is not None:
        return AssertionOutcome(REPEATED, event=recorded)
    batch.known[slot] = event
    return AssertionOutcome(RECORDED, event=event)


def _checked(batch: _Batch, assertion: Assertion, at: datetime) -> ProgressEvent:
    """Return the event that the assertion stands for, unsaved; raises the Problem with it."""
    if assertion.type not in {type_ for type_, _ in ASSERTABLE}:
        raise EventNotAssertable(detail=f"“{assertion.type}” can't be asserted.")
    enrollment = batch.enrollments.get(assertion.enrollment_id)
    item = batch.items.get(assertion.item_id) if assertion.item_id else None
    if enrollment is None or item is None:
        raise NotFound("There is no such item for such an enrolment.")
    course_id = batch.courses.get((enrollment.cohort.program_version_id, item.version_id))
    if course_id is None:
        raise NotFound("There is no such item for such an enrolment.")
    if not is_assertable(type=assertion.type, item_type=item.type):
        detail = f"“{assertion.type}” can't be asserted of an item of type “{item.type}”."
        raise EventNotAssertable(detail=detail)
    _check_time(assertion, enrollment, at)
    event = ProgressEvent(
        contact_id=enrollment.contact_id,
        enrollment=enrollment,
        course_id=course_id,
        type=assertion.type,
        entity_type=ModuleItem._meta.label_lower,
        entity_id=item.id,
        payload={} if assertion.time_spent is None else {"time_spent": assertion.time_spent},
        occurred_at=assertion.occurred_at or at,
        idempotency_key=assertion.key,
        asserted_by_id=batch.principal.contact_id,
    )
    recorded = batch.known.get((event.contact_id, event.idempotency_key))
    if recorded is not None:
        if not is_repeat(event, recorded):
            raise IdempotencyKeyReused
        return event
    _check_open(batch, enrollment, item)
    return event


def _check_time(assertion: Assertion, enrollment: CohortEnrollment, at: datetime) -> None:
    occurred_at = assertion.occurred_at or at
    if occurred_at > at:
        problem = ("occurred_at", "in-the-future", "This has not happened yet.")
    elif enrollment.enrolled_at is not None and occurred_at < enrollment.enrolled_at:
        problem = ("occurred_at", "before-enrolment", "This was before the learner enrolled.")
    elif assertion.time_spent is not None and not 0 <= assertion.time_spent <= MAX_TIME_SPENT:
        message = f"Time spent is between 0 and {MAX_TIME_SPENT} seconds."
        problem = ("time_spent", "range", message)
    elif len(assertion.idempotency_key) > MAX_KEY:
        message = f"A key has at most {MAX_KEY} characters."
        problem = ("idempotency_key", "length", message)
    else:
        return
    field_, code, message = problem
    raise AssertionInvalid(errors=[{"field": field_, "code": code, "message": message}])


def _check_open(batch: _Batch, enrollment: CohortEnrollment, item: ModuleItem) -> None:
    takes_part = enrollment.state == EnrollmentState.ENROLLED
    if not takes_part or enrollment.cohort.status != CohortStatus.OPEN:
        raise NotTakingPart
    gate = batch.gates[enrollment.id][item.id]
    if not gate.allowed:
        raise ItemLocked(detail=gate.reason, reason=gate.code)
