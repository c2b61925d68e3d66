from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from apps.requirements.graph import EdgeCondition, NodeKind, NodeSpec, VersionSpec
from apps.requirements.publication import Fault, Targets, graph_faults
from tests.requirements.graphs import (
    COURSE,
    PROGRAM,
    before,
    group,
    member,
    milestone,
    quiz,
    signoff,
    uid,
    unlocks,
    version,
)

TARGETS = Targets(
    courses=frozenset({COURSE}),
    modules={COURSE: frozenset({"m"})},
    items={COURSE: frozenset({"i"})},
    assessments=frozenset(uid(i) for i in range(3)),
    programs=frozenset({PROGRAM}),
    capabilities=frozenset({"sign_off"}),
)


def codes(spec: VersionSpec, *, needs_root: bool = False) -> list[tuple[str, str]]:
    return [(f.code, f.key) for f in graph_faults(spec, TARGETS, needs_root=needs_root)]


def test_graph_faults_of_a_whole_graph_are_none() -> None:
    spec = version(
        group("root", is_root=True, group_min_count=2),
        NodeSpec("course", NodeKind.COURSE_COMPLETED, course=COURSE),
        NodeSpec("module", NodeKind.MODULE_COMPLETED, course=COURSE, module_key="m"),
        NodeSpec("item", NodeKind.ITEM_COMPLETED, course=COURSE, item_key="i"),
        NodeSpec("held", NodeKind.CREDENTIAL_HELD, credential_program=PROGRAM),
        quiz("quiz"),
        milestone("half"),
        before("item", "half"),
        unlocks("quiz", "course", EdgeCondition.SCORE_AT_LEAST, Decimal(50)),
        unlocks("module", "course"),
        *(member(key, "root") for key in ("course", "half", "held")),
    )

    assert graph_faults(spec, TARGETS, needs_root=True) == []


def test_graph_faults_tell_the_path_of_a_cycle() -> None:
    spec = version(signoff("a"), signoff("b"), before("a", "b"), before("b", "a"))

    (fault,) = graph_faults(spec, TARGETS, needs_root=False)

    assert fault in (
        Fault("cycle", "These wait for each other: “a” → “b” → “a”.", "a"),
        Fault("cycle", "These wait for each other: “b” → “a” → “b”.", "b"),
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (version(), [("no-nodes", "")]),
        (version(quiz("a", 9)), [("assessment-not-published", "a")]),
        (
            version(NodeSpec("a", NodeKind.COURSE_COMPLETED, course=uid(1))),
            [("course-not-in-program", "a")],
        ),
        (
            version(NodeSpec("a", NodeKind.MODULE_COMPLETED, course=COURSE, module_key="x")),
            [("module-unknown", "a")],
        ),
        (
            version(NodeSpec("a", NodeKind.ITEM_COMPLETED, course=COURSE, item_key="x")),
            [("item-unknown", "a")],
        ),
        (
            version(NodeSpec("a", NodeKind.CREDENTIAL_HELD, credential_program=uid(1))),
            [("program-not-published", "a")],
        ),
        (
            version(NodeSpec("a", NodeKind.SIGNOFF, signoff_capability="fly")),
            [("capability-unknown", "a")],
        ),
        (version(milestone("a")), [("milestone-empty", "a")]),
        (version(group("a")), [("group-empty", "a")]),
        (version(signoff("a"), signoff("b"), member("a", "b")), [("members-without-group", "b")]),
        (
            version(group("g", group_min_count=2), signoff("a"), member("a", "g")),
            [("group-too-small", "g")],
        ),
        (
            version(
                group("g", group_min_credits=Decimal(4)),
                signoff("a", credits=Decimal(3)),
                member("a", "g"),
            ),
            [("group-too-few-credits", "g")],
        ),
        (version(signoff("a"), before("x", "a")), [("edge-dangling", "x")]),
        (
            version(
                signoff("a"), signoff("b"), unlocks("a", "b", EdgeCondition.SCORE_BELOW, Decimal(5))
            ),
            [("condition-without-score", "a")],
        ),
        (
            version(quiz("a"), signoff("b"), unlocks("a", "b", EdgeCondition.SCORE_BELOW, None)),
            [("condition-without-threshold", "a")],
        ),
        (
            version(
                quiz("a"), signoff("b"), unlocks("a", "b", EdgeCondition.SCORE_BELOW, Decimal(0))
            ),
            [("condition-never-holds", "a")],
        ),
        (
            version(signoff("a"), signoff("b"), unlocks("a", "b", EdgeCondition.FAILED)),
            [("condition-never-fails", "a")],
        ),
        (
            version(
                quiz("a"), signoff("b"), before("a", "b"), unlocks("a", "b", EdgeCondition.FAILED)
            ),
            [("unreachable", "b")],
        ),
        (
            version(
                group("g"),
                quiz("a"),
                signoff("b"),
                before("a", "b"),
                unlocks("a", "b", EdgeCondition.FAILED),
                member("b", "g"),
            ),
            [("unreachable", "b"), ("group-unsatisfiable", "g")],
        ),
        (version(signoff("a", is_root=True), signoff("b")), [("without-effect", "b")]),
        (
            version(signoff("a", is_root=True), signoff("b", is_root=True)),
            [("second-root", "b")],
        ),
    ],
)
def test_graph_faults_name_the_node(spec: VersionSpec, expected: list[tuple[str, str]]) -> None:
    assert codes(spec) == expected


def test_graph_faults_ask_for_a_root_where_an_award_rests_on_it() -> None:
    assert codes(version(signoff("a")), needs_root=True) == [("no-root", "")]


def test_graph_faults_allow_failure_where_a_deadline_can_pass() -> None:
    late = replace(signoff("a"), deadline_on=date(2026, 1, 1))

    assert codes(version(late, signoff("b"), unlocks("a", "b", EdgeCondition.FAILED))) == []


def test_graph_faults_of_a_cycle_of_groups_that_count_credits_end() -> None:
    spec = version(
        group("g", group_min_credits=Decimal(1)), group("h"), member("h", "g"), member("g", "h")
    )

    assert {code for code, _key in codes(spec)} == {"group-too-few-credits", "cycle"}
