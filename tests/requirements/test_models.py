"""What the database itself refuses, one test a constraint."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.cohorts.models import CohortEnrollment
from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.core.versions import NotPublishable, diff, new_draft, publish
from apps.requirements.graph import EdgeCondition, EdgeKind, NodeKind, NodeSpec
from apps.requirements.models import (
    Purpose,
    RequirementAssignment,
    RequirementEdge,
    RequirementEvaluation,
    RequirementEvidenceLink,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
    SignOff,
    Waiver,
)
from tests.assessment.factories import Scene, scene
from tests.cohorts.factories import NOON, person
from tests.programs.factories import AUTHORED, published_program
from tests.requirements.factories import (
    course_of,
    draft_set,
    draw,
    node_row,
    program_of,
    published_set,
)
from tests.requirements.graphs import before, group, member, milestone, quiz, signoff, unlocks

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Scene:
    return scene()


@pytest.fixture
def draft(stage: Scene) -> RequirementSetVersion:
    """A draft with the nodes a and b."""
    return draft_set(program_of(stage.enrollment), signoff("a"), signoff("b"))


@pytest.fixture
def version(stage: Scene) -> RequirementSetVersion:
    """A published version with the node `lab`."""
    return published_set(program_of(stage.enrollment), signoff("lab"))


# --- Definitions and nodes ------------------------------------------------------------------------
def test_set_of_an_unknown_purpose_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementset_purpose_known"):
        RequirementSet.objects.update(purpose="decoration")


def test_second_progression_set_of_a_program_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementset_one_progression_per_program"):
        RequirementSet.objects.create(
            slug="other", program=draft.definition.program, purpose=Purpose.PROGRESSION
        )


def test_certification_sets_of_a_program_may_be_several(draft: RequirementSetVersion) -> None:
    for slug in ("bronze", "silver"):
        RequirementSet.objects.create(
            slug=slug, program=draft.definition.program, purpose=Purpose.CERTIFICATION
        )


FULL: dict[str, Any] = {
    "course": UUID(int=1),
    "module_key": "m",
    "item_key": "i",
    "assessment": UUID(int=1),
    "min_percent": Decimal(1),
    "attendance_count": 1,
    "attendance_percent": Decimal(1),
    "signoff_capability": "sign_off",
    "credential_program": UUID(int=1),
    "group_min_count": 1,
    "group_min_credits": Decimal(1),
}
ALLOWED = {
    NodeKind.COURSE_COMPLETED: {"course"},
    NodeKind.MODULE_COMPLETED: {"course", "module_key"},
    NodeKind.ITEM_COMPLETED: {"course", "item_key"},
    NodeKind.ASSESSMENT_PASSED: {"assessment", "min_percent"},
    NodeKind.ATTENDANCE: {"attendance_count", "attendance_percent"},
    NodeKind.SIGNOFF: {"signoff_capability"},
    NodeKind.CREDENTIAL_HELD: {"credential_program"},
    NodeKind.MILESTONE: set(),
    NodeKind.GROUP: {"group_min_count", "group_min_credits"},
}
OPTIONAL = {"min_percent", "attendance_percent", "group_min_count", "group_min_credits"}


def insert(draft: RequirementSetVersion, spec: NodeSpec) -> None:
    with transaction.atomic():
        node_row(draft, spec).save(force_insert=True)


@pytest.mark.parametrize("kind", NodeKind)
def test_node_that_says_more_or_less_than_its_kind_is_refused(
    draft: RequirementSetVersion, kind: NodeKind
) -> None:
    """The check comes before foreign keys, so that the targets need not exist."""
    said = {field: FULL[field] for field in ALLOWED[kind] - OPTIONAL}
    wrong = [{**said, field: value} for field, value in FULL.items() if field not in ALLOWED[kind]]
    if kind != NodeKind.ATTENDANCE:
        wrong += [{k: v for k, v in said.items() if k != field} for field in said]
    for fields in wrong:
        with pytest.raises(IntegrityError, match="requirementnode_says_what_its_kind_says"):
            insert(draft, NodeSpec("n", kind, **fields))


def test_node_of_an_unknown_kind_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementnode_says_what_its_kind_says"):
        draft.nodes.update(kind="wish")


@pytest.mark.parametrize(
    "spec",
    [
        NodeSpec("n", NodeKind.ATTENDANCE),
        NodeSpec("n", NodeKind.ATTENDANCE, attendance_count=1, attendance_percent=Decimal(1)),
    ],
)
def test_attendance_neither_or_both_by_count_and_share_is_refused(
    draft: RequirementSetVersion, spec: NodeSpec
) -> None:
    with pytest.raises(IntegrityError, match="requirementnode_attendance_by_count_or_share"):
        insert(draft, spec)


def test_group_by_count_and_credits_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementnode_group_by_count_or_credits"):
        insert(draft, group("n", group_min_count=1, group_min_credits=Decimal(1)))


@pytest.mark.parametrize(
    "spec",
    [
        NodeSpec("n", NodeKind.ATTENDANCE, attendance_count=0),
        NodeSpec("n", NodeKind.ATTENDANCE, attendance_percent=Decimal(0)),
        NodeSpec("n", NodeKind.ATTENDANCE, attendance_percent=Decimal("100.01")),
        group("n", group_min_count=0),
        group("n", group_min_credits=Decimal(0)),
        group("n", credits=Decimal(-1)),
    ],
)
def test_numbers_out_of_range_are_refused(draft: RequirementSetVersion, spec: NodeSpec) -> None:
    with pytest.raises(IntegrityError, match="requirementnode_numbers_in_range"):
        insert(draft, spec)


@pytest.mark.parametrize("percent", ["-0.01", "100.01"])
def test_minimum_out_of_range_is_refused(
    stage: Scene, draft: RequirementSetVersion, percent: str
) -> None:
    spec = replace(quiz("n"), assessment=stage.template.id, min_percent=Decimal(percent))
    with pytest.raises(IntegrityError, match="requirementnode_numbers_in_range"):
        insert(draft, spec)


@pytest.mark.parametrize(
    "spec",
    [
        signoff("n", deadline_days=1, deadline_on=date(2026, 1, 1)),
        signoff("n", deadline_days=36_501),
    ],
)
def test_two_deadlines_or_one_in_another_age_are_refused(
    draft: RequirementSetVersion, spec: NodeSpec
) -> None:
    with pytest.raises(IntegrityError, match="requirementnode_one_deadline"):
        insert(draft, spec)


def test_node_of_an_unknown_retention_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementnode_retention_known"):
        draft.nodes.update(retention="greasy")


def test_second_root_is_refused(draft: RequirementSetVersion) -> None:
    insert(draft, group("r1", is_root=True))
    with pytest.raises(IntegrityError, match="requirementnode_one_root"):
        insert(draft, group("r2", is_root=True))


def test_second_node_of_a_key_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementnode_key_once_per_version"):
        insert(draft, signoff("a"))


# --- Edges ----------------------------------------------------------------------------------------
def edge(draft: RequirementSetVersion, source: str, target: str, **fields: Any) -> RequirementEdge:
    nodes = {node.key: node for node in draft.nodes.all()}
    return RequirementEdge.objects.create(
        version=draft,
        source=nodes[source],
        target=nodes[target],
        **{"kind": EdgeKind.PREREQUISITE, **fields},
    )


def test_edge_from_a_node_to_itself_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementedge_between_two_nodes"):
        edge(draft, "a", "a")


def test_edge_of_an_unknown_kind_is_refused(draft: RequirementSetVersion) -> None:
    drawn = edge(draft, "a", "b")
    with pytest.raises(IntegrityError, match="requirementedge_kind_known"):
        RequirementEdge.objects.filter(id=drawn.id).update(kind="hint")


def test_condition_on_a_prerequisite_is_refused(draft: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementedge_condition_unlocks"):
        edge(draft, "a", "b", condition=EdgeCondition.FAILED)


@pytest.mark.parametrize(
    "fields",
    [
        {"condition": EdgeCondition.SCORE_BELOW},
        {"condition": EdgeCondition.SCORE_BELOW, "threshold": Decimal(101)},
        {"condition": EdgeCondition.FAILED, "threshold": Decimal(50)},
    ],
)
def test_threshold_without_score_or_score_without_threshold_is_refused(
    draft: RequirementSetVersion, fields: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match="requirementedge_threshold_of_a_score"):
        edge(draft, "a", "b", kind=EdgeKind.UNLOCK, **fields)


def test_same_edge_twice_is_refused(draft: RequirementSetVersion) -> None:
    edge(draft, "a", "b")
    with pytest.raises(IntegrityError, match="requirementedge_key_once_per_version"):
        edge(draft, "a", "b")


@pytest.mark.parametrize("end", ["source", "target"])
def test_edge_to_a_node_of_another_version_is_refused(
    stage: Scene, draft: RequirementSetVersion, end: str
) -> None:
    other = draft_set(
        program_of(stage.enrollment), signoff("c"), slug="other", purpose=Purpose.CERTIFICATION
    )
    a, b = draft.nodes.order_by("key")
    ends = {"source": a, "target": b, end: other.nodes.get()}
    with pytest.raises(IntegrityError, match=f"requirementedge_{end}_of_its_version"):
        RequirementEdge.objects.create(version=draft, kind=EdgeKind.PREREQUISITE, **ends)


def test_deleting_a_node_of_a_draft_deletes_its_edges(draft: RequirementSetVersion) -> None:
    edge(draft, "a", "b")

    draft.nodes.get(key="a").delete()

    assert not draft.edges.exists()


# --- Versions -------------------------------------------------------------------------------------
def test_published_version_is_frozen_with_its_nodes_and_edges(
    stage: Scene,
) -> None:
    version = published_set(
        program_of(stage.enrollment), signoff("a"), signoff("b"), before("a", "b")
    )
    for change in (
        lambda: version.nodes.update(title="Other"),
        lambda: version.edges.all().delete(),
        lambda: insert(version, signoff("c")),
    ):
        with pytest.raises(DatabaseError, match="refused"), transaction.atomic():
            change()


def test_publish_names_edges_by_the_keys_of_the_moment(draft: RequirementSetVersion) -> None:
    edge(draft, "a", "b")
    draft.nodes.filter(key="a").update(key="z")

    publish(version=draft, actor=None, at=AUTHORED)

    assert draft.edges.get().key == "z--prerequisite--b"


def test_new_draft_keeps_the_graph_and_its_keys(stage: Scene) -> None:
    parts = (
        group("root", is_root=True),
        replace(quiz("quiz"), assessment=stage.template.id),
        signoff("lab"),
        milestone("half"),
        NodeSpec("course", NodeKind.COURSE_COMPLETED, course=course_of(stage.enrollment)),
        before("quiz", "half"),
        unlocks("quiz", "lab", EdgeCondition.SCORE_AT_LEAST, Decimal(50)),
        *(member(key, "root") for key in ("lab", "half", "course")),
    )
    first = published_set(program_of(stage.enrollment), *parts)

    second = new_draft(definition=first.definition, actor=None, at=AUTHORED)

    assert isinstance(second, RequirementSetVersion)
    assert second.spec() == first.spec()
    assert not diff(first, second)


def test_publish_refuses_a_graph_that_is_not_whole(stage: Scene) -> None:
    other = published_program(slug="other")
    course = other.courses.get().course_version.definition_id
    draft = draft_set(
        program_of(stage.enrollment),
        NodeSpec("a", NodeKind.COURSE_COMPLETED, course=course),
        NodeSpec("b", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="nope"),
        NodeSpec("c", NodeKind.ITEM_COMPLETED, course=course_of(stage.enrollment), item_key="quiz"),
        NodeSpec("d", NodeKind.CREDENTIAL_HELD, credential_program=other.definition_id),
        NodeSpec("e", NodeKind.CREDENTIAL_HELD, credential_program=program_of(stage.enrollment).id),
        milestone("f"),
        purpose=Purpose.CERTIFICATION,
    )

    with pytest.raises(NotPublishable) as caught:
        publish(version=draft, actor=None, at=AUTHORED)

    assert [(error["field"], error["code"]) for error in caught.value.errors] == [
        ("a", "course-not-in-program"),
        ("b", "item-unknown"),
        ("e", "program-not-published"),
        ("f", "milestone-empty"),
        ("", "no-root"),
    ]


def test_publish_refuses_a_cycle_with_its_path(draft: RequirementSetVersion) -> None:
    draw(draft, before("a", "b"), before("b", "a"))

    with pytest.raises(NotPublishable) as caught:
        publish(version=draft, actor=None, at=AUTHORED)

    [error] = caught.value.errors
    assert error["code"] == "cycle"
    assert "→" in error["message"]


# --- Assignments ----------------------------------------------------------------------------------
def assignment(
    enrollment: CohortEnrollment, version: RequirementSetVersion, **fields: Any
) -> RequirementAssignment:
    return RequirementAssignment.objects.create(
        **{
            "enrollment": enrollment,
            "requirement_set_id": version.definition_id,
            "set_version": version,
            "purpose": version.definition.purpose,
            "effective_from": NOON,
            "reason": "enrolled",
            "revision": 1,
            **fields,
        }
    )


def test_same_revision_of_an_assignment_twice_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    assignment(stage.enrollment, version)
    with pytest.raises(IntegrityError, match="requirementassignment_revision_once"):
        assignment(stage.enrollment, version)


def test_assignment_without_a_reason_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    with pytest.raises(IntegrityError, match="requirementassignment_reason_given"):
        assignment(stage.enrollment, version, reason="")


def test_assignment_of_a_draft_is_refused(stage: Scene, draft: RequirementSetVersion) -> None:
    with pytest.raises(DatabaseError, match="is a draft"):
        assignment(stage.enrollment, draft)


def test_assignment_of_another_sets_version_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    other = RequirementSet.objects.create(
        slug="other", program=version.definition.program, purpose=Purpose.CERTIFICATION
    )
    with pytest.raises(IntegrityError, match="requirementassignment_version_of_its_set"):
        assignment(
            stage.enrollment, version, requirement_set_id=other.id, purpose=Purpose.CERTIFICATION
        )


def test_assignment_for_another_purpose_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    with pytest.raises(IntegrityError, match="requirementassignment_purpose_of_its_set"):
        assignment(stage.enrollment, version, purpose=Purpose.CERTIFICATION)


def test_purpose_of_a_set_cannot_change_once_assigned(
    stage: Scene, version: RequirementSetVersion
) -> None:
    assignment(stage.enrollment, version)
    with pytest.raises(IntegrityError, match="requirementassignment_purpose_of_its_set"):
        RequirementSet.objects.update(purpose=Purpose.CERTIFICATION)


# --- People's words -------------------------------------------------------------------------------
def word(model: Any, stage: Scene, version: RequirementSetVersion, **fields: Any) -> Any:
    return model.objects.create(
        **{
            "enrollment": stage.enrollment,
            "contact": stage.learner,
            "node": version.nodes.get(),
            "status": "given" if model is SignOff else "granted",
            "actor": stage.grader,
            "reason": "Seen",
            "occurred_at": NOON,
            "revision": 1,
            **fields,
        }
    )


@pytest.mark.parametrize(
    ("model", "name"), [(SignOff, "signoff_revision_once"), (Waiver, "waiver_revision_once")]
)
def test_same_revision_of_a_word_twice_is_refused(
    stage: Scene, version: RequirementSetVersion, model: Any, name: str
) -> None:
    word(model, stage, version)
    with pytest.raises(IntegrityError, match=name):
        word(model, stage, version)


@pytest.mark.parametrize(
    ("model", "name"),
    [(SignOff, "signoff_not_ones_own_work"), (Waiver, "waiver_not_for_oneself")],
)
def test_word_about_oneself_is_refused(
    stage: Scene, version: RequirementSetVersion, model: Any, name: str
) -> None:
    with pytest.raises(IntegrityError, match=name):
        word(model, stage, version, actor=stage.learner)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (SignOff, "signoff_enrollment_of_its_learner"),
        (Waiver, "waiver_enrollment_of_its_learner"),
    ],
)
def test_word_about_another_learners_enrolment_is_refused(
    stage: Scene, version: RequirementSetVersion, model: Any, name: str
) -> None:
    with pytest.raises(IntegrityError, match=name):
        word(model, stage, version, contact=person("Bob"))


def test_sign_off_withdrawn_without_a_reason_or_of_no_known_status_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    for fields in ({"status": "withdrawn", "reason": ""}, {"status": "maybe"}):
        with (
            pytest.raises(IntegrityError, match="signoff_withdrawn_with_a_reason"),
            transaction.atomic(),
        ):
            word(SignOff, stage, version, **fields)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"status": "maybe"}, "waiver_status_known"),
        ({"reason": ""}, "waiver_reason_given"),
        ({"expires_at": NOON}, "waiver_expires_after_it_is_granted"),
    ],
)
def test_waiver_that_is_not_whole_is_refused(
    stage: Scene, version: RequirementSetVersion, fields: dict[str, Any], name: str
) -> None:
    with pytest.raises(IntegrityError, match=name):
        word(Waiver, stage, version, **fields)


# --- Evidence and decisions -----------------------------------------------------------------------
def link(evaluation_id: UUID, given: RequirementAssignment) -> RequirementEvidenceLink:
    return RequirementEvidenceLink.objects.create(
        evaluation_id=evaluation_id, position=0, kind="assignment", assignment=given
    )


def decision(
    enrollment: CohortEnrollment, version: RequirementSetVersion, **fields: Any
) -> RequirementEvaluation:
    """Return a new decision; without `primary_evidence_id` a link is written for it first."""
    evaluation_id = fields.pop("id", uuid4())
    if "primary_evidence_id" not in fields:
        given = RequirementAssignment.objects.filter(enrollment=enrollment).first()
        given = given or assignment(enrollment, version)
        fields["primary_evidence_id"] = link(evaluation_id, given).id
    return RequirementEvaluation.objects.create(
        **{
            "id": evaluation_id,
            "enrollment": enrollment,
            "contact": enrollment.contact,
            "node": version.nodes.get(),
            "set_version": version,
            "revision": 1,
            "status": "satisfied",
            "reason": "signed_off",
            "occurred_at": NOON,
            "as_of": NOON,
            "known_at": NOON,
            "facts": {},
            "facts_hash": "0" * 64,
            "engine_version": "1",
            **fields,
        }
    )


def test_decision_without_evidence_is_refused(stage: Scene, version: RequirementSetVersion) -> None:
    with pytest.raises(IntegrityError, match="requirementevaluation_rests_on_evidence"):
        decision(stage.enrollment, version, primary_evidence_id=uuid4())


def test_decision_on_the_evidence_of_another_decision_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    first = decision(stage.enrollment, version)
    with pytest.raises(IntegrityError, match="requirementevaluation_rests_on_evidence"):
        decision(
            stage.enrollment, version, revision=2, primary_evidence_id=first.primary_evidence_id
        )


def test_decision_without_any_evidence_id_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    with pytest.raises(IntegrityError, match="primary_evidence_id"):
        decision(stage.enrollment, version, primary_evidence_id=None)


def test_two_writers_of_the_same_revision_are_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    decision(stage.enrollment, version)
    with pytest.raises(IntegrityError, match="requirementevaluation_revision_once"):
        decision(stage.enrollment, version)


def test_decision_about_another_learners_enrolment_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    bob: Contact = person("Bob")
    with pytest.raises(IntegrityError, match="requirementevaluation_enrollment_of_its_learner"):
        decision(stage.enrollment, version, contact=bob)


def test_decision_about_a_node_of_another_version_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    other = published_set(
        program_of(stage.enrollment),
        signoff("x", is_root=True),
        slug="other",
        purpose=Purpose.CERTIFICATION,
    )
    with pytest.raises(IntegrityError, match="requirementevaluation_node_of_its_version"):
        decision(stage.enrollment, version, node=other.nodes.get())


def test_decision_about_a_draft_is_refused(
    stage: Scene,
    version: RequirementSetVersion,
) -> None:
    draft = new_draft(definition=version.definition, actor=None, at=AUTHORED)
    assert isinstance(draft, RequirementSetVersion)
    assignment(stage.enrollment, version)
    with pytest.raises(DatabaseError, match="is a draft"):
        decision(stage.enrollment, draft)


def test_decision_of_an_unknown_status_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    with pytest.raises(IntegrityError, match="requirementevaluation_status_known"):
        decision(stage.enrollment, version, status="pending")


def test_decision_is_told_apart_by_learner_and_status_for_awards(
    stage: Scene, version: RequirementSetVersion
) -> None:
    """The key that awards point at; the id alone would do for Django, not for the foreign key."""
    [constraint] = [
        c
        for c in RequirementEvaluation._meta.constraints
        if c.name == "requirementevaluation_id_contact_and_status"
    ]
    assert constraint.fields == ("id", "contact", "status")


def test_link_to_nothing_or_to_two_rows_is_refused(
    stage: Scene, version: RequirementSetVersion
) -> None:
    given, seen = assignment(stage.enrollment, version), word(SignOff, stage, version)
    for pointers in ({}, {"assignment": given, "signoff": seen}, {"signoff": seen}):
        with (
            pytest.raises(IntegrityError, match="evidencelink_points_at_one_row"),
            transaction.atomic(),
        ):
            RequirementEvidenceLink.objects.create(
                evaluation_id=uuid4(), position=0, kind="assignment", **pointers
            )


def test_link_to_its_own_decision_is_refused(stage: Scene, version: RequirementSetVersion) -> None:
    made = decision(stage.enrollment, version)
    with pytest.raises(IntegrityError, match="evidencelink_not_its_own_decision"):
        RequirementEvidenceLink.objects.create(
            evaluation_id=made.id, position=1, kind="evaluation", decision=made
        )


def test_enrolments_keep_their_decisions_apart(
    stage: Scene, version: RequirementSetVersion
) -> None:
    bob = enroll(cohort=stage.cohort, contact=person("Bob"), actor=None, at=NOON)

    decision(stage.enrollment, version)
    decision(bob, version)

    assert RequirementEvaluation.objects.current().count() == 2
    assert RequirementEvaluation.objects.as_of(NOON - timedelta(days=9999)).count() == 0


def test_node_spec_of_a_row_says_what_the_row_says(draft: RequirementSetVersion) -> None:
    spec = signoff("full", title="Full", credits=Decimal("1.50"), deadline_days=3)
    insert(draft, spec)

    assert RequirementNode.objects.get(key="full").spec() == spec
