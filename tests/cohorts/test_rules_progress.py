from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.cohorts.events import EventType
from apps.cohorts.rules.progress import (
    COMPLETED,
    IN_PROGRESS,
    NOT_STARTED,
    CoursePlan,
    CourseState,
    Happening,
    ItemPlan,
    Milestone,
    ModulePlan,
    ModuleState,
    fold_course,
    is_assertable,
    milestones,
    percent_complete,
)

COURSE, VERSION = UUID(int=1), UUID(int=2)
READ, TEST, EXTRA = UUID(int=11), UUID(int=12), UUID(int=13)
ONE, TWO = UUID(int=21), UUID(int=22)
FIRST_TRY, SECOND_TRY = UUID(int=31), UUID(int=32)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

PLAN = CoursePlan(
    course_id=COURSE,
    course_version_id=VERSION,
    modules=(
        ModulePlan(ONE, "one", (ItemPlan(READ, True), ItemPlan(EXTRA, False))),
        ModulePlan(TWO, "two", (ItemPlan(TEST, True),)),
    ),
)


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def item(type_: str, item_id: UUID, minute: int, spent: int = 0) -> Happening:
    return Happening(type_, item_id, frozenset({item_id}), at(minute), spent)


def attempt(type_: str, attempt_id: UUID, minute: int) -> Happening:
    return Happening(type_, attempt_id, frozenset({TEST}), at(minute))


READ_IT = item(EventType.ITEM_COMPLETED, READ, 5, spent=240)
PASSED = attempt(EventType.ASSESSMENT_PASSED, FIRST_TRY, 9)


def test_fold_course_without_events_is_not_started() -> None:
    assert fold_course(PLAN, []) == CourseState(
        course_id=COURSE,
        course_version_id=VERSION,
        status=NOT_STARTED,
        percent_complete=0,
        last_activity_at=None,
        completed_at=None,
        time_spent_seconds=0,
        modules=(ModuleState(ONE, "one", None, None), ModuleState(TWO, "two", None, None)),
    )


def test_fold_course_halfway_counts_required_items_only() -> None:
    extra = item(EventType.ITEM_STARTED, EXTRA, 7, spent=60)

    assert fold_course(PLAN, [READ_IT, extra]) == CourseState(
        course_id=COURSE,
        course_version_id=VERSION,
        status=IN_PROGRESS,
        percent_complete=50,
        last_activity_at=at(7),
        completed_at=None,
        time_spent_seconds=300,
        modules=(ModuleState(ONE, "one", at(5), at(5)), ModuleState(TWO, "two", None, None)),
    )


def test_fold_course_is_completed_by_its_last_required_item() -> None:
    state = fold_course(PLAN, [READ_IT, PASSED])

    assert (state.status, state.percent_complete, state.completed_at) == (COMPLETED, 100, at(9))


def test_fold_course_after_a_void_is_open_again() -> None:
    voided = attempt(EventType.ASSESSMENT_VOIDED, FIRST_TRY, 20)

    state = fold_course(PLAN, [READ_IT, PASSED, voided])

    assert (state.status, state.percent_complete, state.completed_at) == (IN_PROGRESS, 50, None)


def test_fold_course_keeps_a_pass_that_a_later_attempt_does_not_repeat() -> None:
    failed = attempt(EventType.ASSESSMENT_FAILED, SECOND_TRY, 30)

    assert fold_course(PLAN, [READ_IT, PASSED, failed]).completed_at == at(9)


def test_fold_course_takes_the_latest_outcome_of_each_attempt() -> None:
    regraded = attempt(EventType.ASSESSMENT_FAILED, FIRST_TRY, 30)
    second = attempt(EventType.ASSESSMENT_PASSED, SECOND_TRY, 40)

    assert fold_course(PLAN, [READ_IT, PASSED, regraded]).percent_complete == 50
    assert fold_course(PLAN, [READ_IT, PASSED, regraded, second]).completed_at == at(40)


def test_fold_course_ignores_what_belongs_to_other_courses() -> None:
    assert fold_course(PLAN, [item(EventType.ITEM_COMPLETED, UUID(int=99), 1)]) == fold_course(
        PLAN, []
    )


def test_fold_course_without_required_items_is_never_completed() -> None:
    optional = replace(PLAN, modules=(ModulePlan(ONE, "one", (ItemPlan(EXTRA, False),)),))
    done = [item(EventType.ITEM_COMPLETED, EXTRA, 3)]

    state = fold_course(optional, done)

    assert (state.status, state.percent_complete) == (IN_PROGRESS, 0)
    assert state.modules == (ModuleState(ONE, "one", at(3), at(3)),)


@pytest.mark.parametrize(
    ("completed", "required", "percent"),
    [(0, 0, 0), (0, 3, 0), (1, 3, 33), (2, 3, 66), (3, 3, 100), (199, 200, 99)],
)
def test_percent_complete_is_floored(completed: int, required: int, percent: int) -> None:
    assert percent_complete(completed=completed, required=required) == percent


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        type=st.sampled_from(
            [
                EventType.ITEM_STARTED,
                EventType.ITEM_COMPLETED,
                EventType.ASSESSMENT_PASSED,
                EventType.ASSESSMENT_FAILED,
                EventType.ASSESSMENT_VOIDED,
            ]
        ),
        entity_id=st.sampled_from([FIRST_TRY, SECOND_TRY]),
        items=st.frozensets(st.sampled_from([READ, TEST, EXTRA]), min_size=1),
        occurred_at=st.integers(0, 1000).map(at),
        time_spent_seconds=st.integers(0, 600),
    ),
    max_size=12,
)


@given(HAPPENINGS)
def test_fold_course_is_completed_exactly_at_100_percent(events: list[Happening]) -> None:
    state = fold_course(PLAN, events)

    assert (state.status == COMPLETED) == (state.percent_complete == 100)
    assert (state.status == COMPLETED) == (state.completed_at is not None)
    assert (state.status == NOT_STARTED) == (not events)
    assert state.time_spent_seconds == sum(event.time_spent_seconds for event in events)


def recorded(found: list[Milestone]) -> list[tuple[str, UUID | None]]:
    return [(m.type, m.module.id if m.module else m.course_id) for m in found]


def test_milestones_of_a_completed_course() -> None:
    state = fold_course(PLAN, [READ_IT, PASSED])
    one, two = state.modules

    assert list(milestones(state, [], at=at(60))) == [
        Milestone(EventType.MODULE_STARTED, COURSE, one, at(5)),
        Milestone(EventType.MODULE_COMPLETED, COURSE, one, at(5)),
        Milestone(EventType.MODULE_STARTED, COURSE, two, at(9)),
        Milestone(EventType.MODULE_COMPLETED, COURSE, two, at(9)),
        Milestone(EventType.COURSE_COMPLETED, COURSE, None, at(9)),
    ]


def test_milestones_reopen_what_fell_away() -> None:
    before = fold_course(PLAN, [READ_IT, PASSED])
    known = recorded(list(milestones(before, [], at=at(60))))
    voided = attempt(EventType.ASSESSMENT_VOIDED, FIRST_TRY, 70)
    after = fold_course(PLAN, [READ_IT, PASSED, voided])

    assert list(milestones(after, known, at=at(80))) == [
        Milestone(EventType.MODULE_REOPENED, COURSE, after.modules[1], at(80)),
        Milestone(EventType.COURSE_REOPENED, COURSE, None, at(80)),
    ]


@given(st.lists(HAPPENINGS, min_size=1, max_size=4))
def test_milestones_once_recorded_are_not_repeated(chapters: list[list[Happening]]) -> None:
    history: list[Happening] = []
    known: list[tuple[str, UUID | None]] = []
    for chapter in chapters:
        history += chapter
        state = fold_course(PLAN, history)
        known += recorded(list(milestones(state, known, at=NOON)))
        assert list(milestones(state, known, at=NOON)) == []


@pytest.mark.parametrize(
    ("type_", "item_type", "allowed"),
    [
        (EventType.ITEM_STARTED, "lesson", True),
        (EventType.ITEM_COMPLETED, "lesson", True),
        (EventType.ITEM_STARTED, "external", True),
        (EventType.ITEM_COMPLETED, "external", True),
        (EventType.ITEM_STARTED, "assessment", False),
        (EventType.ITEM_COMPLETED, "assessment", False),
        (EventType.ASSESSMENT_PASSED, "assessment", False),
        (EventType.ASSESSMENT_PASSED, "lesson", False),
        (EventType.COURSE_COMPLETED, "lesson", False),
        (EventType.CREDENTIAL_ISSUED, "lesson", False),
        ("made_up", "lesson", False),
    ],
)
def test_is_assertable(type_: str, item_type: str, allowed: bool) -> None:
    assert is_assertable(type=type_, item_type=item_type) is allowed
