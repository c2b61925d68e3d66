"""What the database itself refuses about facts, one test a constraint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from apps.cohorts.models import CohortSession
from apps.core.ids import uuid7
from apps.reporting.models import FactAssessment, FactAttendance, FactProgress
from tests.assessment.factories import RIGHT, learner_of, scene
from tests.cohorts.factories import NOON, open_cohort
from tests.outbox import drain
from tests.programs.factories import published_course, published_program
from tests.reporting.factories import forget_facts
from tests.requirements.factories import sessions_of

pytestmark = pytest.mark.django_db


def refusal(work: Callable[[], Any]) -> str:
    """Return the constraint that refuses the work."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        work()
    name: str = caught.value.__cause__.diag.constraint_name  # type: ignore[union-attr]
    return name


def rows() -> tuple[FactAttendance, FactAssessment, FactProgress]:
    """Return a right row of each table, none of which is stored."""
    it = scene()
    sessions_of(it.enrollment, 1)
    it.graded(RIGHT)
    drain()
    found = (FactAttendance.objects.get(), FactAssessment.objects.get(), FactProgress.objects.get())
    forget_facts()
    return found


def stored(row: Any, **changes: Any) -> Callable[[], None]:
    """Return the work of storing this row with some changes under a new id."""

    def work() -> None:
        for name, value in {"id": uuid7(), **changes}.items():
            setattr(row, name, value)
        row.save(force_insert=True)

    return work


def test_a_right_row_is_stored_once() -> None:
    for row in rows():
        stored(row)()
        names = {
            "fact_attendance": "factattendance_once_per_session",
            "fact_assessment": "factassessment_once_per_assessment",
            "fact_progress": "factprogress_once_per_course",
        }
        assert refusal(stored(row)) == names[row._meta.db_table]


def test_a_fact_is_of_its_enrolments_learner_and_cohort() -> None:
    attendance, assessment, progress = rows()
    other = learner_of(attendance.cohort, "Bea")
    course = published_course("two")
    elsewhere = open_cohort(published_program(course, slug="two"), slug="other")

    found = [
        refusal(stored(row, contact_id=other.contact_id))
        for row in (attendance, assessment, progress)
    ]
    assert [name.removeprefix("fact") for name in found] == [
        "attendance_enrollment_of_its_contact",
        "assessment_enrollment_of_its_contact",
        "progress_enrollment_of_its_contact",
    ]
    for row in (attendance, assessment, progress):
        row.contact_id = row.enrollment.contact_id
        assert "_of_its_cohort" in refusal(stored(row, cohort_id=elsewhere.id))


def test_attendance_is_of_a_session_of_the_cohort() -> None:
    attendance, _assessment, _progress = rows()
    elsewhere = open_cohort(published_program(published_course("two"), slug="two"), slug="other")
    foreign = CohortSession.objects.create(
        cohort=elsewhere, title="X", starts_at=NOON, ends_at=NOON.replace(hour=13), position=1
    )

    refused = refusal(stored(attendance, session_id=foreign.id))

    assert refused == "factattendance_session_of_its_cohort"


def test_assessment_is_of_an_attempt_of_the_learner() -> None:
    _attendance, assessment, _progress = rows()
    bea = learner_of(assessment.cohort, "Bea")

    refused = refusal(stored(assessment, enrollment_id=bea.id, contact_id=bea.contact_id))

    assert refused == "factassessment_attempt_of_its_learner"


@pytest.mark.parametrize(
    ("number", "changes", "constraint"),
    [
        (0, {"status": "present"}, "factattendance_status_as_recorded"),
        (0, {"revision": 1}, "factattendance_status_as_recorded"),
        (0, {"status": "asleep", "revision": 1}, "factattendance_status_as_recorded"),
        (1, {"percent": 101}, "factassessment_percent_within_0_and_100"),
        (1, {"is_final": False}, "factassessment_only_a_final_one_passes"),
        (1, {"submitted_on": None}, "factassessment_submitted_on_its_day"),
        (2, {"percent_complete": 101}, "factprogress_percent_within_0_and_100"),
        (2, {"completed_on": date(2026, 3, 2)}, "factprogress_completed_has_its_time"),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(
    number: int, changes: dict[str, Any], constraint: str
) -> None:
    assert refusal(stored(rows()[number], **changes)) == constraint
