"""The pipeline and the rebuild write the same facts, whatever happened."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.services import void_attempt
from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import (
    AttendanceEntry,
    cancel_session,
    enroll,
    record_attendance,
    update_cohort,
    withdraw,
)
from apps.core.models import OutboxMessage
from apps.reporting.models import FactAssessment, FactAttendance, FactProgress
from apps.reporting.services import rebuild_facts, refresh_facts, refresh_many
from tests.assessment.factories import RIGHT, WRONG, learner_of, result_of, scene
from tests.cohorts.factories import NOON, open_cohort, person
from tests.outbox import drain
from tests.reporting.factories import DAY, Life, facts, forget_facts
from tests.requirements.factories import attend, complete_item, sessions_of

pytestmark = pytest.mark.django_db

NOTHING = {"fact_attendance": 0, "fact_assessment": 0, "fact_progress": 0}


@pytest.mark.parametrize("seed", range(8))
def test_rebuild_gives_the_rows_of_the_pipeline(seed: int) -> None:
    life = Life(seed)
    life.live(30)
    by_pipeline = facts()

    assert rebuild_facts().rows == NOTHING
    forget_facts()
    rebuild_facts()

    assert facts() == by_pipeline
    assert by_pipeline["fact_attendance"]
    assert by_pipeline["fact_progress"]


def test_rebuild_mends_what_is_wrong_and_leaves_what_is_right() -> None:
    life = Life(1)
    life.sit()
    life.live(10)
    right = facts()
    kept = set(FactAttendance.objects.values_list("id", flat=True))
    FactProgress.objects.update(percent_complete=1, time_spent_seconds=7)
    changed = FactProgress.objects.count()
    one = FactAssessment.objects.order_by("id")[0]
    one.delete()

    done = rebuild_facts()

    assert done.rows == {**NOTHING, "fact_progress": changed, "fact_assessment": 1}
    assert facts() == right
    assert set(FactAttendance.objects.values_list("id", flat=True)) == kept


def test_attendance_has_a_row_before_anything_is_said_and_follows_each_correction() -> None:
    it = scene()
    first, _second = sessions_of(it.enrollment, 2)
    drain()
    assert status_of(it.enrollment) == ["", ""]

    attend(it.enrollment, first, "absent", by=it.grader)
    drain()
    record = attend(it.enrollment, first, "late", by=it.grader)
    drain()

    fact = FactAttendance.objects.get(session=first)
    assert (
        fact.enrollment_id,
        fact.contact_id,
        fact.cohort_id,
        fact.program_id,
        fact.held_on,
        fact.starts_at,
        fact.is_required,
        fact.status,
        fact.revision,
        fact.recorded_at,
    ) == (
        it.enrollment.id,
        it.learner.id,
        it.cohort.id,
        it.cohort.program_version.definition_id,
        date(2026, 2, 28),
        first.starts_at,
        True,
        "late",
        2,
        record.recorded_at,
    )
    assert status_of(it.enrollment) == ["late", ""]


def status_of(enrollment: CohortEnrollment) -> list[str]:
    rows = FactAttendance.objects.filter(enrollment=enrollment).order_by("starts_at")
    return list(rows.values_list("status", flat=True))


def test_a_cancelled_session_leaves_no_fact_not_even_of_who_left_before() -> None:
    it = scene()
    bea = learner_of(it.cohort, "Bea")
    first, second = sessions_of(it.enrollment, 2)
    drain()
    withdraw(enrollment=bea, actor=None, at=NOON)
    drain()
    assert FactAttendance.objects.filter(enrollment=bea).count() == 2

    cancel_session(session=first, actor=None)
    drain()

    assert list(FactAttendance.objects.values_list("session_id", flat=True).distinct()) == [
        second.id
    ]


def test_who_left_is_not_expected_later_unless_somebody_speaks_of_them() -> None:
    it = scene()
    withdraw(enrollment=it.enrollment, actor=None, at=NOON - 9 * DAY)
    first, _second = sessions_of(it.enrollment, 2)
    drain()
    assert status_of(it.enrollment) == []

    entry = AttendanceEntry(it.enrollment.id, "present")
    record_attendance(session=first, entries=[entry], recorded_by=it.grader, at=NOON)
    drain()

    assert status_of(it.enrollment) == ["present"]


def test_assessment_is_the_result_of_record_on_the_cohorts_day() -> None:
    it = scene()
    update_cohort(cohort=it.cohort, actor=None, at=NOON, timezone="Pacific/Auckland")
    it.graded(WRONG)
    best = it.graded(RIGHT, NOON + timedelta(minutes=5))
    drain()

    fact = FactAssessment.objects.get()
    assert (
        fact.template_id,
        fact.attempt_id,
        fact.result_id,
        fact.attempts,
        fact.score,
        fact.percent,
        fact.passed,
        fact.is_final,
        fact.submitted_on,
    ) == (
        it.template.id,
        best.id,
        result_of(best).id,
        2,
        Decimal(6),
        Decimal(100),
        True,
        True,
        date(2026, 3, 3),
    )

    void_attempt(attempt_id=best.id, actor=it.grader, reason="Noise", at=NOON)
    drain()

    fact = FactAssessment.objects.get()
    assert (fact.attempts, fact.passed, fact.attempt_id == best.id) == (1, False, False)


def test_progress_says_what_completes_the_program_and_since_when_time_counts() -> None:
    it = scene()
    complete_item(it.enrollment, "intro", at=NOON + DAY)
    it.graded(RIGHT, NOON + 3 * DAY)
    drain()
    fact = FactProgress.objects.get()
    assert (
        fact.is_required,
        fact.status,
        fact.percent_complete,
        fact.begins_on,
        fact.completed_on,
        fact.enrollment_state,
    ) == (True, "completed", 100, date(2026, 3, 2), date(2026, 3, 5), "enrolled")

    update_cohort(cohort=it.cohort, actor=None, at=NOON, starts_on=date(2026, 3, 4))
    withdraw(enrollment=it.enrollment, actor=None, at=NOON + 9 * DAY)
    drain()

    fact = FactProgress.objects.get()
    assert (fact.begins_on, fact.enrollment_state, fact.ended_at) == (
        date(2026, 3, 4),
        "withdrawn",
        NOON + 9 * DAY,
    )


def test_who_never_had_a_seat_has_no_facts() -> None:
    cohort = open_cohort(capacity=1)
    enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)
    waiting = enroll(cohort=cohort, contact=person("Bea"), actor=None, at=NOON)
    drain()

    assert refresh_facts(waiting.id, at=NOON).rows == NOTHING
    assert {row.enrollment_id == waiting.id for row in FactProgress.objects.all()} == {False}


def test_the_pipeline_owes_a_step_for_a_new_first_day_or_clock_only() -> None:
    cohort = open_cohort()
    ada = enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)
    drain()
    update_cohort(cohort=cohort, actor=None, at=NOON, title="Other")
    assert not OutboxMessage.objects.exists()

    update_cohort(cohort=cohort, actor=None, at=NOON, timezone="Asia/Tokyo")

    assert list(OutboxMessage.objects.values_list("topic", "key")) == [
        ("learner.advance", str(ada.id))
    ]


@pytest.mark.parametrize("forgotten", [True, False], ids=["written anew", "nothing to do"])
def test_refresh_takes_as_many_statements_for_twenty_as_for_two(forgotten: bool) -> None:
    def spent(enrollments: list[CohortEnrollment]) -> int:
        if forgotten:
            forget_facts()
        with CaptureQueriesContext(connection) as captured:
            refresh_many(enrollment_ids=[one.id for one in enrollments])
        return len(captured)

    it = scene()
    group = [it.enrollment, *(learner_of(it.cohort, f"L{n}") for n in range(19))]
    sessions = sessions_of(it.enrollment, 2)
    for enrollment in group:
        attend(enrollment, sessions[0], "present", by=it.grader)
        complete_item(enrollment, "intro")
        type(it)(it.version, it.cohort, enrollment, it.grader, it.items).graded(RIGHT)
    refresh_many(enrollment_ids=[one.id for one in group])

    assert spent(group[:2]) == spent(group) == (12 if forgotten else 9)
