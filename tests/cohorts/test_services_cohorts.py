from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from apps.cohorts import ports
from apps.cohorts.events import EventType
from apps.cohorts.models import Cohort, CohortStaff
from apps.cohorts.selectors import staffed_cohort_ids
from apps.cohorts.services import (
    add_staff,
    cancel_cohort,
    create_cohort,
    end_cohort,
    enroll_all,
    open_cohort,
    remove_staff,
    update_cohort,
)
from apps.cohorts.services.cohorts import (
    CohortInvalid,
    CohortStateConflict,
    ProgramNotPublished,
    ProgramNotReady,
    SlugTaken,
)
from apps.contacts.models import AdminAction
from apps.contacts.services import merge_contacts
from tests.cohorts import factories
from tests.cohorts.conftest import Answer
from tests.cohorts.factories import NOON, event_types, people, person, planned_cohort, states
from tests.programs.factories import draft_program, published_course, published_program

pytestmark = pytest.mark.django_db


def create(**changes: Any) -> Cohort:
    fields: dict[str, Any] = {
        "slug": "spring",
        "title": "Spring",
        "starts_on": date(2026, 3, 2),
        "actor": None,
        **changes,
    }
    if "program_version" not in fields:
        fields["program_version"] = published_program()
    return create_cohort(**fields)


def actions() -> list[str]:
    return list(AdminAction.objects.order_by("recorded_at").values_list("action", flat=True))


def test_create_cohort_is_planned_and_recorded() -> None:
    cohort = create(ends_on=date(2026, 6, 1), capacity=12, timezone="Asia/Tokyo")

    assert (cohort.status, cohort.capacity, cohort.timezone) == ("planned", 12, "Asia/Tokyo")
    assert actions() == ["cohort.created"]


def test_create_cohort_of_a_draft_program_is_refused() -> None:
    with pytest.raises(ProgramNotPublished):
        create(program_version=draft_program(published_course()))


def test_create_cohort_with_a_taken_slug_is_refused() -> None:
    program = published_program()
    create(program_version=program)

    with pytest.raises(SlugTaken):
        create(program_version=program)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"slug": "no spaces"}, "slug"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"capacity": -1}, "capacity"),
        ({"capacity": 0}, ""),
        ({"ends_on": date(2026, 3, 1)}, ""),
        ({"title": "x" * 201}, "title"),
    ],
)
def test_create_cohort_that_cannot_be_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(CohortInvalid) as refused:
        create(**changes)

    assert field in {error["field"] for error in refused.value.errors}


def test_open_cohort_without_progression_requirements_is_refused(answers: Answer) -> None:
    asked: list[UUID] = []

    def is_ready(program_version_id: UUID) -> bool:
        asked.append(program_version_id)
        return False

    answers(ports.program_is_ready, is_ready)
    cohort = planned_cohort()

    with pytest.raises(ProgramNotReady):
        open_cohort(cohort=cohort, actor=None, at=NOON)

    assert asked == [cohort.program_version_id]
    cohort.refresh_from_db()
    assert cohort.status == "planned"


def test_open_cohort_twice_is_recorded_once() -> None:
    cohort = planned_cohort()

    for _ in range(2):
        assert open_cohort(cohort=cohort, actor=None, at=NOON).status == "open"

    assert actions() == ["cohort.created", "cohort.status"]


def test_open_cohort_that_has_ended_is_refused() -> None:
    cohort = end_cohort(cohort=factories.open_cohort(), actor=None, at=NOON)

    with pytest.raises(CohortStateConflict, match="ended"):
        open_cohort(cohort=cohort, actor=None, at=NOON)


def test_end_cohort_ends_all_participation() -> None:
    cohort = factories.open_cohort(capacity=1)
    first, second = enroll_all(cohort=cohort, contacts=people("Ada", "Bea"), actor=None, at=NOON)

    assert end_cohort(cohort=cohort, actor=None, at=NOON).status == "ended"

    assert states(cohort) == {"Ada": "ended", "Bea": "ended"}
    assert event_types(first) == [EventType.ENROLLED, EventType.ENROLLMENT_ENDED]
    assert event_types(second) == [EventType.WAITLISTED, EventType.ENROLLMENT_ENDED]


def test_end_a_planned_cohort_is_refused() -> None:
    with pytest.raises(CohortStateConflict):
        end_cohort(cohort=planned_cohort(), actor=None, at=NOON)


def test_cancel_cohort_ends_all_participation() -> None:
    cohort = factories.open_cohort()
    enroll_all(cohort=cohort, contacts=people("Ada"), actor=None, at=NOON)

    assert cancel_cohort(cohort=cohort, actor=None, at=NOON).status == "cancelled"
    assert states(cohort) == {"Ada": "ended"}


def test_update_cohort_changes_what_is_named_only() -> None:
    cohort = planned_cohort(capacity=5)

    updated = update_cohort(cohort=cohort, actor=None, at=NOON, title="Easter")

    updated.refresh_from_db()
    assert (updated.title, updated.capacity, updated.slug) == ("Easter", 5, "spring")


def test_update_cohort_that_has_ended_is_refused() -> None:
    cohort = end_cohort(cohort=factories.open_cohort(), actor=None, at=NOON)

    with pytest.raises(CohortStateConflict):
        update_cohort(cohort=cohort, actor=None, at=NOON, title="Late")


def test_add_staff_twice_is_one_row_and_remove_takes_it_away() -> None:
    cohort, grader = planned_cohort(), person("Grader")

    first = add_staff(cohort=cohort, contact=grader, role="grader", actor=None)
    assert first == add_staff(cohort=cohort, contact=grader, role="grader", actor=None)
    assert staffed_cohort_ids(grader.id) == {cohort.id}

    remove_staff(staff=first, actor=None)
    assert staffed_cohort_ids(grader.id) == frozenset()
    assert actions() == ["cohort.created", "cohort.staff_added", "cohort.staff_removed"]


def test_add_staff_in_an_unknown_role_is_refused() -> None:
    with pytest.raises(CohortInvalid):
        add_staff(cohort=planned_cohort(), contact=person("Ada"), role="boss", actor=None)

    assert not CohortStaff.objects.exists()


def test_staffed_cohort_ids_include_those_of_merged_contacts() -> None:
    cohort, old, new = planned_cohort(), person("Old"), person("New")
    add_staff(cohort=cohort, contact=old, role="instructor", actor=None)
    merge_contacts(source=old, into=new, actor=None)

    assert staffed_cohort_ids(new.id) == {cohort.id}
