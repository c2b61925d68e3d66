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
from apps.requirements.selectors.versions import assignment_rows, in_force
from apps.requirements.services.assignments import assign_defaults, owe_advances
from apps.requirements.statuses import Decision, DecisionStatus

BATCH: Final = 1_000
ROWS_A_STATEMENT: Final = 2_000
TRIES: Final = 3


def evaluate_enrollment(enrollment_id: UUID, *, at: datetime) -> list[RequirementEvaluation]:
    """Return the decisions that were due for one enrolment; called again it returns none.

    A stage of `learner.advance`. Assigns the published sets of the program to who is enrolled and
    has none. Raises RevisionConflict if somebody writes decisions without the learner's lock.
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
        written += _evaluate(ids[start : start + BATCH], at)
    return written


@transaction.atomic(savepoint=False)
def _evaluate(enrollment_ids: Sequence[UUID], at: datetime) -> list[RequirementEvaluation]:
    people = locked_subjects(enrollment_ids)
    known_at = max((subject.read_at for subject in people.values()), default=at)
    assigned = assignment_rows(list(people))
    if assign_defaults(people, bound={row.enrollment for row in assigned}, at=at):
        assigned = assignment_rows(list(people))
        known_at = _clock()
    held = in_force(assigned, as_of=at)
    found = cases_under(people.values(), held, as_of=at, known_at=known_at)
    pending = [waiting for case in found for waiting in _due(case, at, known_at)]
    _write(pending)
    owe_advances(_expiries(found, pending))
    return [waiting.evaluation for waiting in pending]


# The learners of some enrolments with everybody who is merged with them, by primary key. Each step
# asks one table for the ids that the step before found: joined instead, the whole table is read
# wherever statistics call it empty, as they do after a large import was taken back.
_LOCK: Final = """
WITH people AS MATERIALIZED (
    SELECT coalesce(merged_into_id, id) AS id FROM crm_contacts
    WHERE id = ANY(ARRAY(SELECT contact_id FROM cohort_enrollments WHERE id = ANY(%s)))
)
SELECT id FROM crm_contacts
WHERE id = ANY(ARRAY(
    SELECT id FROM people
    UNION ALL SELECT id FROM crm_contacts WHERE merged_into_id = ANY(ARRAY(SELECT id FROM people))
))
ORDER BY id FOR NO KEY UPDATE
"""


def locked_subjects(enrollment_ids: Sequence[UUID]) -> dict[UUID, Subject]:
    """Return the subjects, read while all their contacts are locked, in the order of ids.

    Whatever is recorded after `read_at` was not known here. Who was merged in between is locked
    as well; raises RevisionConflict when people are merged again and again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(enrollment_ids)])
        locked = {contact_id for (contact_id,) in cursor.fetchall()}
    for _ in range(TRIES):
        people = subjects(enrollment_ids)
        merged = {c for subject in people.values() for c in subject.contacts} - locked
        if not merged:
            return people
        lock_learners(merged)
        locked |= merged
    raise RevisionConflict


def _clock() -> datetime:
    """Return the database's wall clock."""
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
