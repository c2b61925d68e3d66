"""The requirement graph as data: nodes, edges, and the order in which they can be decided. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class NodeKind(TextChoices):
    COURSE_COMPLETED = "course_completed", _("course completed")
    MODULE_COMPLETED = "module_completed", _("module completed")
    ITEM_COMPLETED = "item_completed", _("item completed")
    ASSESSMENT_PASSED = "assessment_passed", _("assessment passed")
    ATTENDANCE = "attendance", _("attendance")
    SIGNOFF = "signoff", _("sign-off")
    CREDENTIAL_HELD = "credential_held", _("credential held")
    MILESTONE = "milestone", _("milestone")
    GROUP = "group", _("group")


class EdgeKind(TextChoices):
    MEMBER = "member", _("is a member of")
    PREREQUISITE = "prerequisite", _("comes before")
    UNLOCK = "unlock", _("unlocks")


class EdgeCondition(TextChoices):
    SATISFIED = "satisfied", _("satisfied")
    FAILED = "failed", _("failed")
    SCORE_AT_LEAST = "score_at_least", _("score at least")
    SCORE_BELOW = "score_below", _("score below")


class Retention(TextChoices):
    """Whether a satisfied node stays so when later facts would no longer satisfy it.

    A sticky node keeps what it was given as long as the evidence itself stands (it is not voided,
    corrected or withdrawn). A live node must hold at every moment.
    """

    STICKY = "sticky", _("sticky")
    LIVE = "live", _("live")


SCORE_CONDITIONS = frozenset({EdgeCondition.SCORE_AT_LEAST.value, EdgeCondition.SCORE_BELOW.value})


class Completion(NamedTuple):
    """What a learner can complete: a course, or a module or item of it by its stable key."""

    course: UUID
    part: str = "course"
    key: str = ""

    def __str__(self) -> str:
        return f"{self.course}/{self.part}/{self.key}"


@dataclass(frozen=True)
class NodeSpec:
    """One requirement. Which fields count depends on the kind; the table has a CHECK for each."""

    key: str
    kind: NodeKind
    title: str = ""
    course: UUID | None = None
    module_key: str = ""
    item_key: str = ""
    assessment: UUID | None = None
    min_percent: Decimal | None = None
    attendance_count: int | None = None
    attendance_percent: Decimal | None = None
    signoff_capability: str = ""
    credential_program: UUID | None = None
    group_min_count: int | None = None
    group_min_credits: Decimal | None = None
    credits: Decimal | None = None
    deadline_days: int | None = None
    deadline_on: date | None = None
    retention: Retention = Retention.STICKY
    is_root: bool = False

    @property
    def completion(self) -> Completion | None:
        """Return what must be completed, or None for the other kinds."""
        if self.course is None:
            return None
        if self.kind == NodeKind.COURSE_COMPLETED:
            return Completion(self.course)
        if self.kind == NodeKind.MODULE_COMPLETED:
            return Completion(self.course, "module", self.module_key)
        if self.kind == NodeKind.ITEM_COMPLETED:
            return Completion(self.course, "item", self.item_key)
        return None


@dataclass(frozen=True)
class EdgeSpec:
    """`source` is a member of, comes before, or unlocks `target`; both are keys.

    Every prerequisite of a node must be met. Of its unlocking edges one must hold: they are the
    branches that lead to it. Only unlocking edges carry a condition other than "satisfied".
    """

    source: str
    target: str
    kind: EdgeKind
    condition: EdgeCondition = EdgeCondition.SATISFIED
    threshold: Decimal | None = None


def edge_key(edge: EdgeSpec) -> str:
    """Return an edge's stable name: a slug of its ends, kind and condition, at most 100 long."""
    text = f"{edge.source}--{edge.kind.value}--{edge.target}"
    if edge.condition != EdgeCondition.SATISFIED:
        text += f"--{edge.condition.value}"
    if len(text) <= 100:
        return text
    return f"{text[:83]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


class Cycle(Exception):
    """The graph has no order: `path` leads from a key back to itself."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(" → ".join(path))
        self.path = path


class Branch(NamedTuple):
    """An unlocking edge as the evaluator reads it."""

    source: int
    assessment: UUID | None
    condition: str
    threshold: Decimal | None


@dataclass(frozen=True, slots=True)
class Cone:
    """Everything that can influence one node's status, and nothing else.

    As the texts under which facts are written down.
    """

    keys: frozenset[str]
    assessments: frozenset[str]
    completions: frozenset[str]
    programs: frozenset[str]
    has_attendance: bool


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A node with its neighbours resolved to positions in `Plan.nodes`, each list in key order."""

    index: int
    spec: NodeSpec
    key: str
    kind: str
    is_sticky: bool
    members: tuple[int, ...]
    prerequisites: tuple[int, ...]
    branches: tuple[Branch, ...]
    enclosing: tuple[int, ...]
    counts_credits: bool
    is_gated: bool
    has_only_prerequisites: bool
    has_deadline: bool
    attendance_basis_points: int
    need: int | Decimal
    completion: Completion | None


class Step(NamedTuple):
    """Decide whether the node is open (`is_gate`), or how it stands."""

    is_gate: bool
    node: PlanNode


@dataclass(frozen=True)
class Plan:
    """A version prepared once, so that thousands of learners can be evaluated with it."""

    nodes: tuple[PlanNode, ...]
    steps: tuple[Step, ...]
    cones: Mapping[str, Cone]


# A node is decided twice: first whether it is open, then how it stands. A group's members open
# with the group but decide it, so only these pairs, not the nodes, must be free of cycles.
_Vertex = tuple[str, str]


@dataclass(frozen=True)
class VersionSpec:
    """A whole version of a requirement set. Edges with an unknown key are left out of the plan."""

    nodes: tuple[NodeSpec, ...]
    edges: tuple[EdgeSpec, ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, NodeSpec]:
        return {node.key: node for node in self.nodes}

    @cached_property
    def known_edges(self) -> tuple[EdgeSpec, ...]:
        known = self.by_key
        return tuple(
            sorted(
                {e for e in self.edges if e.source in known and e.target in known},
                key=lambda e: (e.target, e.source, e.kind, e.condition, e.threshold or 0),
            )
        )

    def sources(self, target: str, kind: EdgeKind) -> tuple[str, ...]:
        """Return the keys with an edge of this kind into `target`, in key order."""
        return tuple(e.source for e in self.known_edges if e.target == target and e.kind == kind)

    @cached_property
    def root(self) -> NodeSpec | None:
        """Return the node that stands for the whole set, if exactly one does."""
        roots = [node for node in self.nodes if node.is_root]
        return roots[0] if len(roots) == 1 else None

    @cached_property
    def dependencies(self) -> Mapping[_Vertex, frozenset[_Vertex]]:
        """Return for each decision the decisions that it needs first."""
        needs: dict[_Vertex, set[_Vertex]] = {}
        for node in self.nodes:
            needs[node.key, "gate"] = set()
            needs[node.key, "status"] = {(node.key, "gate")}
        for edge in self.known_edges:
            if edge.kind == EdgeKind.MEMBER:
                needs[edge.target, "status"].add((edge.source, "status"))
                needs[edge.source, "gate"].add((edge.target, "gate"))
            else:
                needs[edge.target, "gate"].add((edge.source, "status"))
        return {vertex: frozenset(before) for vertex, before in needs.items()}

    @cached_property
    def plan(self) -> Plan:
        """Return the order of evaluation. Raises Cycle, which publishing has ruled out."""
        order = _ordered(self.dependencies)
        nodes = _plan_nodes(self)
        position = {node.key: node for node in nodes}
        steps = tuple(
            Step(part == "gate", position[key])
            for key, part in order
            if part == "status" or position[key].is_gated
        )
        cones = {node.key: _cone(self, node.key) for node in self.nodes}
        return Plan(nodes=nodes, steps=steps, cones=cones)


def _ordered(dependencies: Mapping[_Vertex, frozenset[_Vertex]]) -> tuple[_Vertex, ...]:
    sorter = TopologicalSorter({v: sorted(dependencies[v]) for v in sorted(dependencies)})
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        keys = [key for key, _part in error.args[1]]
        path = [key for i, key in enumerate(keys) if i == 0 or key != keys[i - 1]]
        raise Cycle(tuple(path)) from None


def _plan_nodes(version: VersionSpec) -> tuple[PlanNode, ...]:
    index = {node.key: i for i, node in enumerate(version.nodes)}
    gated = _gated(version)
    return tuple(_plan_node(version, node, index, gated) for node in version.nodes)


def _gated(version: VersionSpec) -> frozenset[str]:
    """Return the keys that can be locked: by edges of their own, or because all their groups can.

    A node in an open group and in a locked one is open: the groups are alternatives.
    """
    own = {e.target for e in version.known_edges if e.kind != EdgeKind.MEMBER}
    groups: dict[str, set[str]] = {}
    for edge in version.known_edges:
        if edge.kind == EdgeKind.MEMBER:
            groups.setdefault(edge.source, set()).add(edge.target)
    gated = set(own)
    while more := {m for m, holders in groups.items() if holders <= gated} - gated:
        gated |= more
    return frozenset(gated)


def _plan_node(
    version: VersionSpec, node: NodeSpec, index: Mapping[str, int], gated: frozenset[str]
) -> PlanNode:
    into = [edge for edge in version.known_edges if edge.target == node.key]
    members = tuple(index[e.source] for e in into if e.kind == EdgeKind.MEMBER)
    prerequisites = tuple(index[e.source] for e in into if e.kind == EdgeKind.PREREQUISITE)
    groups = [
        e.target for e in version.known_edges if e.source == node.key and e.kind == EdgeKind.MEMBER
    ]
    need: int | Decimal = len(prerequisites)
    if node.kind == NodeKind.GROUP:
        need = node.group_min_credits or node.group_min_count or len(members)
    branches = tuple(
        Branch(index[e.source], version.by_key[e.source].assessment, e.condition.value, e.threshold)
        for e in into
        if e.kind == EdgeKind.UNLOCK
    )
    enclosing = tuple(index[g] for g in groups) if gated.issuperset(groups) else ()
    return PlanNode(
        index=index[node.key],
        spec=node,
        key=node.key,
        kind=node.kind.value,
        is_sticky=node.retention == Retention.STICKY,
        members=members,
        prerequisites=prerequisites,
        branches=branches,
        enclosing=enclosing,
        counts_credits=node.group_min_credits is not None,
        is_gated=node.key in gated,
        has_only_prerequisites=not branches and not enclosing,
        has_deadline=node.deadline_days is not None or node.deadline_on is not None,
        attendance_basis_points=int((node.attendance_percent or 0) * 100),
        need=need,
        completion=node.completion,
    )


def _cone(version: VersionSpec, key: str) -> Cone:
    reached: set[_Vertex] = set()
    waiting: list[_Vertex] = [(key, "status")]
    while waiting:
        vertex = waiting.pop()
        if vertex not in reached:
            reached.add(vertex)
            waiting.extend(version.dependencies[vertex])
    nodes = [version.by_key[k] for k, part in reached if part == "status"]
    return Cone(
        keys=frozenset(node.key for node in nodes),
        assessments=frozenset(str(n.assessment) for n in nodes if n.assessment),
        completions=frozenset(str(n.completion) for n in nodes if n.completion),
        programs=frozenset(str(n.credential_program) for n in nodes if n.credential_program),
        has_attendance=any(node.kind == NodeKind.ATTENDANCE for node in nodes),
    )
