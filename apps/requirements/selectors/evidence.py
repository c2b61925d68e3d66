"""What recorded decisions rest on, down to the rows: who said so, when, and under which version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from apps.assessment.models import GradingEvent
from apps.contacts.models import Contact
from apps.requirements.facts import decimal_text
from apps.requirements.models import RequirementEvaluation, RequirementEvidenceLink
from apps.requirements.statuses import EvidenceKind


@dataclass(frozen=True)
class Who:
    """Somebody by whose word a row is there."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Piece:
    """One row that a decision rests on.

    `who` is empty where the platform found it itself. `version` names what it was made against,
    `details` are its own values. A piece of the kind "evaluation" is itself a decision.
    """

    kind: str
    id: UUID
    is_primary: bool
    title: str
    who: tuple[Who, ...]
    occurred_at: datetime | None
    recorded_at: datetime
    version: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Grounded:
    """A recorded decision with its evidence, the primary piece first."""

    evaluation: RequirementEvaluation
    pieces: tuple[Piece, ...]


def grounded(evaluation_id: UUID) -> list[Grounded]:
    """Return a decision and then all that it rests on, each once, what is nearer first.

    Four statements at most, however deep the graph. Empty for an unknown id.
    """
    return grounded_in([evaluation_id])


def grounded_in(evaluation_ids: Collection[UUID]) -> list[Grounded]:
    """Return these decisions and then all that they rest on, in the same four statements."""
    distances = _reached(evaluation_ids)
    links = _links(distances)
    graders = _graders({link.result.attempt_id for link in links if link.result is not None})
    pieces: dict[UUID, list[Piece]] = defaultdict(list)
    for link in links:
        pieces[link.evaluation_id].append(_piece(link, graders))
    rows = RequirementEvaluation.objects.filter(id__in=distances).select_related(
        "node", "contact", "set_version__definition"
    )
    nearest_first = sorted(rows, key=lambda row: (distances[row.id], row.node.position, row.id))
    return [Grounded(row, tuple(pieces[row.id])) for row in nearest_first]


_REACHED: Final = """
WITH RECURSIVE reached (id, distance) AS (
    SELECT id, 0 FROM requirement_evaluations WHERE id = ANY(%s)
    UNION
    SELECT link.decision_id, reached.distance + 1
    FROM requirement_evidence_links link JOIN reached ON link.evaluation_id = reached.id
    WHERE link.decision_id IS NOT NULL
)
SELECT id, min(distance) FROM reached GROUP BY id
"""


def _reached(evaluation_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return every decision on the way down -> how many steps away it is.

    It ends: evidence is written before what rests on it, so no decision supports itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REACHED, [list(evaluation_ids)])
        return dict(cursor.fetchall())


def _links(evaluation_ids: Collection[UUID]) -> Sequence[RequirementEvidenceLink]:
    return list(
        RequirementEvidenceLink.objects.filter(evaluation_id__in=evaluation_ids)
        .select_related(
            "result__attempt__version__definition",
            "attendance__session",
            "attendance__recorded_by",
            "event__course",
            "event__asserted_by",
            "signoff__actor",
            "signoff__node__version__definition",
            "waiver__actor",
            "waiver__node__version__definition",
            "assignment__actor",
            "assignment__set_version__definition",
            "decision__node",
            "decision__set_version__definition",
        )
        .order_by("evaluation_id", "position")
    )


Graders = Mapping[UUID, Sequence[tuple[datetime, Who]]]


def _graders(attempt_ids: Collection[UUID]) -> Graders:
    """Return attempt -> when somebody graded something of it, and who."""
    found: dict[UUID, list[tuple[datetime, Who]]] = defaultdict(list)
    events = GradingEvent.objects.filter(attempt__in=attempt_ids, grader__isnull=False)
    for attempt_id, recorded_at, grader_id, name in events.order_by("recorded_at").values_list(
        "attempt_id", "recorded_at", "grader_id", "grader__display_name"
    ):
        found[attempt_id].append((recorded_at, Who(grader_id, name)))
    return found


def _piece(link: RequirementEvidenceLink, graders: Graders) -> Piece:
    kind = EvidenceKind(link.kind)
    told = {
        "kind": kind.value,
        "id": link.target_id,
        "is_primary": link.position == 0,
    }
    if kind == EvidenceKind.RESULT:
        return Piece(**told, **_result(link, graders))
    return Piece(**told, **_TOLD[kind](link))


def _result(link: RequirementEvidenceLink, graders: Graders) -> dict[str, Any]:
    result: Any = link.result
    attempt = result.attempt
    known = [who for at, who in graders.get(attempt.id, ()) if at <= result.recorded_at]
    return {
        "title": attempt.version.definition.title,
        "who": tuple(dict.fromkeys(known)),
        "occurred_at": attempt.submitted_at,
        "recorded_at": result.recorded_at,
        "version": str(attempt.version),
        "details": {
            "attempt": str(attempt.id),
            "attempt_no": attempt.attempt_no,
            "revision": result.revision,
            "score": decimal_text(result.score),
            "max_score": decimal_text(result.max_score),
            "percent": decimal_text(result.percent),
            "passed": result.passed,
            "engine_version": result.engine_version,
        },
    }


def _attendance(link: RequirementEvidenceLink) -> dict[str, Any]:
    record: Any = link.attendance
    return {
        "title": record.session.title,
        "who": _by(record.recorded_by),
        "occurred_at": record.session.starts_at,
        "recorded_at": record.recorded_at,
        "details": {
            "session": str(record.session_id),
            "status": record.status,
            "method": record.method,
            "revision": record.revision,
        },
    }


def _event(link: RequirementEvidenceLink) -> dict[str, Any]:
    event: Any = link.event
    return {
        "title": event.type if event.course is None else f"{event.type}: {event.course}",
        "who": _by(event.asserted_by),
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "details": {
            "type": event.type,
            "entity_type": event.entity_type,
            "entity": str(event.entity_id) if event.entity_id else None,
        },
    }


def _word(row: Any) -> dict[str, Any]:
    return {
        "title": row.node.title,
        "who": _by(row.actor),
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
        "version": str(row.node.version),
    }


def _signoff(link: RequirementEvidenceLink) -> dict[str, Any]:
    row: Any = link.signoff
    return {**_word(row), "details": {"status": row.status, "reason": row.reason}}


def _waiver(link: RequirementEvidenceLink) -> dict[str, Any]:
    row: Any = link.waiver
    expires_at = row.expires_at.isoformat() if row.expires_at else None
    details = {"status": row.status, "reason": row.reason, "expires_at": expires_at}
    return {**_word(row), "details": details}


def _assignment(link: RequirementEvidenceLink) -> dict[str, Any]:
    row: Any = link.assignment
    return {
        "title": row.set_version.definition.title,
        "who": _by(row.actor),
        "occurred_at": row.effective_from,
        "recorded_at": row.recorded_at,
        "version": str(row.set_version),
        "details": {"reason": row.reason, "revision": row.revision},
    }


def _decision(link: RequirementEvidenceLink) -> dict[str, Any]:
    row: Any = link.decision
    return {
        "title": row.node.title,
        "who": (),
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
        "version": str(row.set_version),
        "details": {"status": row.status, "reason": row.reason, "revision": row.revision},
    }


_TOLD: Final[Mapping[EvidenceKind, Callable[[RequirementEvidenceLink], dict[str, Any]]]] = {
    EvidenceKind.ATTENDANCE: _attendance,
    EvidenceKind.EVENT: _event,
    EvidenceKind.SIGNOFF: _signoff,
    EvidenceKind.WAIVER: _waiver,
    EvidenceKind.ASSIGNMENT: _assignment,
    EvidenceKind.EVALUATION: _decision,
}


def _by(person: Contact | None) -> tuple[Who, ...]:
    return () if person is None else (Who(person.id, person.display_name),)
