from __future__ import annotations

from decimal import Decimal

import pytest

from apps.requirements.graph import Cycle, EdgeCondition, VersionSpec, edge_key
from tests.requirements.graphs import (
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


def order(spec: VersionSpec) -> list[str]:
    return [step.node.key for step in spec.plan.steps if not step.is_gate]


def test_plan_decides_members_and_prerequisites_first() -> None:
    spec = version(group("g"), milestone("m"), quiz("a"), member("m", "g"), before("a", "m"))

    assert order(spec) == ["a", "m", "g"]


def test_plan_names_the_path_of_a_cycle() -> None:
    spec = version(
        signoff("a"),
        signoff("b"),
        signoff("c"),
        before("a", "b"),
        before("b", "c"),
        before("c", "a"),
    )

    with pytest.raises(Cycle) as caught:
        _ = spec.plan

    path = caught.value.path
    assert path[0] == path[-1]
    assert set(path) == {"a", "b", "c"}


def test_plan_refuses_a_group_that_waits_for_its_own_member() -> None:
    with pytest.raises(Cycle):
        _ = version(group("g"), signoff("a"), member("a", "g"), before("a", "g")).plan


def test_plan_lets_one_member_wait_for_another() -> None:
    spec = version(
        group("g"), signoff("a"), signoff("b"), member("a", "g"), member("b", "g"), before("a", "b")
    )

    assert order(spec) == ["a", "b", "g"]


def test_cone_holds_what_can_influence_a_node_and_nothing_else() -> None:
    """`b` opens with its group, so the group's prerequisite counts, but not its other member."""
    spec = version(
        group("g"),
        quiz("a"),
        quiz("b", 1),
        quiz("c", 2),
        before("a", "g"),
        member("b", "g"),
        member("c", "g"),
    )

    cone = spec.plan.cones["b"]

    assert (cone.keys, cone.assessments) == ({"a", "b"}, {str(uid(0)), str(uid(1))})
    assert spec.plan.cones["g"].keys == {"a", "b", "c", "g"}


def test_edge_key_tells_ends_kind_and_condition() -> None:
    assert edge_key(before("a", "b")) == "a--prerequisite--b"
    assert (
        edge_key(unlocks("a", "b", EdgeCondition.SCORE_BELOW, Decimal(5)))
        == "a--unlock--b--score_below"
    )


def test_edge_key_of_long_keys_is_short_and_still_its_own() -> None:
    one, other = edge_key(before("a" * 100, "b" * 100)), edge_key(before("a" * 100, "c" * 100))

    assert len(one) == len(other) == 100
    assert one != other
