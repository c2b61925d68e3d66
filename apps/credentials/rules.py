"""The decision to award. Pure: the facts in, the decision out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from apps.credentials.vocabulary import HoldCode
from apps.requirements.statuses import DecisionStatus

# Raised whenever the same facts could lead to another decision; kept with every award.
ENGINE_VERSION: Final = "1"


@dataclass(frozen=True, slots=True)
class ResultKnown:
    """The current result of one attempt, and the digest of the facts that it was decided on."""

    attempt: UUID
    result: UUID
    revision: int
    facts_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardFacts:
    """What a decision to award rests on.

    `stands` and `confirmed_status` are the fresh look at the recorded evaluation: whether its
    evidence is still there, and what evaluating anew says. `differences` are the results of these
    enrolments that computing anew does not confirm.
    """

    template_version: UUID
    set_version: UUID
    evaluation: UUID
    evaluation_status: str
    evaluation_hash: str
    stands: bool
    confirmed_status: str
    enrollments: tuple[UUID, ...]
    results: tuple[ResultKnown, ...]
    differences: tuple[str, ...]
    legal_name: str
    validity_days: int | None
    issued_at: datetime


class Outcome(StrEnum):
    AWARD = "award"
    HOLD = "hold"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class AwardDecision:
    """Award, hold (with its code) or nothing, as the requirements are still open."""

    outcome: Outcome
    code: HoldCode | None = None
    expires_at: datetime | None = None


def decide_award(facts: AwardFacts) -> AwardDecision:
    """Return what to do: award only what is satisfied and confirmed by a fresh look."""
    if facts.evaluation_status != DecisionStatus.SATISFIED:
        return AwardDecision(Outcome.OPEN)
    if not facts.stands or facts.confirmed_status != DecisionStatus.SATISFIED:
        return AwardDecision(Outcome.HOLD, HoldCode.DECISION_NOT_CONFIRMED)
    if facts.differences:
        return AwardDecision(Outcome.HOLD, HoldCode.RESULTS_DISAGREE)
    if not facts.legal_name:
        return AwardDecision(Outcome.HOLD, HoldCode.NAME_MISSING)
    return AwardDecision(Outcome.AWARD, expires_at=expiry(facts))


def expiry(facts: AwardFacts) -> datetime | None:
    """Return when the award expires: whole days of 24 hours after it is issued."""
    if facts.validity_days is None:
        return None
    return facts.issued_at.astimezone(UTC) + timedelta(days=facts.validity_days)


def facts_document(facts: AwardFacts) -> dict[str, Any]:
    """Return the facts as JSON values; the same facts give the same document."""
    return {
        "template_version": str(facts.template_version),
        "set_version": str(facts.set_version),
        "evaluation": str(facts.evaluation),
        "evaluation_status": facts.evaluation_status,
        "evaluation_hash": facts.evaluation_hash,
        "stands": facts.stands,
        "confirmed_status": facts.confirmed_status,
        "enrollments": [str(enrollment) for enrollment in facts.enrollments],
        "results": [
            [str(r.attempt), str(r.result), r.revision, r.facts_hash] for r in facts.results
        ],
        "differences": list(facts.differences),
        "legal_name": facts.legal_name,
        "validity_days": facts.validity_days,
        "issued_at": facts.issued_at.astimezone(UTC).isoformat(timespec="seconds"),
    }


def read_facts(document: dict[str, Any]) -> AwardFacts:
    """Return the facts of a stored document. Raises KeyError, TypeError or ValueError."""
    return AwardFacts(
        template_version=UUID(document["template_version"]),
        set_version=UUID(document["set_version"]),
        evaluation=UUID(document["evaluation"]),
        evaluation_status=document["evaluation_status"],
        evaluation_hash=document["evaluation_hash"],
        stands=document["stands"],
        confirmed_status=document["confirmed_status"],
        enrollments=tuple(UUID(enrollment) for enrollment in document["enrollments"]),
        results=tuple(
            ResultKnown(UUID(attempt), UUID(result), revision, digest)
            for attempt, result, revision, digest in document["results"]
        ),
        differences=tuple(document["differences"]),
        legal_name=document["legal_name"],
        validity_days=document["validity_days"],
        issued_at=datetime.fromisoformat(document["issued_at"]),
    )
