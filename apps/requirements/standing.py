"""Whether what a recorded decision rests on still stands. Pure.

Evidence is annulled when the fact itself is taken back: a result voided or regraded below its
pass, an attendance record corrected, a completion undone, a credential revoked, a sign-off or
waiver withdrawn. That something later would no longer suffice annuls nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.requirements.claims import ATTENDED
from apps.requirements.facts import Facts, HeldFact
from apps.requirements.graph import NodeSpec, VersionSpec
from apps.requirements.history import newest
from apps.requirements.rows import EvaluationRow, History, LinkRow
from apps.requirements.statuses import MET, EvidenceKind


@dataclass(frozen=True, slots=True)
class Held:
    """The recorded decision about a node, and the revision that a writer has seen."""

    fact: HeldFact
    revision: int


def held_decisions(
    version_id: UUID, spec: VersionSpec, history: History, facts: Facts, known_at: datetime
) -> dict[str, Held]:
    """Return node key -> the decision recorded under this version, as known at that moment.

    `facts` are all the others, of the same moment.
    """
    rows = {row.id: row for row in history.evaluations if row.recorded_at <= known_at}
    current: dict[str, EvaluationRow] = {}
    for row in rows.values():
        other = current.get(row.key)
        if row.version == version_id and (other is None or row.revision > other.revision):
            current[row.key] = row
    if not current:
        return {}
    judge = _Judge(spec, rows, _by_evaluation(history.links), _Present(history, facts, known_at))
    return {
        key: Held(HeldFact(row.id, row.status, row.occurred_at, judge.stands(row.id)), row.revision)
        for key, row in current.items()
    }


def _by_evaluation(links: Sequence[LinkRow]) -> dict[UUID, list[LinkRow]]:
    grouped: dict[UUID, list[LinkRow]] = {}
    for link in links:
        grouped.setdefault(link.evaluation, []).append(link)
    return grouped


class _Present:
    """What is in force now, in the shape in which links ask for it."""

    def __init__(self, history: History, facts: Facts, known_at: datetime) -> None:
        self.facts = facts
        self.results = newest(history.results, known_at, "attempt")
        self.records = {fact.record: fact.status for fact in facts.attendance.values()}
        self.signoffs = {fact.signoff for fact in facts.signoffs.values()}
        self.waivers = {fact.waiver for fact in facts.waivers.values()}
        self.credentials = {
            fact.event
            for facts_of_program in facts.credentials.values()
            for fact in facts_of_program
            if fact.ended_at is None
        }


class _Judge:
    """Follows decisions down to the rows that they rest on; each is judged once."""

    def __init__(
        self,
        spec: VersionSpec,
        rows: Mapping[UUID, EvaluationRow],
        links: Mapping[UUID, Sequence[LinkRow]],
        present: _Present,
    ) -> None:
        self._spec, self._rows, self._links, self._present = spec, rows, links, present
        self._found: dict[UUID, bool] = {}

    def stands(self, evaluation: UUID) -> bool:
        """Return whether nothing that this decision rests on was annulled.

        A failed or reopened decision claims nothing that could be annulled.
        """
        if evaluation not in self._found:
            row = self._rows.get(evaluation)
            if row is None or row.status not in MET:
                self._found[evaluation] = True
            else:
                node = self._spec.by_key.get(row.key)
                links = self._links.get(evaluation, ())
                self._found[evaluation] = all(self._link_stands(link, node) for link in links)
        return self._found[evaluation]

    def _link_stands(self, link: LinkRow, node: NodeSpec | None) -> bool:
        present = self._present
        if link.kind == EvidenceKind.RESULT:
            return self._result_stands(link, node)
        if link.kind == EvidenceKind.ATTENDANCE:
            return present.records.get(link.target) in ATTENDED
        if link.kind == EvidenceKind.EVENT:
            if node is not None and node.completion is not None:
                return node.completion in present.facts.completions
            return link.target in present.credentials
        if link.kind == EvidenceKind.SIGNOFF:
            return link.target in present.signoffs
        if link.kind == EvidenceKind.WAIVER:
            return link.target in present.waivers
        if link.kind == EvidenceKind.EVALUATION:
            member = self._rows.get(link.target)
            return member is not None and member.status in MET and self.stands(link.target)
        return True

    def _result_stands(self, link: LinkRow, node: NodeSpec | None) -> bool:
        result = None if link.attempt is None else self._present.results.get(link.attempt)
        if result is None or not result.passed:
            return False
        minimum = None if node is None else node.min_percent
        return minimum is None or result.percent >= minimum
