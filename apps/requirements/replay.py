"""Promise 4 for evaluations: every stored decision is made again and compared.

Of each evaluation: its hash is that of its facts; (a) deciding from the stored facts under its
version gives the stored decision on the stored evidence; (b) the history, as it was known when
the facts were loaded, still yields them. How the plan stood then (sessions, attempts left, merged
contacts) is no history and is believed from the document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from apps.assessment.replay import Difference
from apps.requirements.facts import (
    Facts,
    document_within,
    facts_document,
    facts_from,
    facts_hash,
)
from apps.requirements.models import (
    RequirementAssignment,
    RequirementEvaluation,
    RequirementEvidenceLink,
)
from apps.requirements.needs import needs_of
from apps.requirements.rows import History, Place
from apps.requirements.rules import decide
from apps.requirements.selectors.cases import Context, case_known
from apps.requirements.selectors.histories import load
from apps.requirements.selectors.subjects import Subject, subjects
from apps.requirements.selectors.versions import SetVersion, set_versions
from apps.requirements.statuses import Decision, Evidence, EvidenceKind

BATCH: Final = 200
_People = tuple[tuple[UUID, ...], tuple[UUID, ...]]


@dataclass(frozen=True)
class _Stored:
    """An evaluation with everything that is needed to make it again."""

    row: RequirementEvaluation
    key: str
    version: SetVersion
    facts: Facts
    links: Sequence[RequirementEvidenceLink]

    @property
    def people(self) -> _People:
        return self.facts.contacts, self.facts.enrollments


def replay_evaluations(since: datetime | None = None) -> Iterator[Difference]:
    """Yield every difference, enrolment by enrolment; with `since`, of what was recorded since.

    A constant number of statements for each batch of enrolments.
    """
    rows = RequirementEvaluation.objects.all()
    if since is not None:
        rows = rows.filter(recorded_at__gte=since)
    ids = sorted(set(rows.values_list("enrollment_id", flat=True)))
    for start in range(0, len(ids), BATCH):
        yield from _replay_batch(ids[start : start + BATCH], since)


def _replay_batch(enrollment_ids: Sequence[UUID], since: datetime | None) -> Iterator[Difference]:
    rows = list(RequirementEvaluation.objects.filter(enrollment__in=enrollment_ids).order_by("id"))
    links = _links(rows)
    versions = set_versions({row.set_version_id for row in rows})
    keys = {
        row.id: key
        for row in rows
        for key, node_id in versions[row.set_version_id].node_ids.items()
        if node_id == row.node_id
    }
    readable = []
    for row in rows:
        if since is not None and row.recorded_at < since:
            continue
        if facts_hash(row.facts) != row.facts_hash:
            yield _difference(row, "hash", row.facts_hash, facts_hash(row.facts))
        try:
            facts = facts_from(row.facts)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            yield _difference(row, "facts", "readable facts", repr(error))
            continue
        version = versions[row.set_version_id]
        readable.append(_Stored(row, keys[row.id], version, facts, links[row.id]))
    by_id = {row.id: row for row in rows}
    for stored in readable:
        yield from _replay_decision(stored, by_id, keys)
    yield from _replay_assignments(readable)
    yield from _replay_histories(readable, enrollment_ids)


def _links(
    rows: Collection[RequirementEvaluation],
) -> dict[UUID, list[RequirementEvidenceLink]]:
    links: dict[UUID, list[RequirementEvidenceLink]] = defaultdict(list)
    found = RequirementEvidenceLink.objects.filter(evaluation_id__in=[row.id for row in rows])
    for link in found.order_by("evaluation_id", "position"):
        links[link.evaluation_id].append(link)
    return links


def _replay_decision(
    stored: _Stored, by_id: Mapping[UUID, RequirementEvaluation], keys: Mapping[UUID, str]
) -> Iterator[Difference]:
    """Check (a): the rules, given the stored facts, decide the same for the same reasons."""
    row = stored.row
    decided = {d.key: d for d in decide(stored.version.spec, stored.facts, row.as_of)}
    decision = decided.get(stored.key)
    if decision is None:
        yield _difference(row, "decision", row.status, "nothing to decide")
        return
    for name, value in (
        ("status", decision.status.value),
        ("reason", decision.reason.value),
        ("occurred_at", decision.occurred_at),
    ):
        if getattr(row, name) != value:
            yield _difference(row, name, getattr(row, name), value)
    shown = [_shown(link, row, by_id, keys, decided, stored.facts) for link in stored.links]
    if shown != list(decision.evidence):
        yield _difference(row, "evidence", shown, decision.evidence)
    if not stored.links or stored.links[0].id != row.primary_evidence_id:
        yield _difference(row, "primary_evidence", row.primary_evidence_id, "the first link")


def _shown(
    link: RequirementEvidenceLink,
    row: RequirementEvaluation,
    by_id: Mapping[UUID, RequirementEvaluation],
    keys: Mapping[UUID, str],
    decided: Mapping[str, Decision],
    facts: Facts,
) -> Evidence:
    """Return a stored link in the words of the rules, which name a decision by its node.

    A node's decision is the one made in the same evaluation, else the one that was held.
    """
    kind = EvidenceKind(link.kind)
    plain = Evidence(kind, link.target_id)
    target = by_id.get(link.target_id)
    if target is None or target.id == _held(facts, keys[row.id]):
        return plain
    key = keys[target.id]
    is_new = key in decided and target.known_at == row.known_at
    is_held = key not in decided and target.id == _held(facts, key)
    return Evidence(kind, node=key) if is_new or is_held else plain


def _held(facts: Facts, key: str) -> UUID | None:
    held = facts.held.get(key)
    return None if held is None else held.evaluation


def _replay_assignments(readable: Collection[_Stored]) -> Iterator[Difference]:
    """Check that the version really was assigned when the facts were loaded."""
    ids = {stored.facts.assignment for stored in readable}
    known = {row.id: row for row in RequirementAssignment.objects.filter(id__in=ids)}
    for stored in readable:
        row, found = stored.row, known.get(stored.facts.assignment)
        if (
            found is None
            or (found.enrollment_id, found.set_version_id)
            != (row.enrollment_id, row.set_version_id)
            or found.recorded_at > row.known_at
        ):
            yield _difference(row, "assignment", stored.facts.assignment, "not assigned then")


def _replay_histories(
    readable: Collection[_Stored], enrollment_ids: Sequence[UUID]
) -> Iterator[Difference]:
    """Check (b). Whose rows are read is what the document says: contacts may be merged since."""
    now = subjects(enrollment_ids)
    versions = {stored.version.id: stored.version for stored in readable}
    needs = needs_of(node for version in versions.values() for node in version.spec.nodes)
    for group in _rounds(readable):
        then = {
            stored.row.enrollment_id: replace(
                now[stored.row.enrollment_id],
                contacts=stored.facts.contacts,
                enrollments=stored.facts.enrollments,
            )
            for stored in group
        }
        batch = load(then.values(), needs)
        for stored in group:
            subject = then[stored.row.enrollment_id]
            history = batch.histories[subject.enrollment_id]
            yield from _replay_history(stored, subject, history, batch.places)


def _rounds(readable: Collection[_Stored]) -> list[list[_Stored]]:
    """Group the evaluations so that in each group an enrolment stands for the same people.

    One group, unless contacts were merged between two evaluations.
    """
    seen: dict[UUID, list[_People]] = defaultdict(list)
    groups: list[list[_Stored]] = []
    for stored in readable:
        known = seen[stored.row.enrollment_id]
        if stored.people not in known:
            known.append(stored.people)
        number = known.index(stored.people)
        if number == len(groups):
            groups.append([])
        groups[number].append(stored)
    return groups


def _replay_history(
    stored: _Stored, subject: Subject, history: History, where: Mapping[UUID, Place]
) -> Iterator[Difference]:
    facts, row = stored.facts, stored.row
    context = Context(
        enrolled_at=facts.enrolled_at,
        timezone=facts.timezone,
        contacts=facts.contacts,
        enrollments=facts.enrollments,
        sessions=facts.sessions,
        assessments=facts.assessments,
    )
    case = case_known(
        subject,
        stored.version,
        context,
        history,
        where,
        assignment_id=facts.assignment,
        as_of=row.as_of,
        known_at=row.known_at,
    )
    cone = stored.version.spec.plan.cones[stored.key]
    yielded = document_within(facts_document(case.facts), cone)["history"]
    if yielded != row.facts["history"]:
        yield _difference(row, "history", row.facts["history"], yielded)


def _difference(
    row: RequirementEvaluation, check: str, stored: object, replayed: object
) -> Difference:
    return Difference(
        entity_type=row._meta.label_lower,
        entity_id=row.pk,
        check=check,
        stored=str(stored),
        replayed=str(replayed),
    )
