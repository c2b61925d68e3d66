"""What the facts say about a single requirement, seen alone: met, not any more, or open. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from apps.requirements.facts import AssessmentContext, Facts, ResultFact
from apps.requirements.graph import NodeKind, PlanNode
from apps.requirements.statuses import Evidence, EvidenceKind, Reason

ATTENDED = frozenset({"present", "late"})
EXCUSED = "excused"
UNKNOWN_ASSESSMENT = AssessmentContext()


class Claim(NamedTuple):
    """`truth` is three-valued: True is met, False can no longer be met, None is still open.

    `is_settling` marks an open claim that the passing of its deadline alone does not fail: what it
    waits for was done in time and only has to be told.
    """

    truth: bool | None
    reason: Reason
    have: Decimal | int | None = None
    need: Decimal | int | None = None
    has_begun: bool = False
    evidence: tuple[Evidence, ...] = ()
    blocking: tuple[str, ...] = ()
    met_at: datetime | None = None
    is_settling: bool = False


NOT_STARTED = Claim(None, Reason.NOT_STARTED)
STARTED = Claim(None, Reason.IN_PROGRESS, has_begun=True)
UNSIGNED = Claim(None, Reason.AWAITING_SIGNOFF, has_begun=True)

LeafClaim = Callable[[PlanNode, Facts, datetime, "datetime | None"], Claim]


def completed(node: PlanNode, facts: Facts, as_of: datetime, deadline: datetime | None) -> Claim:
    if node.completion is None:
        return NOT_STARTED
    event = facts.completions.get(node.completion)
    if event is not None and (deadline is None or event.occurred_at <= deadline):
        return Claim(
            True,
            Reason.COMPLETED,
            evidence=(Evidence(EvidenceKind.EVENT, event.event),),
            met_at=event.occurred_at,
        )
    return STARTED if node.completion in facts.started else NOT_STARTED


def assessment_passed(
    node: PlanNode, facts: Facts, as_of: datetime, deadline: datetime | None
) -> Claim:
    """Judge the result of record among the results handed in by the deadline.

    It must have passed and, where the node has a minimum of its own, reach that as well.
    """
    template = node.spec.assessment
    if template is None:
        return NOT_STARTED
    context = facts.assessments.get(template, UNKNOWN_ASSESSMENT)
    results = [
        r for r in facts.results.get(template, ()) if deadline is None or r.occurred_at <= deadline
    ]
    need = node.spec.min_percent
    record = result_of_record(results, context.policy)
    if record is not None and not record.is_final:
        return Claim(None, Reason.AWAITING_RESULT, need=need, has_begun=True, is_settling=True)
    have = None if record is None else record.percent
    if record is not None and record.passed and (need is None or record.percent >= need):
        evidence = (Evidence(EvidenceKind.RESULT, record.result),)
        return Claim(True, Reason.PASSED, have, need, True, evidence, met_at=record.occurred_at)
    submitted = context.submitted_at
    if submitted is not None and (deadline is None or submitted <= deadline):
        return Claim(None, Reason.AWAITING_RESULT, have, need, has_begun=True, is_settling=True)
    if not may_improve(results, context):
        missed = tuple(Evidence(EvidenceKind.RESULT, r.result) for r in results)
        return Claim(False, Reason.ATTEMPTS_EXHAUSTED, have, need, True, missed)
    if record is not None:
        return Claim(None, Reason.NOT_PASSED_YET, have, need, has_begun=True)
    begun = context.is_open
    return Claim(None, Reason.IN_PROGRESS if begun else Reason.NOT_STARTED, None, need, begun)


def result_of_record(results: Sequence[ResultFact], policy: str) -> ResultFact | None:
    """Return the result that counts, by the assessment's own rule (`assessment.rules.record`).

    Said again for these facts, because converting them for every learner would cost more than the
    choice; a test holds the two together.
    """
    if len(results) < 2:
        return results[0] if results else None
    if policy == "latest":
        return max(results, key=lambda r: r.attempt_no)
    if policy == "first":
        return min(results, key=lambda r: r.attempt_no)
    return max(results, key=lambda r: (r.is_final, r.percent, -r.attempt_no))


def may_improve(results: Sequence[ResultFact], context: AssessmentContext) -> bool:
    """Return whether another attempt could still change the result of record for the better."""
    if context.policy == "first" and results:
        return False
    return context.is_open or context.attempts_left is None or context.attempts_left > 0


def attended(node: PlanNode, facts: Facts, as_of: datetime, deadline: datetime | None) -> Claim:
    """Count required sessions by integers; a share is in basis points of the countable sessions.

    Present and late count as attended, an excused session is taken out of a share, and a session
    without a record may still be attended: it is open until somebody records it. A count that
    needs more sessions than are planned so far waits for them.
    """
    sessions = [s for s in facts.sessions if deadline is None or s.ends_at <= deadline]
    present: list[tuple[datetime, Evidence]] = []
    absent: list[tuple[datetime, Evidence]] = []
    excused: list[tuple[datetime, Evidence]] = []
    for session in sessions:
        record = facts.attendance.get(session.session)
        if record is not None:
            status = record.status
            kept = present if status in ATTENDED else excused if status == EXCUSED else absent
            kept.append((session.ends_at, Evidence(EvidenceKind.ATTENDANCE, record.record)))
    count = node.spec.attendance_count
    if count is None:
        countable = len(sessions) - len(excused)
        need = -(-node.attendance_basis_points * countable // 10_000)
        lost = absent
    else:
        countable, need, lost = len(sessions), count, absent + excused
    have = len(present)
    if countable < max(need, 1):
        return Claim(None, Reason.SESSIONS_NOT_PLANNED, have, count, bool(present))
    if have >= need:
        counted = sorted(present)[:need]
        evidence = tuple(record for _at, record in counted)
        return Claim(True, Reason.ATTENDED, have, need, True, evidence, met_at=counted[-1][0])
    if countable - len(lost) < need:
        evidence = tuple(record for _at, record in sorted(lost))
        return Claim(False, Reason.ATTENDANCE_OUT_OF_REACH, have, need, True, evidence)
    has_begun = bool(present or absent or excused)
    return Claim(None, Reason.ATTENDANCE_OPEN, have, need, has_begun, is_settling=True)


def signed_off(node: PlanNode, facts: Facts, as_of: datetime, deadline: datetime | None) -> Claim:
    signoff = facts.signoffs.get(node.key)
    if signoff is None or (deadline is not None and signoff.occurred_at > deadline):
        return UNSIGNED
    evidence = (Evidence(EvidenceKind.SIGNOFF, signoff.signoff),)
    return Claim(True, Reason.SIGNED_OFF, evidence=evidence, met_at=signoff.occurred_at)


def credential_held(
    node: PlanNode, facts: Facts, as_of: datetime, deadline: datetime | None
) -> Claim:
    """Judge by the credential events of the other program: issued, not ended, not expired."""
    program = node.spec.credential_program
    credentials = () if program is None else facts.credentials.get(program, ())
    for credential in credentials:
        if credential.holds(as_of) and (deadline is None or credential.occurred_at <= deadline):
            return Claim(
                True,
                Reason.CREDENTIAL_HELD,
                evidence=(Evidence(EvidenceKind.EVENT, credential.event),),
                met_at=credential.occurred_at,
            )
    return Claim(None, Reason.CREDENTIAL_ENDED if credentials else Reason.CREDENTIAL_MISSING)


LEAF_CLAIMS: dict[str, LeafClaim] = {
    NodeKind.COURSE_COMPLETED.value: completed,
    NodeKind.MODULE_COMPLETED.value: completed,
    NodeKind.ITEM_COMPLETED.value: completed,
    NodeKind.ASSESSMENT_PASSED.value: assessment_passed,
    NodeKind.ATTENDANCE.value: attended,
    NodeKind.SIGNOFF.value: signed_off,
    NodeKind.CREDENTIAL_HELD.value: credential_held,
}
