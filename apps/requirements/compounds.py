"""What follows from other requirements: groups and milestones. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from apps.requirements.claims import Claim
from apps.requirements.entries import grounds
from apps.requirements.graph import NodeKind, PlanNode
from apps.requirements.statuses import MET, Evidence, EvidenceKind, NodeStatus, Reason, Status

_LOCKED = Status.LOCKED.value
_PENDING = Status.PENDING.value

CompoundClaim = Callable[
    [PlanNode, Sequence[PlanNode], Sequence[NodeStatus], "datetime | None"], Claim
]
Worth = Mapping[str, Decimal | int]


def milestone_reached(
    node: PlanNode,
    nodes: Sequence[PlanNode],
    found: Sequence[NodeStatus],
    deadline: datetime | None,
) -> Claim:
    """A milestone is met when all its prerequisites are; it was reached with the last of them."""
    sources = [found[i] for i in node.prerequisites]
    met = [s for s in sources if s.status in MET]
    have, need = len(met), node.need
    waiting = [s for s in sources if s.status not in MET]
    if not waiting:
        evidence, met_at = _decisions(met), _last(met)
        return Claim(True, Reason.PREREQUISITES_MET, have, need, True, evidence, met_at=met_at)
    lost = [s for s in waiting if not s.is_attainable]
    if lost:
        keys = tuple(s.key for s in lost)
        return Claim(False, Reason.PREREQUISITE_FAILED, have, need, True, _grounds(lost), keys)
    return Claim(
        None,
        Reason.PREREQUISITE_OPEN,
        have,
        need,
        bool(met),
        blocking=tuple(s.key for s in waiting),
        is_settling=all(s.is_settling for s in waiting) and _all_in_time(met, deadline),
    )


def group_filled(
    node: PlanNode,
    nodes: Sequence[PlanNode],
    found: Sequence[NodeStatus],
    deadline: datetime | None,
) -> Claim:
    """A group is met by enough members, or by members that bear enough credits.

    It rests on those that filled it first, in the order in which they were met.
    """
    met = sorted(
        (i for i in node.members if found[i].status in MET), key=lambda i: _order(found[i])
    )
    need, by_credits = node.need, node.counts_credits
    if by_credits:
        have: Decimal | int = _sum(_credits(i, nodes, found, _is_met) for i in met)
    else:
        have = len(met)
    if have >= need:
        filled = [found[i] for i in _filling(met, node, nodes, found)]
        reason = Reason.CREDITS_MET if by_credits else Reason.MEMBERS_MET
        return Claim(True, reason, have, need, True, _decisions(filled), met_at=_last(filled))
    rest = _unmet(node, nodes, found)
    if not _is_within_reach(node, nodes, found):
        lost = [s for s in rest if not s.is_attainable]
        reason = Reason.CREDITS_OUT_OF_REACH if by_credits else Reason.MEMBERS_OUT_OF_REACH
        keys = tuple(s.key for s in lost)
        return Claim(False, reason, have, need, True, _grounds(lost), keys)
    still_open = [s for s in rest if s.is_attainable]
    is_settling = _will_fill(node, nodes, found, deadline)
    return Claim(
        None,
        _open_reason(still_open, by_credits=by_credits),
        have,
        need,
        bool(met) or any(s.status == _PENDING for s in still_open),
        blocking=tuple(s.key for s in still_open),
        is_settling=is_settling,
    )


def _open_reason(still_open: Sequence[NodeStatus], *, by_credits: bool) -> Reason:
    if all(s.status == _LOCKED for s in still_open):
        return Reason.MEMBERS_LOCKED
    return Reason.CREDITS_OPEN if by_credits else Reason.MEMBERS_OPEN


COMPOUND_CLAIMS: dict[str, CompoundClaim] = {
    NodeKind.GROUP.value: group_filled,
    NodeKind.MILESTONE.value: milestone_reached,
}


def _credits(
    index: int,
    nodes: Sequence[PlanNode],
    found: Sequence[NodeStatus],
    counts: Callable[[NodeStatus], bool],
) -> Worth:
    """Return the credits that a member bears, by the node that they belong to.

    A group without credits of its own passes on those of its members. By node, so that one that
    is reached through two groups counts once.
    """
    if not counts(found[index]):
        return {}
    node = nodes[index]
    if node.spec.credits is not None:
        return {node.key: node.spec.credits}
    borne: dict[str, Decimal | int] = {}
    for member in node.members:
        borne.update(_credits(member, nodes, found, counts))
    return borne


def _unmet(
    node: PlanNode, nodes: Sequence[PlanNode], found: Sequence[NodeStatus]
) -> list[NodeStatus]:
    """Return what is not met among the members.

    Where credits are counted, a met group that passes on credits can still bear more.
    """
    unmet: dict[str, NodeStatus] = {}
    for index in node.members:
        member, status = nodes[index], found[index]
        if status.status not in MET:
            unmet[status.key] = status
        elif node.counts_credits and member.spec.credits is None:
            unmet |= {s.key: s for s in _unmet_bearers(member, nodes, found)}
    return list(unmet.values())


def _unmet_bearers(
    node: PlanNode, nodes: Sequence[PlanNode], found: Sequence[NodeStatus]
) -> Iterator[NodeStatus]:
    for index in node.members:
        member, status = nodes[index], found[index]
        if status.status not in MET:
            yield status
        elif member.spec.credits is None:
            yield from _unmet_bearers(member, nodes, found)


def _worth(
    index: int,
    node: PlanNode,
    nodes: Sequence[PlanNode],
    found: Sequence[NodeStatus],
    counts: Callable[[NodeStatus], bool],
) -> Worth:
    if node.counts_credits:
        return _credits(index, nodes, found, counts)
    return {nodes[index].key: 1} if counts(found[index]) else {}


def _filling(
    met: Sequence[int], node: PlanNode, nodes: Sequence[PlanNode], found: Sequence[NodeStatus]
) -> list[int]:
    """Return the first members that fill the group, leaving out those that add nothing."""
    if not node.counts_credits:
        return list(met[: int(node.need)])
    borne: dict[str, Decimal | int] = {}
    chosen = []
    for index in met:
        more = _credits(index, nodes, found, _is_met)
        if more.keys() - borne.keys():
            borne.update(more)
            chosen.append(index)
        if sum(borne.values()) >= node.need:
            break
    return chosen


def _is_within_reach(
    node: PlanNode, nodes: Sequence[PlanNode], found: Sequence[NodeStatus]
) -> bool:
    worths = (_worth(i, node, nodes, found, _is_attainable) for i in node.members)
    return _sum(worths) >= node.need


def _will_fill(
    node: PlanNode,
    nodes: Sequence[PlanNode],
    found: Sequence[NodeStatus],
    deadline: datetime | None,
) -> bool:
    """Return whether what was met in time and what only waits to be told would fill the group."""

    def counts(status: NodeStatus) -> bool:
        return status.is_settling or (status.status in MET and _all_in_time([status], deadline))

    return _sum(_worth(i, node, nodes, found, counts) for i in node.members) >= node.need


def _sum(worths: Iterable[Worth]) -> Decimal | int:
    borne: dict[str, Decimal | int] = {}
    for worth in worths:
        borne.update(worth)
    return sum(borne.values())


def _is_met(status: NodeStatus) -> bool:
    return status.status in MET


def _is_attainable(status: NodeStatus) -> bool:
    return status.is_attainable


def _order(status: NodeStatus) -> tuple[bool, datetime | None, str]:
    """Sort by when a node was met; what was met by nothing that happened comes first."""
    return status.occurred_at is not None, status.occurred_at, status.key


def _last(statuses: Sequence[NodeStatus]) -> datetime | None:
    return max((s.occurred_at for s in statuses if s.occurred_at is not None), default=None)


def _all_in_time(statuses: Iterable[NodeStatus], deadline: datetime | None) -> bool:
    return deadline is None or all(
        s.occurred_at is not None and s.occurred_at <= deadline for s in statuses
    )


def _decisions(statuses: Iterable[NodeStatus]) -> tuple[Evidence, ...]:
    return tuple(Evidence(EvidenceKind.EVALUATION, node=s.key) for s in statuses)


def _grounds(statuses: Iterable[NodeStatus]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(e for s in statuses for e in grounds(s)))
