"""What a node must and may say, by its kind, and an edge by its condition. Pure.

The table's CHECKs are made of the same lists; forms and the API tell from here which field is at
fault before the database refuses the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.requirements.graph import SCORE_CONDITIONS, EdgeCondition, EdgeKind, NodeKind


class Says(NamedTuple):
    """The typed fields that a kind must fill in, and those that it may."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        return self.required + self.optional


SAYS: Final[Mapping[NodeKind, Says]] = {
    NodeKind.COURSE_COMPLETED: Says(("course",)),
    NodeKind.MODULE_COMPLETED: Says(("course", "module_key")),
    NodeKind.ITEM_COMPLETED: Says(("course", "item_key")),
    NodeKind.ASSESSMENT_PASSED: Says(("assessment",), ("min_percent",)),
    NodeKind.ATTENDANCE: Says((), ("attendance_count", "attendance_percent")),
    NodeKind.SIGNOFF: Says(("signoff_capability",)),
    NodeKind.CREDENTIAL_HELD: Says(("credential_program",)),
    NodeKind.MILESTONE: Says(),
    NodeKind.GROUP: Says((), ("group_min_count", "group_min_credits")),
}
TEXTS: Final = ("module_key", "item_key", "signoff_capability")
TYPED: Final = (
    "course",
    "assessment",
    "min_percent",
    "attendance_count",
    "attendance_percent",
    "credential_program",
    "group_min_count",
    "group_min_credits",
    *TEXTS,
)


class Misfit(NamedTuple):
    """A field that does not fit the rest: a stable code and a sentence."""

    field: str
    code: str
    message: str | Promise


def node_misfits(values: Mapping[str, Any]) -> Iterator[Misfit]:
    """Yield what is missing for the node's kind, what does not belong to it, and two of a choice.

    `values` are the node's fields by name; an unknown kind is left to whoever checks choices.
    """
    if values.get("kind") not in NodeKind.values:
        return
    kind = NodeKind(values["kind"])
    says = SAYS[kind]
    for name in TYPED:
        is_said = values.get(name) not in (None, "")
        if is_said and name not in says.fields:
            message = _("A requirement of the kind “%(kind)s” does not say this.")
            yield Misfit(name, "not-of-this-kind", message % {"kind": kind.label})
        elif not is_said and name in says.required:
            yield Misfit(name, "required", _("A requirement of this kind must say this."))
    yield from _choices(kind, values)


def _choices(kind: NodeKind, values: Mapping[str, Any]) -> Iterator[Misfit]:
    """Yield where one of two ways to say the same must be chosen."""

    def are_said(*names: str) -> int:
        return sum(values.get(name) is not None for name in names)

    if kind == NodeKind.ATTENDANCE and are_said("attendance_count", "attendance_percent") != 1:
        message = _("Give either a number of sessions or a share of them.")
        yield Misfit("attendance_percent", "one-of-two", message)
    if kind == NodeKind.GROUP and are_said("group_min_count", "group_min_credits") == 2:
        message = _("Give either a number of members or a sum of credits.")
        yield Misfit("group_min_credits", "one-of-two", message)
    if are_said("deadline_days", "deadline_on") == 2:
        message = _("Give either a number of days or a date.")
        yield Misfit("deadline_on", "one-of-two", message)


def edge_misfits(values: Mapping[str, Any]) -> Iterator[Misfit]:
    """Yield what is wrong with an edge alone; `values` are its fields by name."""
    source, condition = values.get("source"), values.get("condition")
    if source is not None and source == values.get("target"):
        yield Misfit("target", "same-node", _("A requirement can't lead to itself."))
    if condition != EdgeCondition.SATISFIED and values.get("kind") != EdgeKind.UNLOCK:
        yield Misfit("condition", "only-unlocks", _("Only what unlocks has another condition."))
    is_score, threshold = condition in SCORE_CONDITIONS, values.get("threshold")
    if is_score and threshold is None:
        yield Misfit("threshold", "required", _("A condition on a score needs a percentage."))
    if not is_score and threshold is not None:
        yield Misfit("threshold", "without-score", _("Only a condition on a score has this."))
