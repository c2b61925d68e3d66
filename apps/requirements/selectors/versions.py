"""Set versions as the evaluator reads them, and which of them hold for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

from apps.core.models import VersionStatus
from apps.programs.models import ProgramVersion
from apps.requirements.graph import VersionSpec
from apps.requirements.models import (
    Purpose,
    RequirementAssignment,
    RequirementEdge,
    RequirementNode,
    RequirementSetVersion,
)
from apps.requirements.needs import Needs, needs_of
from apps.requirements.selectors.kept import Kept
from apps.requirements.selectors.prepared import Among, Prepared


@dataclass(frozen=True)
class SetVersion:
    """A version of a requirement set, prepared for evaluation, with the ids of its nodes."""

    id: UUID
    set_id: UUID
    purpose: str
    number: int | None
    spec: VersionSpec
    node_ids: Mapping[str, UUID]

    @cached_property
    def needs(self) -> Needs:
        return needs_of(self.spec.nodes)


@dataclass(frozen=True)
class Assigned:
    """The version that holds for an enrolment. Without an id it is what will be assigned."""

    version_id: UUID
    assignment_id: UUID | None = None


FROZEN: Final[Kept[SetVersion]] = Kept(most=500)
"""Versions that were published: neither they nor their parts change any more."""


def set_versions(version_ids: Collection[UUID]) -> dict[UUID, SetVersion]:
    """Return the versions by id, whatever their status: no statement for those that are kept."""
    return FROZEN.fetch(version_ids, _load)


def _load(version_ids: Collection[UUID]) -> tuple[dict[UUID, SetVersion], set[UUID]]:
    """Return the versions, and which of them can be kept."""
    nodes: dict[UUID, list[RequirementNode]] = defaultdict(list)
    for node in RequirementNode.objects.filter(version__in=version_ids).order_by("position", "key"):
        nodes[node.version_id].append(node)
    edges: dict[UUID, list[RequirementEdge]] = defaultdict(list)
    for edge in RequirementEdge.objects.filter(version__in=version_ids).select_related(
        "source", "target"
    ):
        edges[edge.version_id].append(edge)
    rows = RequirementSetVersion.objects.filter(id__in=version_ids).select_related("definition")
    loaded = {
        row.id: SetVersion(
            id=row.id,
            set_id=row.definition_id,
            purpose=row.definition.purpose,
            number=row.number,
            spec=VersionSpec(
                nodes=tuple(node.spec() for node in nodes[row.id]),
                edges=tuple(edge.spec() for edge in edges[row.id]),
            ),
            node_ids={node.key: node.id for node in nodes[row.id]},
        )
        for row in rows
    }
    frozen = {row.id for row in rows if row.status != VersionStatus.DRAFT}
    for version_id in frozen:
        # Prepared before it is cached, so that nobody prepares it again.
        _ = loaded[version_id].spec.plan
    return loaded, frozen


def default_versions(program_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """Return program -> what its new learners get: the latest published version of each set."""
    rows = (
        RequirementSetVersion.objects.published()
        .filter(definition__program__in=set(program_ids), definition__archived_at=None)
        .order_by("definition_id", "-number")
        .values_list("definition__program_id", "definition_id", "id")
    )
    latest: dict[UUID, dict[UUID, UUID]] = defaultdict(dict)
    for program_id, set_id, version_id in rows:
        latest[program_id].setdefault(set_id, version_id)
    return {program_id: list(versions.values()) for program_id, versions in latest.items()}


class AssignmentRow(NamedTuple):
    """An assignment as it was read."""

    enrollment: UUID
    set: UUID
    version: UUID
    id: UUID
    effective_from: datetime


def assignment_rows(enrollment_ids: Collection[UUID]) -> list[AssignmentRow]:
    """Return every assignment of these enrolments, of each set in the order of its revisions."""
    return [AssignmentRow(*row) for row in _ASSIGNMENTS.rows(enrollments=enrollment_ids)]


_ASSIGNMENTS: Final = Prepared(
    lambda: (
        RequirementAssignment.objects.filter(Among("enrollment_id", "enrollments"))
        .order_by("requirement_set_id", "revision")
        .values_list(
            "enrollment_id", "requirement_set_id", "set_version_id", "id", "effective_from"
        )
    )
)


def in_force(rows: Iterable[AssignmentRow], *, as_of: datetime) -> dict[UUID, list[Assigned]]:
    """Return enrolment -> the versions that hold at `as_of`, one of each set. Pure."""
    held: dict[UUID, dict[UUID, Assigned]] = defaultdict(dict)
    for row in rows:
        if row.effective_from <= as_of:
            held[row.enrollment][row.set] = Assigned(row.version, row.id)
    return {enrollment_id: list(sets.values()) for enrollment_id, sets in held.items()}


def assigned_versions(
    enrollment_ids: Collection[UUID], *, as_of: datetime
) -> dict[UUID, list[Assigned]]:
    """Return enrolment -> the versions assigned to it that hold at `as_of`, one of each set."""
    return in_force(assignment_rows(enrollment_ids), as_of=as_of)


def node_in_force(
    enrollment_id: UUID, node: RequirementNode, *, as_of: datetime
) -> RequirementNode | None:
    """Return the same requirement in the version that holds for the enrolment, None without one.

    An author who keeps the key in the next version says that it is the same requirement.
    """
    held = assigned_versions([enrollment_id], as_of=as_of).get(enrollment_id, [])
    return (
        RequirementNode.objects.filter(
            key=node.key,
            version__in=[assigned.version_id for assigned in held],
            version__definition=node.version.definition_id,
        )
        .select_related("version__definition")
        .first()
    )


def program_is_ready(program_version_id: UUID) -> bool:
    """Return whether the version's program has a published progression set."""
    return (
        RequirementSetVersion.objects.published()
        .filter(
            definition__purpose=Purpose.PROGRESSION,
            definition__archived_at=None,
            definition__program__in=ProgramVersion.objects.filter(id=program_version_id).values(
                "definition_id"
            ),
        )
        .exists()
    )
