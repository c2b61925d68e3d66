"""What a requirement graph must be before it may be published. Pure: data in, faults out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from apps.requirements.graph import (
    SCORE_CONDITIONS,
    Cycle,
    EdgeCondition,
    EdgeKind,
    EdgeSpec,
    NodeKind,
    NodeSpec,
    VersionSpec,
)

# Without a deadline these wait for ever.
_PATIENT_KINDS = frozenset(
    {
        NodeKind.COURSE_COMPLETED,
        NodeKind.MODULE_COMPLETED,
        NodeKind.ITEM_COMPLETED,
        NodeKind.SIGNOFF,
        NodeKind.CREDENTIAL_HELD,
    }
)


@dataclass(frozen=True)
class Targets:
    """What there is to require: published and not archived.

    Courses are those of the program, each with the keys of the modules and items of the versions
    that a learner of the program can have.
    """

    courses: frozenset[UUID] = frozenset()
    modules: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    items: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    assessments: frozenset[UUID] = frozenset()
    programs: frozenset[UUID] = frozenset()
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fault:
    """One reason not to publish: a stable code, a sentence, and the key of the node at fault."""

    code: str
    message: str
    key: str = ""


def graph_faults(version: VersionSpec, targets: Targets, *, needs_root: bool) -> list[Fault]:
    """Return everything that forbids publishing, in the order of the nodes.

    `needs_root`: whether one node must stand for the whole, as in a set that earns an award.
    """
    if not version.nodes:
        return [Fault("no-nodes", "There is no requirement yet.")]
    faults = [fault for node in version.nodes for fault in _target_faults(node, targets)]
    faults += [fault for node in version.nodes for fault in _shape_faults(version, node)]
    faults += [fault for edge in version.edges for fault in _edge_faults(version, edge)]
    faults += _root_faults(version, needs_root=needs_root)
    try:
        order = [step.node.key for step in version.plan.steps if not step.is_gate]
    except Cycle as cycle:
        path = " → ".join(f"“{key}”" for key in cycle.path)
        return [*faults, Fault("cycle", f"These wait for each other: {path}.", cycle.path[0])]
    if faults:
        return faults
    return [*_hopeless(version, order), *_idle(version)]


def _target_faults(node: NodeSpec, targets: Targets) -> Iterator[Fault]:
    """Dangling: what the node requires is not there for a learner of the program."""
    if node.course is not None and node.course not in targets.courses:
        yield _fault("course-not-in-program", node, "requires a course that the program lacks")
    elif node.course is not None and node.kind == NodeKind.MODULE_COMPLETED:
        if node.module_key not in targets.modules.get(node.course, ()):
            yield _fault(
                "module-unknown",
                node,
                f"requires a module “{node.module_key}”, which the published course does not have",
            )
    elif (
        node.course is not None
        and node.kind == NodeKind.ITEM_COMPLETED
        and node.item_key not in targets.items.get(node.course, ())
    ):
        yield _fault(
            "item-unknown",
            node,
            f"requires an item “{node.item_key}”, which the published course does not have",
        )
    if node.assessment is not None and node.assessment not in targets.assessments:
        yield _fault(
            "assessment-not-published", node, "requires an assessment that is not published"
        )
    if node.kind == NodeKind.SIGNOFF and node.signoff_capability not in targets.capabilities:
        yield _fault("capability-unknown", node, "is signed off by a capability that nobody has")
    if node.credential_program is not None and node.credential_program not in targets.programs:
        yield _fault(
            "program-not-published",
            node,
            "requires the credential of a program that is not another, published one",
        )


def _shape_faults(version: VersionSpec, node: NodeSpec) -> Iterator[Fault]:
    members = version.sources(node.key, EdgeKind.MEMBER)
    if node.kind == NodeKind.MILESTONE and not version.sources(node.key, EdgeKind.PREREQUISITE):
        yield _fault("milestone-empty", node, "is a milestone without prerequisites")
    if node.kind != NodeKind.GROUP:
        if members:
            yield _fault("members-without-group", node, "has members but is not a group")
        return
    if not members:
        yield _fault("group-empty", node, "is a group without members")
    elif node.group_min_count is not None and node.group_min_count > len(members):
        yield _fault(
            "group-too-small",
            node,
            f"needs {node.group_min_count} of its members but has {len(members)}",
        )
    elif node.group_min_credits is not None:
        borne = sum(_credits(version, node.key).values(), Decimal())
        if borne < node.group_min_credits:
            yield _fault(
                "group-too-few-credits",
                node,
                f"needs {node.group_min_credits} credits but its members bear {borne}",
            )


def _credits(version: VersionSpec, group: str) -> dict[str, Decimal]:
    """Return the credits that all members of a group bear; safe in a graph with cycles."""
    borne: dict[str, Decimal] = {}
    seen, waiting = {group}, list(version.sources(group, EdgeKind.MEMBER))
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        node = version.by_key[key]
        if node.credits is not None:
            borne[key] = node.credits
        else:
            waiting.extend(version.sources(key, EdgeKind.MEMBER))
    return borne


def _edge_faults(version: VersionSpec, edge: EdgeSpec) -> Iterator[Fault]:
    for end in (edge.source, edge.target):
        if end not in version.by_key:
            yield Fault("edge-dangling", f"An edge leads to “{end}”, which is not there.", end)
            return
    source = version.by_key[edge.source]
    if edge.condition == EdgeCondition.FAILED and not _can_fail(source):
        yield _fault("condition-never-fails", source, "can't fail without a deadline")
    if edge.condition not in SCORE_CONDITIONS:
        return
    if source.kind != NodeKind.ASSESSMENT_PASSED:
        yield _fault("condition-without-score", source, "has no score, but an edge asks for one")
    elif edge.threshold is None:
        yield _fault("condition-without-threshold", source, "is asked for a score without a number")
    elif _never_holds(edge):
        yield _fault("condition-never-holds", source, "is asked for a score that nobody can have")


def _can_fail(node: NodeSpec) -> bool:
    """Return whether a node can ever be lost: by its kind, or by missing its deadline."""
    if node.deadline_days is not None or node.deadline_on is not None:
        return True
    return node.kind not in _PATIENT_KINDS


def _never_holds(edge: EdgeSpec) -> bool:
    threshold = edge.threshold
    if threshold is None:
        return False
    if edge.condition == EdgeCondition.SCORE_BELOW:
        return threshold <= 0
    return edge.condition == EdgeCondition.SCORE_AT_LEAST and threshold > 100


def _root_faults(version: VersionSpec, *, needs_root: bool) -> Iterator[Fault]:
    roots = [node for node in version.nodes if node.is_root]
    if needs_root and not roots:
        yield Fault("no-root", "No node is marked as the one that earns the award.")
    for extra in roots[1:]:
        yield _fault("second-root", extra, "is a second root")


def _hopeless(version: VersionSpec, order: list[str]) -> Iterator[Fault]:
    """Name nodes that nobody could ever reach, or groups that nobody could fill.

    Optimistic: every leaf that opens counts as met. A node whose only branches ask that its own
    prerequisite failed can't open.
    """
    hopeless: set[str] = set()
    for key in order:
        node = version.by_key[key]
        if not _can_open(version, key, hopeless):
            hopeless.add(key)
            yield _fault("unreachable", node, "can never be reached")
        elif node.kind == NodeKind.GROUP and not _can_fill(version, node, hopeless):
            hopeless.add(key)
            yield _fault("group-unsatisfiable", node, "is a group that nobody could fill")


def _can_open(version: VersionSpec, key: str, hopeless: set[str]) -> bool:
    required = _required_before(version, key)
    if required & hopeless:
        return False
    branches = [e for e in version.known_edges if e.target == key and e.kind == EdgeKind.UNLOCK]
    return not branches or any(
        edge.source not in hopeless
        and not (edge.condition == EdgeCondition.FAILED and edge.source in required)
        for edge in branches
    )


def _required_before(version: VersionSpec, key: str) -> set[str]:
    """Return every node that must be met before `key` opens, however far back."""
    required: set[str] = set()
    waiting = [key]
    while waiting:
        for source in version.sources(waiting.pop(), EdgeKind.PREREQUISITE):
            if source not in required:
                required.add(source)
                waiting.append(source)
    return required


def _can_fill(version: VersionSpec, node: NodeSpec, hopeless: set[str]) -> bool:
    members = [m for m in version.sources(node.key, EdgeKind.MEMBER) if m not in hopeless]
    if node.group_min_credits is None:
        every = len(version.sources(node.key, EdgeKind.MEMBER))
        return len(members) >= (node.group_min_count or every)
    borne: dict[str, Decimal] = {}
    for member in members:
        own = version.by_key[member].credits
        borne |= {member: own} if own is not None else _credits(version, member)
    return sum(borne.values(), Decimal()) >= node.group_min_credits


def _idle(version: VersionSpec) -> Iterator[Fault]:
    """Name nodes that have no influence on the root: an author forgot to connect them."""
    if version.root is None:
        return
    reached = version.plan.cones[version.root.key].keys
    for node in version.nodes:
        if node.key not in reached:
            yield _fault("without-effect", node, f"has no influence on “{version.root.key}”")


def _fault(code: str, node: NodeSpec, what: str) -> Fault:
    return Fault(code, f"“{node.key}” {what}.", node.key)
