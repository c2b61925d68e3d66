"""Recording decisions: facts under the learner's lock, evidence first, then what it shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.contacts.services import lock_learners
from apps.core.ids import uuid7
from apps.core.revisions import RevisionConflict, is_revision_race
from apps.requirements.facts import document_within, facts_document, facts_hash
from apps.requirements.graph import NodeKind
from apps.requirements.models import (
    RequirementEvaluation,
    RequirementEvidenceLink,
    pointer_field,
)
from apps.requirements.rules import ENGINE_VERSION, decide
from apps.requirements.selectors.cases import Case, cases_under
from apps.requirements.selectors.subjects import Subject, subjects
from apps.requirements.selectors.versions import assigned_versions
from apps.requirements.services.assignments import assign_defaults, owe_advances
from apps.requirements.statuses import Decision, DecisionStatus

BATCH: Final = 1_000
ROWS_A_STATEMENT: Final = 2_000
TRIES: Final = 3


def evaluate_enrollment(enrollment_id: UUID, *, at: datetime) -> list[RequirementEvaluation]:
    """Return the decisions that were due for one enrolment; called again it returns none.

    A stage of `learner.advance`. Assigns the published sets of the program to who is enrolled and
    has none. Raises RevisionConflict if others keep writing first.
    """
    return evaluate_enrollments(enrollment_ids=[enrollment_id], at=at)


def evaluate_enrollments(
    *, enrollment_ids: Collection[UUID], at: datetime
) -> list[RequirementEvaluation]:
    """Return the decisions that were due, batch by batch, each in a transaction of its own.

    Only changes are written. The number of statements of a batch depends on the graphs, not on
    the number of learners.
    """
    ids = sorted(set(enrollment_ids))
    written: list[RequirementEvaluation] = []
    for start in range(0, len(ids), BATCH):
        written += _persistently(ids[start : start + BATCH], at)
    return written


def _persistently(enrollment_ids: Sequence[UUID], at: datetime) -> list[RequirementEvaluation]:
    for _ in range(TRIES - 1):
        try:
            return _evaluate(enrollment_ids, at)
        except RevisionConflict:
            continue
    return _evaluate(enrollment_ids, at)


@transaction.atomic
def _evaluate(enrollment_ids: Sequence[UUID], at: datetime) -> list[RequirementEvaluation]:
    people = _locked(enrollment_ids)
    assign_defaults(people, at=at)
    known_at = _clock()
    assigned = assigned_versions(list(people), as_of=at)
    found = cases_under(people.values(), assigned, as_of=at, known_at=known_at)
    pending = [waiting for case in found for waiting in _due(case, at, known_at)]
    _write(pending)
    owe_advances(_expiries(found, pending))
    return [waiting.evaluation for waiting in pending]


def _locked(enrollment_ids: Collection[UUID]) -> dict[UUID, Subject]:
    """Return the subjects, read while all their contacts are locked.

    Raises RevisionConflict when a merge came in between: try again with the new alias.
    """
    before = subjects(enrollment_ids)
    locked = {contact for subject in before.values() for contact in subject.contacts}
    lock_learners(locked)
    people = subjects(enrollment_ids)
    if not locked.issuperset(c for subject in people.values() for c in subject.contacts):
        raise RevisionConflict
    return people


def _clock() -> datetime:
    """Return the database's wall clock: whatever is recorded later was not known here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [moment] = cursor.fetchone()
    found: datetime = moment
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """A decision ready to be written. Decisions of a level rest only on those of lower levels."""

    level: int
    decision: Decision
    case: Case
    evaluation: RequirementEvaluation
    links: list[RequirementEvidenceLink]


def _due(case: Case, at: datetime, known_at: datetime) -> Iterator[Waiting]:
    decided = decide(case.version.spec, case.facts, at)
    if not decided:
        return
    document = facts_document(case.facts)
    cones = case.version.spec.plan.cones
    new: dict[str, Waiting] = {}
    for decision in decided:
        evaluation_id = uuid7()
        links, level = _links(evaluation_id, decision, case, new)
        kept = document_within(document, cones[decision.key])
        held = case.held.get(decision.key)
        evaluation = RequirementEvaluation(
            id=evaluation_id,
            enrollment_id=case.subject.enrollment_id,
            contact_id=case.subject.contact_id,
            node_id=case.version.node_ids[decision.key],
            set_version_id=case.version.id,
            revision=1 + (held.revision if held else 0),
            status=decision.status,
            reason=decision.reason.value,
            occurred_at=decision.occurred_at,
            as_of=at,
            known_at=known_at,
            facts=kept,
            facts_hash=facts_hash(kept),
            engine_version=ENGINE_VERSION,
            primary_evidence_id=links[0].id,
        )
        new[decision.key] = Waiting(level, decision, case, evaluation, links)
        yield new[decision.key]


def _links(
    evaluation_id: UUID, decision: Decision, case: Case, new: dict[str, Waiting]
) -> tuple[list[RequirementEvidenceLink], int]:
    links, level = [], 0
    for position, piece in enumerate(decision.evidence):
        target = piece.id
        if piece.node in new:
            target = new[piece.node].evaluation.id
            level = max(level, new[piece.node].level + 1)
        elif piece.node:
            target = case.held[piece.node].fact.evaluation
        links.append(
            RequirementEvidenceLink(
                evaluation_id=evaluation_id,
                position=position,
                kind=piece.kind,
                **{pointer_field(piece.kind): target},
            )
        )
    return links, level


def _write(pending: Collection[Waiting]) -> None:
    """Insert level by level, and in each the links before the decisions that rest on them."""
    levels: dict[int, list[Waiting]] = defaultdict(list)
    for waiting in pending:
        levels[waiting.level].append(waiting)
    try:
        with transaction.atomic():
            for level in sorted(levels):
                RequirementEvidenceLink.objects.bulk_create(
                    [link for waiting in levels[level] for link in waiting.links],
                    batch_size=ROWS_A_STATEMENT,
                )
                RequirementEvaluation.objects.bulk_create(
                    [waiting.evaluation for waiting in levels[level]],
                    batch_size=ROWS_A_STATEMENT,
                )
    except IntegrityError as error:
        if is_revision_race(error, RequirementEvaluation):
            raise RevisionConflict from error
        raise


def _expiries(found: Iterable[Case], pending: Iterable[Waiting]) -> set[tuple[UUID, datetime]]:
    """Return when credentials that were just counted expire: nothing else happens then."""
    moments = set()
    for waiting in pending:
        node = waiting.case.version.spec.by_key[waiting.decision.key]
        if (
            node.kind == NodeKind.CREDENTIAL_HELD
            and node.credential_program is not None
            and waiting.decision.status == DecisionStatus.SATISFIED
        ):
            held = waiting.case.facts.credentials.get(node.credential_program, ())
            moments |= {
                (waiting.case.subject.enrollment_id, credential.expires_at)
                for credential in held
                if credential.expires_at is not None
            }
    return moments
