from __future__ import annotations

from datetime import timedelta

import pytest

from apps.cohorts.events import EventType
from apps.cohorts.selectors import completed_items, own_enrollments, self_paced_cohort
from apps.cohorts.services import end_cohort, enroll, record_event
from apps.contacts.services import merge_contacts
from tests.cohorts.factories import NOON, item_of, open_cohort, person, planned_cohort
from tests.programs.factories import published_course, published_program

pytestmark = pytest.mark.django_db


def test_self_paced_cohort_is_open_and_has_the_course() -> None:
    course = published_course()
    program = published_program(course)
    open_cohort(program, slug="led")
    planned_cohort(program, slug="planned", is_self_paced=True)
    assert self_paced_cohort(course.definition_id) is None

    cohort = open_cohort(program, slug="free", is_self_paced=True)
    assert self_paced_cohort(course.definition_id) == cohort
    assert self_paced_cohort(published_course("other").definition_id) is None

    end_cohort(cohort=cohort, actor=None, at=NOON)
    assert self_paced_cohort(course.definition_id) is None


def test_own_enrollments_include_those_of_aliases_the_newest_first() -> None:
    program = published_program()
    old, new, stranger = person("Old"), person("New"), person("Eve")
    first = enroll(cohort=open_cohort(program, slug="one"), contact=old, actor=None, at=NOON)
    second = enroll(cohort=open_cohort(program, slug="two"), contact=new, actor=None, at=NOON)
    enroll(cohort=first.cohort, contact=stranger, actor=None, at=NOON)
    merge_contacts(source=old, into=new, actor=None)

    assert own_enrollments(new.id) == [second, first]


def test_completed_items_are_told_with_their_moments() -> None:
    cohort = open_cohort()
    done = enroll(cohort=cohort, contact=person("Ada"), actor=None, at=NOON)
    idle = enroll(cohort=cohort, contact=person("Bea"), actor=None, at=NOON)
    item = item_of(cohort, "welcome")
    later = NOON + timedelta(minutes=5)
    for type_, moment in ((EventType.ITEM_STARTED, NOON), (EventType.ITEM_COMPLETED, later)):
        record_event(enrollment=done, type=type_, entity=item, occurred_at=moment)

    assert completed_items([done.id, idle.id]) == {done.id: {item.id: later}}
