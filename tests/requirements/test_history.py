from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from apps.assessment.rules.policy import VersionTerms, WindowTerms, effective_policy
from apps.cohorts.events import EventType
from apps.requirements.facts import (
    AssessmentContext,
    AttendanceFact,
    CredentialFact,
    EventFact,
    ResultFact,
)
from apps.requirements.graph import Completion
from apps.requirements.history import (
    assessment_contexts,
    attendance_known,
    completions_known,
    credentials_known,
    results_known,
    started_known,
    words_known,
)
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
from tests.requirements.graphs import COURSE, DAY, NOON, PROGRAM, uid

MINE, TWINS = uid(1), uid(2)
LESSON, QUIZ = uid(11), uid(12)
PLACES = {LESSON: Place(COURSE, "lesson", "one"), QUIZ: Place(COURSE, "quiz", "one")}
TEMPLATE, COHORT, ATTEMPT = uid(20), uid(21), uid(22)


def event(
    number: int,
    type_: str,
    *,
    entity: UUID | None = None,
    course: UUID | None = None,
    at: datetime = NOON,
    **payload: object,
) -> EventRow:
    return EventRow(uid(number), MINE, type_, course, entity, payload, at, at)


def of_events(*events: EventRow) -> History:
    return History(events=list(events))


# --- Attendance -----------------------------------------------------------------------------------
def test_attendance_known_is_the_newest_revision_of_the_moment() -> None:
    history = History(
        attendance=[
            AttendanceRow(uid(1), uid(9), MINE, 1, "absent", NOON),
            AttendanceRow(uid(2), uid(9), MINE, 2, "present", NOON + DAY),
        ]
    )

    assert attendance_known(history, NOON) == {uid(9): AttendanceFact(uid(1), "absent")}
    assert attendance_known(history, FOREVER) == {uid(9): AttendanceFact(uid(2), "present")}


@pytest.mark.parametrize("order", [1, -1])
def test_attendance_known_of_merged_contacts_is_the_better(order: int) -> None:
    rows = [
        AttendanceRow(uid(1), uid(9), MINE, 7, "absent", NOON),
        AttendanceRow(uid(2), uid(9), TWINS, 1, "late", NOON),
    ]

    assert attendance_known(History(attendance=rows[::order]), FOREVER) == {
        uid(9): AttendanceFact(uid(2), "late")
    }


# --- Completions ----------------------------------------------------------------------------------
def test_completions_known_take_the_first_completion_of_an_item() -> None:
    history = of_events(
        event(1, EventType.ITEM_COMPLETED, entity=LESSON, at=NOON),
        event(2, EventType.ITEM_COMPLETED, entity=LESSON, at=NOON - DAY),
        event(3, EventType.ITEM_COMPLETED, entity=uid(99)),
    )

    assert completions_known(history, PLACES, FOREVER) == {
        Completion(COURSE, "item", "lesson"): EventFact(uid(2), NOON - DAY)
    }


def test_completions_known_by_a_pass_as_long_as_it_is_the_latest_outcome() -> None:
    placed = {"module_items": [str(QUIZ), str(uid(98))]}
    passed = event(1, EventType.ASSESSMENT_PASSED, entity=ATTEMPT, **placed)
    voided = event(2, EventType.ASSESSMENT_VOIDED, entity=ATTEMPT, at=NOON + DAY, **placed)

    assert completions_known(of_events(passed), PLACES, FOREVER) == {
        Completion(COURSE, "item", "quiz"): EventFact(uid(1), NOON)
    }
    assert completions_known(of_events(passed, voided), PLACES, FOREVER) == {}
    assert completions_known(of_events(passed, voided), PLACES, NOON) != {}


def test_completions_known_of_courses_and_modules_take_the_latest_word() -> None:
    history = of_events(
        event(1, EventType.COURSE_COMPLETED, course=COURSE),
        event(2, EventType.MODULE_COMPLETED, course=COURSE, module="one"),
        event(3, EventType.COURSE_REOPENED, course=COURSE, at=NOON + DAY),
    )

    assert completions_known(history, PLACES, FOREVER) == {
        Completion(COURSE, "module", "one"): EventFact(uid(2), NOON)
    }
    assert set(completions_known(history, PLACES, NOON)) == {
        Completion(COURSE),
        Completion(COURSE, "module", "one"),
    }


def test_completion_of_a_merged_contact_is_not_undone_by_the_others_reopening() -> None:
    completed = event(1, EventType.COURSE_COMPLETED, course=COURSE)
    reopened = event(2, EventType.COURSE_REOPENED, course=COURSE)._replace(enrollment=TWINS)

    assert completions_known(of_events(completed, reopened), PLACES, FOREVER) == {
        Completion(COURSE): EventFact(uid(1), NOON)
    }


def test_started_known_spreads_from_an_item_to_its_module_and_course() -> None:
    history = of_events(event(1, EventType.ITEM_STARTED, entity=LESSON))

    assert started_known(history, PLACES, FOREVER) == {
        Completion(COURSE, "item", "lesson"),
        Completion(COURSE, "module", "one"),
        Completion(COURSE),
    }
    assert started_known(history, PLACES, NOON - DAY) == frozenset()


# --- Credentials ----------------------------------------------------------------------------------
def test_credentials_known_end_with_a_revocation_and_return_with_a_reinstatement() -> None:
    award = uid(30)
    rows = [
        event(
            1,
            EventType.CREDENTIAL_ISSUED,
            entity=award,
            program=str(PROGRAM),
            expires_at=(NOON + 9 * DAY).isoformat(),
        ),
        event(2, EventType.CREDENTIAL_SUSPENDED, entity=award, at=NOON + DAY),
        event(3, EventType.CREDENTIAL_REINSTATED, entity=award, at=NOON + 2 * DAY),
    ]
    issued = CredentialFact(uid(1), NOON, expires_at=NOON + 9 * DAY)

    def known(moment: datetime) -> dict[UUID, tuple[CredentialFact, ...]]:
        return credentials_known(History(credential_events=rows), moment)

    assert known(NOON) == {PROGRAM: (issued,)}
    assert known(NOON + DAY) == {PROGRAM: (replace(issued, ended_at=NOON + DAY),)}
    assert known(FOREVER) == {PROGRAM: (issued,)}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"program": "nonsense"},
        {"program": None},
    ],
)
def test_credentials_known_without_a_program_are_none(payload: dict[str, object]) -> None:
    row = event(1, EventType.CREDENTIAL_ISSUED, entity=uid(30), **payload)

    assert credentials_known(History(credential_events=[row]), FOREVER) == {}


def test_credential_with_an_unreadable_expiry_does_not_expire() -> None:
    row = event(
        1, EventType.CREDENTIAL_ISSUED, entity=uid(30), program=str(PROGRAM), expires_at="soon"
    )

    assert credentials_known(History(credential_events=[row]), FOREVER) == {
        PROGRAM: (CredentialFact(uid(1), NOON),)
    }


# --- Results --------------------------------------------------------------------------------------
def attempt(**fields: object) -> AttemptRow:
    base = AttemptRow(
        id=ATTEMPT,
        enrollment=MINE,
        cohort=COHORT,
        template=TEMPLATE,
        version=uid(23),
        attempt_no=1,
        status="graded",
        submitted_at=NOON,
        result_policy="highest",
        policy=effective_policy(VersionTerms()),
    )
    return base._replace(**fields)  # type: ignore[arg-type]


RESULT = ResultRow(uid(40), ATTEMPT, 1, Decimal(80), True, True, False, NOON)
FACT = ResultFact(uid(40), 1, Decimal(80), True, NOON)
HIDDEN = ResultFact(uid(40), 1, Decimal(0), False, NOON, is_final=False)


def test_results_known_are_those_of_the_moment_and_void_ones_are_none() -> None:
    voided = RESULT._replace(
        id=uid(41), revision=2, is_void=True, is_final=False, passed=False, recorded_at=NOON + DAY
    )
    history = History(attempts=[attempt()], results=[RESULT, voided])

    assert results_known(history, NOON, NOON) == {TEMPLATE: (FACT,)}
    assert results_known(history, FOREVER, NOON) == {}


def test_results_known_tell_nothing_of_a_provisional_result_but_its_place() -> None:
    provisional = RESULT._replace(is_final=False, passed=False, percent=Decimal(40))

    assert results_known(History(attempts=[attempt()], results=[provisional]), FOREVER, NOON) == {
        TEMPLATE: (HIDDEN,)
    }


def test_results_known_tell_nothing_of_what_is_held_back_until_it_is_released() -> None:
    manual = attempt(policy=effective_policy(VersionTerms(release_policy="manual")))
    held = History(attempts=[manual], results=[RESULT])
    released = History(
        attempts=[manual],
        results=[RESULT],
        releases=[ReleaseRow(TEMPLATE, COHORT, None, True, NOON + DAY)],
    )

    assert results_known(held, FOREVER, NOON) == {TEMPLATE: (HIDDEN,)}
    assert results_known(released, NOON, NOON) == {TEMPLATE: (HIDDEN,)}
    assert results_known(released, FOREVER, NOON) == {TEMPLATE: (FACT,)}


def test_results_known_the_attempts_own_release_goes_before_its_cohorts() -> None:
    history = History(
        attempts=[attempt()],
        results=[RESULT],
        releases=[
            ReleaseRow(TEMPLATE, None, ATTEMPT, False, NOON),
            ReleaseRow(TEMPLATE, COHORT, None, True, NOON + DAY),
            ReleaseRow(uid(99), None, ATTEMPT, True, NOON + DAY),
        ],
    )

    assert results_known(history, FOREVER, NOON) == {TEMPLATE: (HIDDEN,)}


def test_results_known_after_the_due_date_when_the_policy_says_so() -> None:
    policy = effective_policy(
        VersionTerms(release_policy="after_due"), WindowTerms(due_at=NOON + DAY)
    )
    history = History(attempts=[attempt(policy=policy)], results=[RESULT])

    assert results_known(history, FOREVER, NOON) == {TEMPLATE: (HIDDEN,)}
    assert results_known(history, FOREVER, NOON + DAY) == {TEMPLATE: (FACT,)}


def test_results_known_of_merged_contacts_are_numbered_by_submission() -> None:
    mine = attempt(submitted_at=NOON + DAY)
    twins = attempt(id=uid(50), enrollment=TWINS, submitted_at=NOON)
    results = [RESULT, RESULT._replace(id=uid(51), attempt=uid(50))]
    history = History(attempts=[mine, twins], results=results)

    assert [r.result for r in results_known(history, FOREVER, NOON)[TEMPLATE]] == [uid(51), uid(40)]
    assert [r.attempt_no for r in results_known(history, FOREVER, NOON)[TEMPLATE]] == [1, 2]


@pytest.mark.parametrize(
    ("attempts", "results", "expected"),
    [
        ([], [], {}),
        ([attempt()], [RESULT], {TEMPLATE: AssessmentContext("highest", 1)}),
        (
            [attempt(status="in_progress", submitted_at=None)],
            [],
            {TEMPLATE: AssessmentContext("highest", 1, is_open=True)},
        ),
        (
            [attempt(status="submitted")],
            [],
            {TEMPLATE: AssessmentContext("highest", 1, submitted_at=NOON)},
        ),
        (
            [attempt(), attempt(id=uid(50), status="void", result_policy="latest", attempt_no=2)],
            [RESULT],
            {TEMPLATE: AssessmentContext("latest", 0)},
        ),
    ],
)
def test_assessment_contexts_count_what_is_used_up_and_what_is_awaited(
    attempts: list[AttemptRow],
    results: list[ResultRow],
    expected: dict[UUID, AssessmentContext],
) -> None:
    history = History(attempts=attempts, results=results)

    assert assessment_contexts(history, {TEMPLATE: 2}, FOREVER, NOON) == expected


def test_assessment_contexts_without_a_limit_have_no_number_left() -> None:
    history = History(attempts=[attempt()], results=[RESULT])

    assert assessment_contexts(history, {TEMPLATE: None}, FOREVER, NOON) == {
        TEMPLATE: AssessmentContext("highest", None)
    }


# --- People's words -------------------------------------------------------------------------------
def test_words_known_are_the_latest_of_their_key_in_any_version_unless_withdrawn() -> None:
    given = WordRow(uid(60), uid(61), "lab", 1, False, NOON, None, NOON)
    taken_back = given._replace(id=uid(62), revision=2, is_withdrawn=True, recorded_at=NOON + DAY)
    elsewhere = given._replace(id=uid(63), set=uid(64))
    rows = [given, elsewhere, taken_back]

    assert words_known(rows, uid(61), NOON) == {"lab": given}
    assert words_known(rows, uid(61), FOREVER) == {}
    assert words_known(rows, uid(64), FOREVER) == {"lab": elsewhere}
