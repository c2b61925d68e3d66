from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.assessment.services.attempts import Locked
from apps.core.ports import OPEN, Gate
from apps.core.versions import retire
from apps.requirements.graph import EdgeSpec, NodeKind, NodeSpec
from apps.requirements.models import Purpose, RequirementSet, RequirementSetVersion
from apps.requirements.selectors.gates import (
    may_open_item,
    may_open_items,
    may_open_items_of,
    may_start,
)
from apps.requirements.selectors.versions import program_is_ready
from apps.requirements.services import evaluate_enrollment, sign_off, waive
from tests.assessment.factories import Scene, learner_of, scene
from tests.cohorts.factories import NOON, item_of
from tests.programs.factories import AUTHORED, published_program
from tests.requirements.factories import complete_item, course_of, program_of, published_set
from tests.requirements.graphs import before, signoff

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Scene:
    return scene()


def items(stage: Scene) -> dict[str, UUID]:
    return {key: item_of(stage.cohort, key).id for key in ("intro", "quiz")}


def publish_progression(stage: Scene, *parts: NodeSpec | EdgeSpec) -> RequirementSetVersion:
    version = published_set(program_of(stage.enrollment), *parts)
    evaluate_enrollment(stage.enrollment.id, at=NOON)
    return version


def intro(stage: Scene) -> NodeSpec:
    return NodeSpec(
        "intro",
        NodeKind.ITEM_COMPLETED,
        title="Introduction",
        course=course_of(stage.enrollment),
        item_key="intro",
    )


def quiz(stage: Scene) -> NodeSpec:
    return NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, assessment=stage.template.id)


CLOSED = Gate(False, "prerequisite_open", "Locked until this is done: Introduction.")


def test_may_start_is_closed_until_what_comes_before_is_done(stage: Scene) -> None:
    publish_progression(stage, intro(stage), quiz(stage), before("intro", "quiz"))

    assert may_start(stage.enrollment.id, stage.template.id, at=NOON) == CLOSED
    with pytest.raises(Locked, match="Introduction"):
        stage.start()

    complete_item(stage.enrollment, "intro")
    assert may_start(stage.enrollment.id, stage.template.id, at=NOON) == OPEN
    assert stage.start().status == "in_progress"


def test_may_start_before_the_first_evaluation_is_judged_by_what_will_be_assigned(
    stage: Scene,
) -> None:
    published_set(program_of(stage.enrollment), intro(stage), quiz(stage), before("intro", "quiz"))

    assert may_start(stage.enrollment.id, stage.template.id, at=NOON) == CLOSED


def test_may_start_where_the_item_is_placed_counts_too(stage: Scene) -> None:
    placed = NodeSpec(
        "placed", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="quiz"
    )
    publish_progression(stage, intro(stage), placed, before("intro", "placed"))

    assert may_start(stage.enrollment.id, stage.template.id, at=NOON) == CLOSED


def test_may_open_item_that_stands_for_an_assessment_is_closed_with_it(stage: Scene) -> None:
    publish_progression(stage, intro(stage), quiz(stage), before("intro", "quiz"))

    assert may_open_item(stage.enrollment.id, items(stage)["quiz"], at=NOON) == CLOSED


@pytest.mark.parametrize("level", ["item", "module", "course"])
def test_may_open_item_asks_the_item_its_module_and_its_course(stage: Scene, level: str) -> None:
    course = course_of(stage.enrollment)
    named = {
        "item": NodeSpec("it", NodeKind.ITEM_COMPLETED, course=course, item_key="intro"),
        "module": NodeSpec("it", NodeKind.MODULE_COMPLETED, course=course, module_key="all"),
        "course": NodeSpec("it", NodeKind.COURSE_COMPLETED, course=course),
    }[level]
    version = publish_progression(
        stage, signoff("lab", title="Introduction"), named, before("lab", "it")
    )
    item = items(stage)["intro"]
    assert may_open_item(stage.enrollment.id, item, at=NOON) == CLOSED

    sign_off(
        enrollment=stage.enrollment,
        node=version.nodes.get(key="lab"),
        actor=stage.grader,
        at=NOON,
    )

    assert may_open_item(stage.enrollment.id, item, at=NOON) == OPEN


def test_may_open_item_is_closed_with_the_assessment_that_is_placed_there(stage: Scene) -> None:
    publish_progression(stage, intro(stage), quiz(stage), before("intro", "quiz"))

    assert may_open_item(stage.enrollment.id, items(stage)["quiz"], at=NOON) == CLOSED


def test_may_open_item_waived_opens_though_something_comes_before(stage: Scene) -> None:
    version = publish_progression(stage, signoff("lab"), intro(stage), before("lab", "intro"))
    waive(
        enrollment=stage.enrollment,
        node=version.nodes.get(key="intro"),
        actor=stage.grader,
        at=NOON,
        reason="Knows it",
    )

    assert may_open_item(stage.enrollment.id, items(stage)["intro"], at=NOON) == OPEN


def test_may_open_item_named_twice_is_open_where_one_is(stage: Scene) -> None:
    again = NodeSpec(
        "again", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="intro"
    )
    publish_progression(stage, signoff("lab"), intro(stage), again, before("lab", "again"))

    assert may_open_item(stage.enrollment.id, items(stage)["intro"], at=NOON) == OPEN


def test_may_open_item_that_nothing_names_or_that_is_not_there_is_open(stage: Scene) -> None:
    """Whether the item exists, and is the learner's, is asked by who serves it."""
    publish_progression(stage, signoff("lab"))

    assert may_open_item(stage.enrollment.id, items(stage)["intro"], at=NOON) == OPEN
    assert may_open_item(stage.enrollment.id, UUID(int=1), at=NOON) == OPEN


def test_certification_closes_no_door(stage: Scene) -> None:
    root = NodeSpec("root", NodeKind.MILESTONE, is_root=True)
    published_set(
        program_of(stage.enrollment),
        signoff("lab"),
        intro(stage),
        root,
        before("lab", "intro"),
        before("intro", "root"),
        purpose=Purpose.CERTIFICATION,
    )

    assert may_open_item(stage.enrollment.id, items(stage)["intro"], at=NOON) == OPEN


def test_may_open_items_takes_as_many_statements_for_all_as_for_one(stage: Scene) -> None:
    publish_progression(stage, intro(stage), quiz(stage), before("intro", "quiz"))
    keys = items(stage)

    def statements(ids: list[UUID]) -> int:
        with CaptureQueriesContext(connection) as captured:
            may_open_items(stage.enrollment.id, ids, at=NOON)
        return len(captured)

    assert statements([keys["quiz"]]) == statements([*keys.values()])


def test_may_open_items_of_many_enrolments_takes_as_many_statements_as_of_one(
    stage: Scene,
) -> None:
    publish_progression(stage, intro(stage), quiz(stage), before("intro", "quiz"))
    other = learner_of(stage.cohort, "Bob")
    complete_item(other, "intro")
    evaluate_enrollment(other.id, at=NOON)
    keys = items(stage)

    def gates(*enrollment_ids: UUID) -> tuple[int, dict[UUID, dict[UUID, Gate]]]:
        with CaptureQueriesContext(connection) as captured:
            found = may_open_items_of({one: keys.values() for one in enrollment_ids}, at=NOON)
        return len(captured), found

    for_one, _own = gates(other.id)
    for_two, found = gates(stage.enrollment.id, other.id)

    assert for_two == for_one
    assert found == {
        stage.enrollment.id: {keys["intro"]: OPEN, keys["quiz"]: CLOSED},
        other.id: {keys["intro"]: OPEN, keys["quiz"]: OPEN},
    }


def test_open_door_costs_no_look_at_the_learners_history(
    stage: Scene, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        publish_progression(stage, intro(stage), quiz(stage))
    with CaptureQueriesContext(connection) as captured:
        assert may_start(stage.enrollment.id, stage.template.id, at=NOON) == OPEN

    assert len(captured) == 3


def test_program_is_ready_with_a_published_progression_set(stage: Scene) -> None:
    ready = stage.cohort.program_version_id
    assert not program_is_ready(ready)

    version = published_set(program_of(stage.enrollment), signoff("a"))
    assert program_is_ready(ready)
    assert not program_is_ready(published_program(slug="other").id)

    RequirementSet.objects.update(archived_at=NOON)
    assert not program_is_ready(ready)
    RequirementSet.objects.update(archived_at=None)
    retire(version=version, actor=None, at=AUTHORED)
    assert not program_is_ready(ready)


def test_program_is_not_ready_with_a_certification_set_alone(stage: Scene) -> None:
    published_set(
        program_of(stage.enrollment), signoff("a", is_root=True), purpose=Purpose.CERTIFICATION
    )

    assert not program_is_ready(stage.cohort.program_version_id)
