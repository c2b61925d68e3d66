"""Whether a node is open to a learner: prerequisites, branches, and the group around it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from apps.requirements.claims import UNKNOWN_ASSESSMENT, may_improve, result_of_record
from apps.requirements.facts import Facts
from apps.requirements.graph import SCORE_CONDITIONS, Branch, EdgeCondition, PlanNode
from apps.requirements.statuses import (
    DECIDED,
    MET,
    Evidence,
    EvidenceKind,
    NodeStatus,
    Reason,
    Status,
)


class Entry(NamedTuple):
    """Three-valued: True is open, False will not open as the facts are, None may still open.

    `evidence` says why it never will.
    """

    truth: bool | None
    reason: Reason
    blocking: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()


OPEN_ENTRY = Entry(True, Reason.PREREQUISITES_MET)
_FAILED = Status.FAILED.value
_WAIVED = Status.WAIVED.value


def entry(
    node: PlanNode,
    found: Sequence[NodeStatus],
    entries: Sequence[Entry],
    facts: Facts,
    as_of: datetime,
) -> Entry:
    """Return whether the node is open: every prerequisite is met, one branch holds, and one of the
    groups around it is open. What will never open outranks what is not open yet."""
    if node.has_only_prerequisites and all(found[i].status in MET for i in node.prerequisites):
        return OPEN_ENTRY
    candidates = (
        _prerequisites(node, found),
        _branches(node, found, facts, as_of),
        _enclosing(node, entries),
    )
    parts = [part for part in candidates if part is not None]
    closed = next((part for part in parts if part.truth is False), None)
    if closed is not None:
        return closed
    waiting = [part for part in parts if part.truth is None]
    if not waiting:
        return OPEN_ENTRY
    blocking = tuple(dict.fromkeys(key for part in waiting for key in part.blocking))
    return Entry(None, waiting[0].reason, blocking)


def grounds(status: NodeStatus) -> tuple[Evidence, ...]:
    """Return what shows how a node stands: its own decision, or why it is out of reach."""
    if status.status in DECIDED:
        return (Evidence(EvidenceKind.EVALUATION, node=status.key),)
    return status.evidence


def _prerequisites(node: PlanNode, found: Sequence[NodeStatus]) -> Entry | None:
    if not node.prerequisites:
        return None
    sources = [found[i] for i in node.prerequisites]
    lost = [s for s in sources if not s.is_attainable]
    if lost:
        evidence = tuple(e for s in lost for e in grounds(s))
        return Entry(False, Reason.PREREQUISITE_FAILED, tuple(s.key for s in lost), evidence)
    open_keys = tuple(s.key for s in sources if s.status not in MET)
    if open_keys:
        return Entry(None, Reason.PREREQUISITE_OPEN, open_keys)
    return OPEN_ENTRY


def _branches(
    node: PlanNode, found: Sequence[NodeStatus], facts: Facts, as_of: datetime
) -> Entry | None:
    if not node.branches:
        return None
    undecided = []
    for branch in node.branches:
        holds = _holds(branch, found[branch.source], facts, as_of)
        if holds:
            return OPEN_ENTRY
        if holds is None:
            undecided.append(found[branch.source].key)
    if undecided:
        return Entry(None, Reason.BRANCH_OPEN, tuple(dict.fromkeys(undecided)))
    evidence = [
        e for b in node.branches for e in (*grounds(found[b.source]), *_score_of_record(b, facts))
    ]
    keys = dict.fromkeys(found[branch.source].key for branch in node.branches)
    reason = Reason.BRANCH_NOT_TAKEN
    return Entry(False, reason, tuple(keys), tuple(dict.fromkeys(evidence)))


def _enclosing(node: PlanNode, entries: Sequence[Entry]) -> Entry | None:
    """Return the best of the entries of the groups around the node."""
    around = [entries[i] for i in node.enclosing]
    for truth in (True, None, False):
        for candidate in around:
            if candidate.truth is truth:
                return candidate
    return None


def _holds(branch: Branch, source: NodeStatus, facts: Facts, as_of: datetime) -> bool | None:
    if branch.condition in SCORE_CONDITIONS:
        return _score_holds(branch, source, facts, as_of)
    if branch.condition == EdgeCondition.FAILED:
        if source.status == _FAILED:
            return True
        return False if source.status in MET or not source.is_attainable else None
    return True if source.status in MET else None if source.is_attainable else False


def _score_holds(branch: Branch, source: NodeStatus, facts: Facts, as_of: datetime) -> bool | None:
    """Judge a condition on the score of record. A waiver stands for a score that is high enough."""
    wants_high = branch.condition == EdgeCondition.SCORE_AT_LEAST
    score, threshold = source.have, branch.threshold
    if source.status == _WAIVED or (score is None and source.status in MET):
        return wants_high
    if score is None or threshold is None:
        return None if source.is_attainable else False
    if (score >= threshold) is wants_high:
        return True
    is_over = source.deadline is not None and as_of > source.deadline
    return False if is_over or not _may_move(branch, facts, rises=wants_high) else None


def _may_move(branch: Branch, facts: Facts, *, rises: bool) -> bool:
    """Return whether another attempt can still move the score of record in that direction."""
    if branch.assessment is None:
        return False
    context = facts.assessments.get(branch.assessment, UNKNOWN_ASSESSMENT)
    results = facts.results.get(branch.assessment, ())
    return may_improve(results, context) and (rises or context.policy == "latest")


def _score_of_record(branch: Branch, facts: Facts) -> tuple[Evidence, ...]:
    if branch.condition not in SCORE_CONDITIONS or branch.assessment is None:
        return ()
    policy = facts.assessments.get(branch.assessment, UNKNOWN_ASSESSMENT).policy
    record = result_of_record(facts.results.get(branch.assessment, ()), policy)
    return () if record is None else (Evidence(EvidenceKind.RESULT, record.result),)
