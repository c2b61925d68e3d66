"""What nodes look at, so that nothing else is read or kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from apps.requirements.graph import Completion, NodeKind, NodeSpec


@dataclass(frozen=True)
class Needs:
    """The assessments, completions and so on that some nodes name."""

    assessments: frozenset[UUID] = frozenset()
    completions: frozenset[Completion] = frozenset()
    programs: frozenset[UUID] = frozenset()
    attendance: bool = False
    signoffs: bool = False

    @property
    def courses(self) -> frozenset[UUID]:
        return frozenset(completion.course for completion in self.completions)


def needs_of(nodes: Iterable[NodeSpec]) -> Needs:
    """Return what these nodes look at."""
    chosen = list(nodes)
    return Needs(
        assessments=frozenset(n.assessment for n in chosen if n.assessment is not None),
        completions=frozenset(n.completion for n in chosen if n.completion is not None),
        programs=frozenset(
            n.credential_program for n in chosen if n.credential_program is not None
        ),
        attendance=any(node.kind == NodeKind.ATTENDANCE for node in chosen),
        signoffs=any(node.kind == NodeKind.SIGNOFF for node in chosen),
    )
