"""The words of an answer: statuses, reasons, pointers to evidence. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Status(TextChoices):
    """How a node stands for a learner at a moment."""

    SATISFIED = "satisfied", _("satisfied")
    WAIVED = "waived", _("waived")
    PENDING = "pending", _("in progress")
    AVAILABLE = "available", _("available")
    LOCKED = "locked", _("locked")
    FAILED = "failed", _("failed")


class DecisionStatus(TextChoices):
    """What is recorded: the three decided statuses, and that one of them fell away."""

    SATISFIED = "satisfied", _("satisfied")
    WAIVED = "waived", _("waived")
    FAILED = "failed", _("failed")
    REOPENED = "reopened", _("reopened")


MET = frozenset({Status.SATISFIED.value, Status.WAIVED.value})
DECIDED = MET | {Status.FAILED.value}


class Reason(StrEnum):
    """Why. Stable codes: stored with decisions and turned into sentences by `explanation`."""

    COMPLETED = "completed"
    PASSED = "passed"
    ATTENDED = "attended"
    SIGNED_OFF = "signed_off"
    CREDENTIAL_HELD = "credential_held"
    PREREQUISITES_MET = "prerequisites_met"
    MEMBERS_MET = "members_met"
    CREDITS_MET = "credits_met"
    KEPT = "kept"
    WAIVED = "waived"

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    NOT_PASSED_YET = "not_passed_yet"
    AWAITING_RESULT = "awaiting_result"
    AWAITING_SIGNOFF = "awaiting_signoff"
    SESSIONS_NOT_PLANNED = "sessions_not_planned"
    ATTENDANCE_OPEN = "attendance_open"
    CREDENTIAL_MISSING = "credential_missing"
    CREDENTIAL_ENDED = "credential_ended"
    MEMBERS_OPEN = "members_open"
    CREDITS_OPEN = "credits_open"

    PREREQUISITE_OPEN = "prerequisite_open"
    PREREQUISITE_FAILED = "prerequisite_failed"
    BRANCH_OPEN = "branch_open"
    BRANCH_NOT_TAKEN = "branch_not_taken"
    MEMBERS_LOCKED = "members_locked"

    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    ATTENDANCE_OUT_OF_REACH = "attendance_out_of_reach"
    MEMBERS_OUT_OF_REACH = "members_out_of_reach"
    CREDITS_OUT_OF_REACH = "credits_out_of_reach"
    DEADLINE_PASSED = "deadline_passed"

    # Why a decision was reopened. How the node stands now is computed, not recorded.
    EVIDENCE_ANNULLED = "evidence_annulled"
    NO_LONGER_MET = "no_longer_met"
    POSSIBLE_AGAIN = "possible_again"


class EvidenceKind(TextChoices):
    RESULT = "result", _("result")
    ATTENDANCE = "attendance", _("attendance record")
    EVENT = "event", _("progress event")
    SIGNOFF = "signoff", _("sign-off")
    WAIVER = "waiver", _("waiver")
    ASSIGNMENT = "assignment", _("assignment")
    EVALUATION = "evaluation", _("evaluation")


class Evidence(NamedTuple):
    """A row that a decision rests on.

    With `node` instead of an id it is that node's decision as it stands after this evaluation,
    whose row may not be written yet.
    """

    kind: EvidenceKind
    id: UUID | None = None
    node: str = ""


# Named tuples where the house has frozen dataclasses: millions of these are made in bulk, and
# a named tuple takes a fifth of the time.
class NodeStatus(NamedTuple):
    """How one node stands, and why.

    `have` of `need` are counted in the reason's unit (percent, sessions, members, credits).
    `is_attainable` is False once the node can no longer be met as the facts are: it is then
    failed, or locked behind something failed or behind a branch that was not taken.
    `is_settling` marks what was done in time and only waits to be told, `is_open` what neither a
    prerequisite, nor a branch, nor a group keeps closed. `occurred_at` is when what is decided
    came about.
    """

    key: str
    status: str
    reason: Reason
    have: Decimal | int | None = None
    need: Decimal | int | None = None
    blocking: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    deadline: datetime | None = None
    occurred_at: datetime | None = None
    is_attainable: bool = True
    is_settling: bool = False
    is_open: bool = True

    @property
    def is_met(self) -> bool:
        return self.status in MET


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The status of every node of a version at `as_of`, in the version's own order."""

    as_of: datetime
    statuses: dict[str, NodeStatus]


@dataclass(frozen=True, slots=True)
class Decision:
    """Something to be recorded about a node. The first piece of evidence is the primary one."""

    key: str
    status: DecisionStatus
    reason: Reason
    occurred_at: datetime
    evidence: tuple[Evidence, ...]
