from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cohorts.services import enroll
from apps.cohorts.services.progress import ADVANCE
from apps.contacts.models import AdminAction
from apps.core.models import OutboxMessage
from apps.core.versions import new_draft, publish, retire
from apps.requirements.models import Purpose, RequirementAssignment, RequirementSetVersion
from apps.requirements.selectors.previews import AssignmentChange, assignment_preview
from apps.requirements.services import (
    ForeignProgram,
    NotAssignable,
    assign_requirements,
    assign_to_enrollments,
    evaluate_enrollment,
    sign_off,
)
from tests.assessment.factories import Scene, scene
from tests.cohorts.factories import NOON, person
from tests.programs.factories import AUTHORED, published_program
from tests.requirements.factories import DAY, decided, draw, program_of, published_set
from tests.requirements.graphs import signoff

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Scene:
    return scene()


@pytest.fixture
def first(stage: Scene) -> RequirementSetVersion:
    return published_set(program_of(stage.enrollment), signoff("a"), signoff("b"))


def second_of(first: RequirementSetVersion) -> RequirementSetVersion:
    """Publish a version without `b` but with `c`."""
    draft = new_draft(definition=first.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    draft.nodes.get(key="b").delete()
    draw(draft, signoff("c", deadline_on=date(2026, 3, 10)))
    return publish(version=draft, actor=None, at=AUTHORED)


def test_new_version_touches_nobody_until_it_is_assigned(
    stage: Scene, first: RequirementSetVersion
) -> None:
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    second_of(first)

    evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert RequirementAssignment.objects.get().set_version == first


def test_assign_appends_a_revision_and_owes_evaluations(
    stage: Scene, first: RequirementSetVersion
) -> None:
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    OutboxMessage.objects.all().delete()
    second = second_of(first)

    made = assign_requirements(
        enrollment=stage.enrollment,
        set_version=second,
        actor=stage.grader,
        reason="New rules",
        at=NOON,
    )

    assert (made.revision, made.set_version, made.actor, made.reason) == (
        2,
        second,
        stage.grader,
        "New rules",
    )
    assert AdminAction.objects.get(action="requirements.assigned").actor == stage.grader
    owed = OutboxMessage.objects.filter(topic=ADVANCE, key=str(stage.enrollment.id))
    assert sorted(str(at) for at in owed.values_list("available_at", flat=True))[0] == (
        "2026-03-10 23:00:00+00:00"
    )
    assert owed.count() == 2


def test_assign_same_version_again_changes_nothing(
    stage: Scene, first: RequirementSetVersion
) -> None:
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    before = RequirementAssignment.objects.get()

    again = assign_requirements(
        enrollment=stage.enrollment, set_version=first, actor=stage.grader, reason="Same", at=NOON
    )

    assert again == before
    assert RequirementAssignment.objects.count() == 1


def test_assign_from_a_later_date_leaves_the_present_as_it_is(
    stage: Scene, first: RequirementSetVersion
) -> None:
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    second = second_of(first)
    assign_requirements(
        enrollment=stage.enrollment,
        set_version=second,
        actor=stage.grader,
        reason="Next week",
        at=NOON,
        effective_from=NOON + 7 * DAY,
    )
    sign_off(
        enrollment=stage.enrollment,
        node=first.nodes.get(key="b"),
        actor=stage.grader,
        at=NOON,
    )

    evaluate_enrollment(stage.enrollment.id, at=NOON)
    evaluate_enrollment(stage.enrollment.id, at=NOON + 9 * DAY)

    assert decided(stage.enrollment) == [("b", "satisfied"), ("c", "failed")]


def test_sign_off_counts_for_the_same_key_in_the_next_version(
    stage: Scene, first: RequirementSetVersion
) -> None:
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    sign_off(
        enrollment=stage.enrollment, node=first.nodes.get(key="a"), actor=stage.grader, at=NOON
    )
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    assign_requirements(
        enrollment=stage.enrollment,
        set_version=second_of(first),
        actor=stage.grader,
        reason="New rules",
        at=NOON,
    )

    [made] = evaluate_enrollment(stage.enrollment.id, at=NOON)

    assert (made.node.key, made.status, made.revision) == ("a", "satisfied", 1)


def test_assign_a_version_that_is_not_published_is_refused(
    stage: Scene, first: RequirementSetVersion
) -> None:
    draft = new_draft(definition=first.definition, actor=None, at=AUTHORED)
    retired = retire(version=first, actor=None, at=AUTHORED)
    for version in (draft, retired):
        with pytest.raises(NotAssignable):
            assign_requirements(
                enrollment=stage.enrollment,
                set_version=version,  # type: ignore[arg-type]
                actor=stage.grader,
                reason="Try",
                at=NOON,
            )


def test_assign_requirements_of_another_program_is_refused(stage: Scene) -> None:
    foreign = published_set(published_program(slug="other").definition, signoff("a"), slug="other")
    with pytest.raises(ForeignProgram):
        assign_requirements(
            enrollment=stage.enrollment,
            set_version=foreign,
            actor=stage.grader,
            reason="Try",
            at=NOON,
        )


def test_assign_many_takes_as_many_statements_as_one(
    stage: Scene, first: RequirementSetVersion
) -> None:
    others = [
        enroll(cohort=stage.cohort, contact=person(f"L{i}"), actor=None, at=NOON) for i in range(5)
    ]

    def statements(ids: list[object]) -> int:
        with CaptureQueriesContext(connection) as captured:
            made = assign_to_enrollments(
                enrollment_ids=ids,  # type: ignore[arg-type]
                set_version=first,
                actor=None,
                reason="Start",
                at=NOON,
            )
        assert [assignment.enrollment_id for assignment in made] == sorted(ids)  # type: ignore[type-var]
        return len(captured)

    warm = statements([stage.enrollment.id])
    one, many = statements([others[0].id]), statements([e.id for e in others[1:]])

    assert one == many <= warm


def test_preview_tells_who_gains_and_who_loses(stage: Scene, first: RequirementSetVersion) -> None:
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    for key in ("a", "b"):
        sign_off(
            enrollment=stage.enrollment, node=first.nodes.get(key=key), actor=stage.grader, at=NOON
        )
    second = second_of(first)
    newcomer = enroll(cohort=stage.cohort, contact=person("Bob"), actor=None, at=NOON)

    found = assignment_preview(
        version_id=second.id, enrollment_ids=[stage.enrollment.id, newcomer.id], at=NOON
    )

    assert found == sorted(
        [
            AssignmentChange(
                stage.enrollment.id, stage.learner.id, first.id, gained=(), lost=("b",)
            ),
            AssignmentChange(newcomer.id, newcomer.contact_id, None, gained=(), lost=()),
        ],
        key=lambda change: change.enrollment_id,
    )
    assert [change.is_unchanged for change in found].count(True) == 1
    assert RequirementAssignment.objects.count() == 1


def test_second_set_published_later_is_assigned_only_by_decision(
    stage: Scene, first: RequirementSetVersion
) -> None:
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    award = published_set(
        program_of(stage.enrollment),
        signoff("award", is_root=True),
        slug="award",
        purpose=Purpose.CERTIFICATION,
    )

    evaluate_enrollment(stage.enrollment.id, at=NOON)
    assert RequirementAssignment.objects.count() == 1
    assign_requirements(
        enrollment=stage.enrollment, set_version=award, actor=stage.grader, reason="Now", at=NOON
    )

    assert RequirementAssignment.objects.current().count() == 2
