"""What progress events add up to, and who may assert them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.cohorts.events import ASSESSMENT_EVENTS, ASSESSMENT_OUTCOMES, ITEM_EVENTS, EventType

NOT_STARTED, IN_PROGRESS, COMPLETED = "not_started", "in_progress", "completed"

ASSERTABLE: frozenset[tuple[str, str]] = frozenset(
    {
        (EventType.ITEM_STARTED, "lesson"),
        (EventType.ITEM_COMPLETED, "lesson"),
        (EventType.ITEM_STARTED, "external"),
        (EventType.ITEM_COMPLETED, "external"),
    }
)
"""Who may assert what: a client or learner these events of these kinds of item, nothing else.

Everything that is missing here (passes, completions of modules and courses, credentials) is found
by our own services from what really happened.
"""


@dataclass(frozen=True)
class ItemPlan:
    """One item of a pinned course version, as far as its completion counts."""

    id: UUID
    is_required: bool


@dataclass(frozen=True)
class ModulePlan:
    id: UUID
    key: str
    items: tuple[ItemPlan, ...]


@dataclass(frozen=True)
class CoursePlan:
    """A course as the enrolment's program version pins it."""

    course_id: UUID
    course_version_id: UUID
    modules: tuple[ModulePlan, ...]


@dataclass(frozen=True)
class Happening:
    """A progress event, as far as the fold cares. `entity_id` is the item, or else the attempt."""

    type: str
    entity_id: UUID | None
    items: frozenset[UUID]
    occurred_at: datetime
    time_spent_seconds: int = 0


@dataclass(frozen=True)
class ModuleState:
    id: UUID
    key: str
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True)
class CourseState:
    """How far an enrolment is in one course: the columns of course_progress, and its modules."""

    course_id: UUID
    course_version_id: UUID
    status: str
    percent_complete: int
    last_activity_at: datetime | None
    completed_at: datetime | None
    time_spent_seconds: int
    modules: tuple[ModuleState, ...]


@dataclass(frozen=True)
class Milestone:
    """A progress event that the projection itself finds. `module` is None for a course's own."""

    type: str
    course_id: UUID
    module: ModuleState | None
    occurred_at: datetime


def is_assertable(*, type: str, item_type: str) -> bool:  # noqa: A002
    """Whether clients and learners may assert this event of such an item."""
    return (type, item_type) in ASSERTABLE


def percent_complete(*, completed: int, required: int) -> int:
    """Return floor(100 × completed ÷ required); with nothing required nothing is complete."""
    return completed * 100 // required if required else 0


def fold_course(plan: CoursePlan, happenings: Sequence[Happening]) -> CourseState:
    """Return the state of a course after `happenings`, which are in the order they were recorded.

    An item is completed at its first completion, or at the first attempt that passed and still
    stands: of each attempt the latest outcome counts. A course is completed when all its required
    items are, at the last of these moments; one without required items never is.
    """
    items = {item.id: item for module in plan.modules for item in module.items}
    mine = [event for event in happenings if not event.items.isdisjoint(items)]
    completions = item_completions(mine)
    required = [item.id for item in items.values() if item.is_required]
    done = [item for item in required if item in completions]
    is_complete = bool(required) and len(done) == len(required)
    return CourseState(
        course_id=plan.course_id,
        course_version_id=plan.course_version_id,
        status=COMPLETED if is_complete else IN_PROGRESS if mine else NOT_STARTED,
        percent_complete=percent_complete(completed=len(done), required=len(required)),
        last_activity_at=max((event.occurred_at for event in mine), default=None),
        completed_at=max(completions[item] for item in required) if is_complete else None,
        time_spent_seconds=sum(event.time_spent_seconds for event in mine),
        modules=tuple(_module_state(module, mine, completions) for module in plan.modules),
    )


def item_completions(happenings: Iterable[Happening]) -> dict[UUID, datetime]:
    """Return item -> the moment since which it is complete; events in the order of recording."""
    completions: dict[UUID, datetime] = {}
    outcomes: dict[UUID | None, Happening] = {}
    for event in happenings:
        if event.type == EventType.ITEM_COMPLETED:
            _keep_earliest(completions, event)
        elif event.type in ASSESSMENT_OUTCOMES:
            outcomes[event.entity_id] = event
    for outcome in outcomes.values():
        if outcome.type == EventType.ASSESSMENT_PASSED:
            _keep_earliest(completions, outcome)
    return completions


def _keep_earliest(completions: dict[UUID, datetime], event: Happening) -> None:
    for item in event.items:
        completions[item] = min(completions.get(item, event.occurred_at), event.occurred_at)


def _module_state(
    module: ModulePlan, happenings: Sequence[Happening], completions: dict[UUID, datetime]
) -> ModuleState:
    """A module asks for its required items or, where none is required, for all of them."""
    ids = {item.id for item in module.items}
    asked = {item.id for item in module.items if item.is_required} or ids
    is_complete = bool(asked) and asked <= completions.keys()
    return ModuleState(
        id=module.id,
        key=module.key,
        started_at=min(
            (event.occurred_at for event in happenings if not event.items.isdisjoint(ids)),
            default=None,
        ),
        completed_at=max(completions[item] for item in asked) if is_complete else None,
    )


def milestones(
    state: CourseState, recorded: Iterable[tuple[str, UUID | None]], *, at: datetime
) -> Iterator[Milestone]:
    """Yield the milestones that `state` implies and that are not among those `recorded`.

    `recorded` are (type, entity id) of the course's and its modules' milestones, oldest first.
    What was complete and no longer is (a voided attempt, a regrade) is reopened, at `at`.
    """
    latest: dict[tuple[UUID | None, str], str] = {}
    for type_, entity_id in recorded:
        slot = "started" if type_ == EventType.MODULE_STARTED else "completed"
        latest[entity_id, slot] = type_
    for module in state.modules:
        if module.started_at and (module.id, "started") not in latest:
            yield Milestone(EventType.MODULE_STARTED, state.course_id, module, module.started_at)
        was_complete = latest.get((module.id, "completed")) == EventType.MODULE_COMPLETED
        if module.completed_at and not was_complete:
            yield Milestone(
                EventType.MODULE_COMPLETED, state.course_id, module, module.completed_at
            )
        if was_complete and not module.completed_at:
            yield Milestone(EventType.MODULE_REOPENED, state.course_id, module, at)
    was_complete = latest.get((state.course_id, "completed")) == EventType.COURSE_COMPLETED
    if state.completed_at and not was_complete:
        yield Milestone(EventType.COURSE_COMPLETED, state.course_id, None, state.completed_at)
    if was_complete and not state.completed_at:
        yield Milestone(EventType.COURSE_REOPENED, state.course_id, None, at)


FOLDED = ITEM_EVENTS | ASSESSMENT_EVENTS
"""The types of event that the fold reads."""

MILESTONES = frozenset(
    {
        EventType.MODULE_STARTED,
        EventType.MODULE_COMPLETED,
        EventType.MODULE_REOPENED,
        EventType.COURSE_COMPLETED,
        EventType.COURSE_REOPENED,
    }
)
"""The types of event that the projection writes."""
