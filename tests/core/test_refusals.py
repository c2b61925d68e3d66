"""What the database refuses, in the words that a person reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.cohorts.models import Cohort, CohortStaff
from apps.contacts.models import Contact
from apps.core.constraints import sentence
from apps.core.refusals import refused_by_database
from apps.programs.models import Course
from tests.cohorts.factories import planned_cohort
from tests.factories import contact, some_uuid

pytestmark = pytest.mark.django_db


def ends_before_it_starts() -> None:
    Cohort.objects.filter(pk=planned_cohort().pk).update(ends_on=date(2020, 1, 1))


def same_slug() -> None:
    Course.objects.create(slug="x", title="One")
    Course.objects.create(slug="x", title="Two")


def same_staff_twice() -> None:
    cohort, person = planned_cohort(), contact()
    for _ in range(2):
        CohortStaff.objects.create(cohort=cohort, contact=person, role="grader")


def staff_of_nothing() -> None:
    CohortStaff.objects.create(cohort_id=some_uuid(), contact=contact(), role="grader")


def without_a_name() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_contacts (id, legal_name, locale, timezone) VALUES (%s, '', '', '')",
            [some_uuid()],
        )


def too_long() -> None:
    Contact.objects.filter(pk=contact().pk).update(display_name="x" * 201)


@pytest.mark.parametrize(
    ("break_it", "code", "detail"),
    [
        (
            ends_before_it_starts,
            "rule-broken",
            "This would break the rule “cohort ends after it starts”.",
        ),
        (same_slug, "duplicate", "There is a course with the same slug already."),
        (
            same_staff_twice,
            "duplicate",
            "There is a cohort staff with the same cohort, contact and role already.",
        ),
        (staff_of_nothing, "still-referred", "It is about “cohort” of a cohort staff."),
        (without_a_name, "rule-broken", "“display name” of a contact is missing."),
        (too_long, "out-of-range", ""),
    ],
)
def test_refused_by_database_tells_the_rule_in_a_sentence(
    break_it: Callable[[], Any], code: str, detail: str
) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        break_it()

    problem = refused_by_database(refused.value)
    assert problem is not None
    assert (problem.code, problem.detail) == (code, detail)


def test_sentence_knows_a_name_that_a_shard_has_lengthened() -> None:
    assert sentence("cohort_ends_after_it_starts_102008") == sentence("cohort_ends_after_it_starts")


def test_sentence_of_a_name_that_no_model_knows_is_the_name_in_words() -> None:
    assert sentence("attendance_session_of_its_cohort", table="session_attendance_records") == (
        "This would break the rule “attendance session of its cohort”."
    )
