"""The gates that progression sets keep: may this learner open an item, start an attempt?

A course, module, item or assessment is closed while every requirement that names it is locked.
What no requirement names is open. Bound to the ports of the apps below by the wiring.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from apps.core.clock import now
from apps.core.ports import OPEN, Gate
from apps.programs.models import ModuleItem
from apps.requirements.explanation import reason_text
from apps.requirements.graph import Completion, NodeSpec, VersionSpec
from apps.requirements.models import Purpose
from apps.requirements.rules import evaluate
from apps.requirements.selectors.cases import cases
from apps.requirements.selectors.versions import SetVersion
from apps.requirements.statuses import NodeStatus

Name = Completion | UUID
"""What is to be opened: a course, module or item as something to complete, or an assessment."""


@dataclass(frozen=True)
class Standing:
    """How the requirements that name something stand for the learner."""

    spec: VersionSpec
    status: NodeStatus


def may_open_item(enrollment_id: UUID, module_item_id: UUID, *, at: datetime | None = None) -> Gate:
    """Return whether the item is open to the learner: its course, its module, the item itself, and
    the assessment that is placed there."""
    return may_open_items(enrollment_id, [module_item_id], at=at)[module_item_id]


def may_open_items(
    enrollment_id: UUID, module_item_ids: Collection[UUID], *, at: datetime | None = None
) -> dict[UUID, Gate]:
    """Return item -> gate: a whole course's outline in as many statements as one item."""
    return may_open_items_of({enrollment_id: module_item_ids}, at=at)[enrollment_id]


def may_open_items_of(
    items: Mapping[UUID, Collection[UUID]], *, at: datetime | None = None
) -> dict[UUID, dict[UUID, Gate]]:
    """Return enrolment -> item -> gate: for many enrolments in as many statements as for one."""
    ids = {item for wanted in items.values() for item in wanted}
    around = _around(Q(id__in=ids)) if ids else {}
    names = {name for some in around.values() for name in some}
    standings = _standings(list(items), names, at)
    return {
        enrollment_id: {
            item: _gate(around.get(item, ()), standings.get(enrollment_id, {})) for item in wanted
        }
        for enrollment_id, wanted in items.items()
    }


def may_start(enrollment_id: UUID, template_id: UUID, *, at: datetime | None = None) -> Gate:
    """Return whether an attempt may be started: by the assessment, and by where it is placed.

    Placed at several items of the learner's courses, one that is open is enough.
    """
    around = _around(
        Q(
            assessment_placements__assessment_version__definition=template_id,
            version__pinned_by__version__cohorts__enrollments=enrollment_id,
        )
    )
    names = {n for names in around.values() for n in names} | {template_id}
    standings = _standings([enrollment_id], names, at).get(enrollment_id, {})
    gate = _gate([template_id], standings)
    if not gate.allowed or not around:
        return gate
    gates = [_gate(names, standings) for names in around.values()]
    return next((gate for gate in gates if gate.allowed), gates[0])


def _around(wanted: Q) -> dict[UUID, tuple[Name, ...]]:
    """Return item -> all that must be open: its course, its module, itself, what is placed there.

    At most one assessment is placed at an item.
    """
    rows = ModuleItem.objects.filter(wanted).values_list(
        "id",
        "version__definition_id",
        "module__key",
        "key",
        "assessment_placements__assessment_version__definition_id",
    )
    return {
        item_id: (
            Completion(course_id),
            Completion(course_id, "module", module),
            Completion(course_id, "item", key),
            *filter(None, [template_id]),
        )
        for item_id, course_id, module, key, template_id in rows
    }


def _standings(
    enrollment_ids: Collection[UUID], names: Collection[Name], at: datetime | None
) -> dict[UUID, dict[Name, list[Standing]]]:
    """Return enrolment -> name -> the requirements that name it, as they stand.

    Only what is needed is read.
    """
    moment = at or now()
    wanted = frozenset(names)

    def looked_at(version: SetVersion) -> Iterable[NodeSpec]:
        keys = {
            key
            for named in _lockable(version, wanted)
            for key in version.spec.plan.cones[named.key].keys
        }
        return [version.spec.by_key[key] for key in sorted(keys)]

    found: dict[UUID, dict[Name, list[Standing]]] = {}
    for case in cases(enrollment_ids, as_of=moment, wanted=looked_at):
        named = _lockable(case.version, wanted)
        if named:
            statuses = evaluate(case.version.spec, case.facts, moment).statuses
            for node in named:
                standing = Standing(case.version.spec, statuses[node.key])
                own = found.setdefault(case.subject.enrollment_id, {})
                own.setdefault(_name(node), []).append(standing)
    return found


def _lockable(version: SetVersion, wanted: frozenset[Name]) -> list[NodeSpec]:
    """Return the nodes that name something wanted, if all that name it can be locked.

    Only progression locks: what earns the award closes no door.
    """
    if version.purpose != Purpose.PROGRESSION:
        return []
    named = [node for node in version.spec.plan.nodes if _name(node.spec) in wanted]
    always_open = {_name(node.spec) for node in named if not node.is_gated}
    return [node.spec for node in named if _name(node.spec) not in always_open]


def _name(node: NodeSpec) -> Name:
    return node.completion or node.assessment or UUID(int=0)


def _gate(names: Iterable[Name], standings: dict[Name, list[Standing]]) -> Gate:
    """Return the first closed door on the way, or OPEN."""
    for name in names:
        named = standings.get(name, [])
        if named and not any(s.status.is_met or s.status.is_open for s in named):
            first = named[0]
            reason = reason_text(first.spec, first.status)
            return Gate(allowed=False, code=first.status.reason.value, reason=reason)
    return OPEN
