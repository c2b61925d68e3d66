"""Why a node stands as it does, and what to do next, in the reader's language.

One renderer for pages, admin, API and mail. It knows codes and numbers, not rows: an action names
what it is about by id and key, and pages make a link of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.requirements.facts import decimal_text
from apps.requirements.graph import NodeKind, NodeSpec, VersionSpec
from apps.requirements.statuses import Evaluation, NodeStatus, Reason, Status


class ActionCode(StrEnum):
    """What a learner can do next, or whom they wait for."""

    COMPLETE_COURSE = "complete_course"
    COMPLETE_MODULE = "complete_module"
    COMPLETE_ITEM = "complete_item"
    TAKE_ASSESSMENT = "take_assessment"
    AWAIT_RESULT = "await_result"
    ATTEND_SESSIONS = "attend_sessions"
    AWAIT_SIGNOFF = "await_signoff"
    OBTAIN_CREDENTIAL = "obtain_credential"
    ASK_STAFF = "ask_staff"


@dataclass(frozen=True, slots=True)
class Action:
    """One next step. `target_id` and `target_key` name the course, assessment or program."""

    code: ActionCode
    node: str
    text: str
    target_id: UUID | None = None
    target_key: str = ""
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A node's status in words: what it is, why, and the actions that would change it."""

    status: str
    reason: str
    text: str
    actions: tuple[Action, ...] = ()


_TEXTS: Mapping[Reason, Promise] = {
    Reason.COMPLETED: _("Completed."),
    Reason.PASSED: _("Passed with %(have)s %%."),
    Reason.ATTENDED: _("Sessions attended: %(have)s of the %(need)s needed."),
    Reason.SIGNED_OFF: _("Signed off."),
    Reason.CREDENTIAL_HELD: _("The credential is held."),
    Reason.PREREQUISITES_MET: _("Everything before it is done."),
    Reason.MEMBERS_MET: _("Parts done: %(have)s of the %(need)s needed."),
    Reason.CREDITS_MET: _("Credits earned: %(have)s of the %(need)s needed."),
    Reason.KEPT: _("Achieved earlier and kept."),
    Reason.WAIVED: _("Waived."),
    Reason.NOT_STARTED: _("Open, not started yet."),
    Reason.IN_PROGRESS: _("In progress."),
    Reason.NOT_PASSED_YET: _("The best result so far, %(have)s %%, is not enough."),
    Reason.AWAITING_RESULT: _("Handed in; the result is awaited."),
    Reason.AWAITING_SIGNOFF: _("Waits to be signed off."),
    Reason.SESSIONS_NOT_PLANNED: _("The sessions are not planned yet."),
    Reason.ATTENDANCE_OPEN: _("Sessions attended: %(have)s of the %(need)s needed."),
    Reason.CREDENTIAL_MISSING: _("The credential is not held yet."),
    Reason.CREDENTIAL_ENDED: _("The credential is no longer valid."),
    Reason.MEMBERS_OPEN: _("Parts done: %(have)s of the %(need)s needed."),
    Reason.CREDITS_OPEN: _("Credits earned: %(have)s of the %(need)s needed."),
    Reason.PREREQUISITE_OPEN: _("Locked until this is done: %(blocking)s."),
    Reason.PREREQUISITE_FAILED: _("Out of reach because of: %(blocking)s."),
    Reason.BRANCH_OPEN: _("Locked: whether it opens depends on %(blocking)s."),
    Reason.BRANCH_NOT_TAKEN: _("Not needed: another way was taken after %(blocking)s."),
    Reason.MEMBERS_LOCKED: _("Locked: all that is missing is locked (%(blocking)s)."),
    Reason.ATTEMPTS_EXHAUSTED: _("Not passed, and no attempt is left."),
    Reason.ATTENDANCE_OUT_OF_REACH: _(
        "Sessions attended: %(have)s; the %(need)s needed can no longer be reached."
    ),
    Reason.MEMBERS_OUT_OF_REACH: _(
        "Parts done: %(have)s of the %(need)s needed; out of reach: %(blocking)s."
    ),
    Reason.CREDITS_OUT_OF_REACH: _(
        "Credits earned: %(have)s of the %(need)s needed; out of reach: %(blocking)s."
    ),
    Reason.DEADLINE_PASSED: _("Not done by the deadline."),
    Reason.EVIDENCE_ANNULLED: _(
        "Open again: what it rested on was withdrawn, voided or corrected."
    ),
    Reason.NO_LONGER_MET: _("Open again: it is no longer met."),
    Reason.POSSIBLE_AGAIN: _("Open again: it can be met after all."),
}
# What is said instead while there is no number to tell.
_TEXTS_WITHOUT_SCORE: Mapping[Reason, Promise] = {
    Reason.PASSED: _("Passed."),
    Reason.NOT_PASSED_YET: _("Not passed yet."),
}
_LEAF_ACTIONS: Mapping[NodeKind, tuple[ActionCode, Promise]] = {
    NodeKind.COURSE_COMPLETED: (ActionCode.COMPLETE_COURSE, _("Complete the course “%(title)s”.")),
    NodeKind.MODULE_COMPLETED: (ActionCode.COMPLETE_MODULE, _("Complete the module “%(title)s”.")),
    NodeKind.ITEM_COMPLETED: (ActionCode.COMPLETE_ITEM, _("Complete “%(title)s”.")),
    NodeKind.ASSESSMENT_PASSED: (ActionCode.TAKE_ASSESSMENT, _("Pass “%(title)s”.")),
    NodeKind.ATTENDANCE: (ActionCode.ATTEND_SESSIONS, _("Attend the next sessions (“%(title)s”).")),
    NodeKind.SIGNOFF: (ActionCode.AWAIT_SIGNOFF, _("Have “%(title)s” signed off.")),
    NodeKind.CREDENTIAL_HELD: (ActionCode.OBTAIN_CREDENTIAL, _("Obtain “%(title)s”.")),
}
_AWAIT_RESULT = _("Wait for the result of “%(title)s”.")
_ASK_STAFF = _("Ask your instructor about “%(title)s”: only a waiver or a correction can help.")
_UNDECIDED = frozenset({Status.PENDING.value, Status.AVAILABLE.value})


def explain(version: VersionSpec, evaluation: Evaluation, key: str) -> Explanation:
    """Return a node's status in words, with the actions that would bring it nearer to being met.

    Raises KeyError for an unknown key.
    """
    status = evaluation.statuses[key]
    return Explanation(
        status=status.status,
        reason=status.reason.value,
        text=reason_text(version, status),
        actions=next_actions(version, evaluation, key),
    )


def reason_text(version: VersionSpec, status: NodeStatus) -> str:
    """Return the sentence for a status's reason, with its numbers and the titles it blocks on."""
    template = _TEXTS[status.reason]
    if status.have is None:
        template = _TEXTS_WITHOUT_SCORE.get(status.reason, template)
    blocking = ", ".join(_title(version.by_key[key]) for key in status.blocking)
    return str(template) % {
        "have": _number(status.have),
        "need": _number(status.need),
        "blocking": blocking,
    }


def next_actions(version: VersionSpec, evaluation: Evaluation, key: str) -> tuple[Action, ...]:
    """Return what to do now so that `key` comes nearer, without repetition.

    Follows blocking nodes down to those that are open. What is due first comes first; the rest
    keep the version's order.
    """
    found: dict[str, Action] = {}
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        status = evaluation.statuses[current]
        if status.is_met:
            continue
        waiting.extend(status.blocking)
        action = _action(version.by_key[current], status)
        if action is not None:
            found[current] = action
    position = {node.key: i for i, node in enumerate(version.nodes)}
    return tuple(
        sorted(
            found.values(), key=lambda a: (a.deadline is None, a.deadline or 0, position[a.node])
        )
    )


def _action(node: NodeSpec, status: NodeStatus) -> Action | None:
    code, text = _LEAF_ACTIONS.get(node.kind, (None, None))
    if status.status == Status.FAILED and not status.blocking:
        code, text = ActionCode.ASK_STAFF, _ASK_STAFF
    elif status.status not in _UNDECIDED:
        return None
    elif status.reason == Reason.AWAITING_RESULT:
        code, text = ActionCode.AWAIT_RESULT, _AWAIT_RESULT
    if code is None or text is None:
        return None
    return Action(
        code=code,
        node=node.key,
        text=str(text) % {"title": _title(node)},
        target_id=node.course or node.assessment or node.credential_program,
        target_key=node.module_key or node.item_key,
        deadline=status.deadline,
    )


def _title(node: NodeSpec) -> str:
    return node.title or node.key


def _number(number: Decimal | int | None) -> str:
    if number is None:
        return ""
    return decimal_text(number) if isinstance(number, Decimal) else str(number)
