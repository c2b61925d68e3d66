"""The evaluator: how every requirement of a version stands for one learner. Pure and total.

Three-valued inside (met, can no longer be met, open), because "not yet" and "never" call for
different advice and only the outer two are decisions. The same function answers learners, gates,
workers and the audit; nothing else decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.requirements.claims import LEAF_CLAIMS, Claim
from apps.requirements.compounds import COMPOUND_CLAIMS
from apps.requirements.entries import OPEN_ENTRY, Entry, entry
from apps.requirements.facts import Facts
from apps.requirements.graph import NodeSpec, PlanNode, VersionSpec
from apps.requirements.statuses import (
    DECIDED,
    MET,
    Decision,
    DecisionStatus,
    Evaluation,
    Evidence,
    EvidenceKind,
    NodeStatus,
    Reason,
    Status,
)

# Raised whenever the same facts could lead to another answer; kept with every stored decision.
ENGINE_VERSION = "1"
UNDECIDED = NodeStatus("", Status.AVAILABLE.value, Reason.NOT_STARTED)


def evaluate(version: VersionSpec, facts: Facts, as_of: datetime) -> Evaluation:
    """Return the status of every node for these facts, as effective at `as_of`.

    Defined for every combination of facts, however contradictory. Raises Cycle for a graph that
    publishing would have refused.
    """
    plan = version.plan
    entries = [OPEN_ENTRY] * len(plan.nodes)
    found = [UNDECIDED] * len(plan.nodes)
    for is_gate, node in plan.steps:
        if is_gate:
            entries[node.index] = entry(node, found, entries, facts, as_of)
        else:
            way_in = entries[node.index]
            found[node.index] = _status(node, plan.nodes, found, way_in, facts, as_of)
    return Evaluation(as_of, {status.key: status for status in found})


def decide(version: VersionSpec, facts: Facts, as_of: datetime) -> tuple[Decision, ...]:
    """Return what must be recorded, in an order in which members come before their groups."""
    return decisions(version, facts, evaluate(version, facts, as_of))


def decisions(version: VersionSpec, facts: Facts, evaluation: Evaluation) -> tuple[Decision, ...]:
    """Return the decisions by which the evaluation differs from what `facts.held` has recorded.

    A recorded decision is repeated on new evidence when its own was annulled. It is reopened when
    the node is undecided now; what is reopened rests on the decision that fell away.
    """
    found = []
    for step in version.plan.steps:
        if not step.is_gate:
            decision = _decision(evaluation.statuses[step.node.key], facts, evaluation.as_of)
            if decision is not None:
                found.append(decision)
    return tuple(found)


def _decision(status: NodeStatus, facts: Facts, as_of: datetime) -> Decision | None:
    held = facts.held.get(status.key)
    if status.status in DECIDED:
        if held is not None and held.status == status.status and held.stands:
            return None
        return Decision(
            key=status.key,
            status=DecisionStatus(status.status),
            reason=status.reason,
            occurred_at=status.occurred_at or as_of,
            evidence=status.evidence or (Evidence(EvidenceKind.ASSIGNMENT, facts.assignment),),
        )
    if held is None or held.status not in DECIDED:
        return None
    reason = Reason.NO_LONGER_MET if held.stands else Reason.EVIDENCE_ANNULLED
    return Decision(
        key=status.key,
        status=DecisionStatus.REOPENED,
        reason=Reason.POSSIBLE_AGAIN if held.status == _FAILED else reason,
        occurred_at=as_of,
        evidence=(Evidence(EvidenceKind.EVALUATION, held.evaluation),),
    )


def deadline_of(node: NodeSpec, facts: Facts) -> datetime | None:
    """Return the last moment that is still in time: the end of the day, in the cohort's zone."""
    if node.deadline_on is None and node.deadline_days is None:
        return None
    zone = ZoneInfo(facts.timezone)
    day = node.deadline_on
    if day is None:
        started_on = facts.enrolled_at.astimezone(zone).date()
        day = started_on + timedelta(days=node.deadline_days or 0)
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC) - timedelta(
        microseconds=1
    )


def _status(
    node: PlanNode,
    nodes: Sequence[PlanNode],
    found: Sequence[NodeStatus],
    way_in: Entry,
    facts: Facts,
    as_of: datetime,
) -> NodeStatus:
    deadline = deadline_of(node.spec, facts) if node.has_deadline else None
    leaf = LEAF_CLAIMS.get(node.kind)
    if leaf is not None:
        claim = leaf(node, facts, as_of, deadline)
    else:
        claim = COMPOUND_CLAIMS[node.kind](node, nodes, found, deadline)
    if deadline is not None:
        claim = _in_time(claim, deadline, as_of)
    status, reason, blocking, evidence, occurred_at = _standing(node, claim, way_in, facts, as_of)
    return NodeStatus(
        node.key,
        status,
        reason,
        claim.have,
        claim.need,
        blocking,
        evidence,
        deadline,
        occurred_at,
        status in MET or (claim.truth is not False and way_in.truth is not False),
        claim.is_settling,
        way_in.truth is True,
    )


def _in_time(claim: Claim, deadline: datetime, as_of: datetime) -> Claim:
    """Fail a claim that was met too late, or is still open after the deadline."""
    if claim.truth is True:
        is_late = claim.met_at is not None and claim.met_at > deadline
    else:
        is_late = claim.truth is None and as_of > deadline and not claim.is_settling
    if not is_late:
        return claim
    return claim._replace(truth=False, reason=Reason.DEADLINE_PASSED, met_at=None)


_Standing = tuple[str, Reason, tuple[str, ...], tuple[Evidence, ...], datetime | None]


def _standing(
    node: PlanNode, claim: Claim, way_in: Entry, facts: Facts, as_of: datetime
) -> _Standing:
    """Put claim, entry, waiver and the recorded decision together. The order is the precedence."""
    key = node.key
    if claim.truth is True and way_in.truth is True:
        return _SATISFIED, claim.reason, (), claim.evidence, claim.met_at
    if node.is_sticky:
        held = facts.held.get(key)
        if held is not None and held.stands and held.status == _SATISFIED:
            evidence = (Evidence(EvidenceKind.EVALUATION, held.evaluation),)
            return _SATISFIED, Reason.KEPT, (), evidence, held.occurred_at
    waiver = facts.waivers.get(key)
    if waiver is not None and (waiver.expires_at is None or as_of < waiver.expires_at):
        evidence = (Evidence(EvidenceKind.WAIVER, waiver.waiver),)
        return _WAIVED, Reason.WAIVED, (), evidence, waiver.occurred_at
    if claim.truth is False:
        return _FAILED, claim.reason, claim.blocking, claim.evidence, as_of
    if way_in.truth is not True:
        return _LOCKED, way_in.reason, way_in.blocking, way_in.evidence, None
    if claim.reason is Reason.MEMBERS_LOCKED:
        return _LOCKED, claim.reason, claim.blocking, (), None
    return (_PENDING if claim.has_begun else _AVAILABLE), claim.reason, claim.blocking, (), None


# Plain strings: reading `.value` of an enumeration costs more than the comparison it serves.
_SATISFIED = Status.SATISFIED.value
_WAIVED = Status.WAIVED.value
_FAILED = Status.FAILED.value
_LOCKED = Status.LOCKED.value
_PENDING = Status.PENDING.value
_AVAILABLE = Status.AVAILABLE.value
