"""What is known about one learner in one enrolment, and its canonical form. Pure.

A document has two halves. `history` comes from append-only rows and can be loaded again as known
at any moment; `context` is how the plan stood then (sessions, attempts left), which may change
later and is therefore believed from the document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.requirements.graph import Completion, Cone

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResultFact:
    """One attempt's result that is not void; `occurred_at` is when the attempt was submitted.

    Only a final result decides anything; a provisional one keeps its place among the attempts.
    """

    result: UUID
    attempt_no: int
    percent: Decimal
    passed: bool
    occurred_at: datetime
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class AssessmentContext:
    """How an assessment stands: which result counts, and whether more can follow.

    `attempts_left` is None where there is no limit. `submitted_at` is the earliest submission that
    still waits for its final result.
    """

    policy: str = "highest"
    attempts_left: int | None = None
    is_open: bool = False
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionFact:
    """A required session of the cohort that was not cancelled."""

    session: UUID
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class AttendanceFact:
    """The record of a session that counts: status present, late, excused or absent."""

    record: UUID
    status: str


@dataclass(frozen=True, slots=True)
class EventFact:
    """The first progress event that says something was completed."""

    event: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class SignOffFact:
    signoff: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class WaiverFact:
    waiver: UUID
    occurred_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CredentialFact:
    """A credential that was issued; `ended_at` says since when it is revoked or suspended."""

    event: UUID
    occurred_at: datetime
    expires_at: datetime | None = None
    ended_at: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Return whether it is in force at `moment`."""
        return (
            self.occurred_at <= moment
            and (self.expires_at is None or moment < self.expires_at)
            and (self.ended_at is None or moment < self.ended_at)
        )


@dataclass(frozen=True, slots=True)
class HeldFact:
    """The decision that is recorded; `stands` while nothing that it rests on was annulled."""

    evaluation: UUID
    status: str
    occurred_at: datetime
    stands: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the evaluator looks at. Signed-off, waived and held nodes go by their keys.

    `contacts` and `enrollments` say whose rows were read: the learner's and those of the aliases
    merged into the learner's contact.
    """

    assignment: UUID
    enrolled_at: datetime
    timezone: str = "UTC"
    contacts: tuple[UUID, ...] = ()
    enrollments: tuple[UUID, ...] = ()
    sessions: tuple[SessionFact, ...] = ()
    assessments: Mapping[UUID, AssessmentContext] = field(default_factory=dict)
    started: frozenset[Completion] = frozenset()
    attendance: Mapping[UUID, AttendanceFact] = field(default_factory=dict)
    results: Mapping[UUID, tuple[ResultFact, ...]] = field(default_factory=dict)
    completions: Mapping[Completion, EventFact] = field(default_factory=dict)
    credentials: Mapping[UUID, tuple[CredentialFact, ...]] = field(default_factory=dict)
    signoffs: Mapping[str, SignOffFact] = field(default_factory=dict)
    waivers: Mapping[str, WaiverFact] = field(default_factory=dict)
    held: Mapping[str, HeldFact] = field(default_factory=dict)


def facts_document(facts: Facts) -> Document:
    """Return the facts as plain JSON; equal facts give equal documents, however they were built.

    `started` is left out: it tells pending from available, and neither is ever recorded.
    """
    return {
        "context": {
            "enrolled_at": _time(facts.enrolled_at),
            "timezone": facts.timezone,
            "contacts": sorted(str(contact) for contact in facts.contacts),
            "enrollments": sorted(str(enrollment) for enrollment in facts.enrollments),
            "sessions": sorted([str(s.session), _time(s.ends_at)] for s in facts.sessions),
            "assessments": {
                str(template): {
                    "policy": a.policy,
                    "attempts_left": a.attempts_left,
                    "is_open": a.is_open,
                    "submitted_at": _time(a.submitted_at),
                }
                for template, a in facts.assessments.items()
            },
        },
        "history": history_document(facts),
    }


def document_within(document: Document, cone: Cone) -> Document:
    """Return the part of a document that can influence the cone's node: what its decision keeps.

    Cut from the whole document, which is made once for all decisions about a learner.
    """
    context, history = document["context"], document["history"]
    attends = cone.has_attendance
    return {
        "context": {
            "enrolled_at": context["enrolled_at"],
            "timezone": context["timezone"],
            "contacts": context["contacts"],
            "enrollments": context["enrollments"],
            "sessions": context["sessions"] if attends else [],
            "assessments": _picked(context["assessments"], cone.assessments),
        },
        "history": {
            "assignment": history["assignment"],
            "attendance": history["attendance"] if attends else {},
            "results": _picked(history["results"], cone.assessments),
            "completions": _picked(history["completions"], cone.completions),
            "credentials": _picked(history["credentials"], cone.programs),
            "signoffs": _picked(history["signoffs"], cone.keys),
            "waivers": _picked(history["waivers"], cone.keys),
            "held": _picked(history["held"], cone.keys),
        },
    }


def _picked(table: Document, keys: frozenset[str]) -> Document:
    return {key: table[key] for key in keys if key in table}


def history_document(facts: Facts) -> Document:
    """Return the half that append-only rows must still yield when asked as of the same moment."""
    return {
        "assignment": str(facts.assignment),
        "attendance": {
            str(session): [str(a.record), a.status] for session, a in facts.attendance.items()
        },
        "results": {
            str(template): [_result_list(result) for result in results]
            for template, results in facts.results.items()
            if results
        },
        "completions": {
            str(completion): [str(e.event), _time(e.occurred_at)]
            for completion, e in facts.completions.items()
        },
        "credentials": {
            str(program): [
                [str(c.event), _time(c.occurred_at), _time(c.expires_at), _time(c.ended_at)]
                for c in credentials
            ]
            for program, credentials in facts.credentials.items()
            if credentials
        },
        "signoffs": {k: [str(s.signoff), _time(s.occurred_at)] for k, s in facts.signoffs.items()},
        "waivers": {
            key: [str(w.waiver), _time(w.occurred_at), _time(w.expires_at)]
            for key, w in facts.waivers.items()
        },
        "held": {
            key: [str(h.evaluation), h.status, _time(h.occurred_at), h.stands]
            for key, h in facts.held.items()
        },
    }


def _result_list(fact: ResultFact) -> list[Any]:
    return [
        str(fact.result),
        fact.attempt_no,
        decimal_text(fact.percent),
        fact.passed,
        fact.is_final,
        _time(fact.occurred_at),
    ]


def facts_from(document: Document) -> Facts:
    """Return the facts that a document was made of. Raises KeyError or ValueError if it is none."""
    context, history = document["context"], document["history"]
    return Facts(
        UUID(history["assignment"]),
        _moment(context["enrolled_at"]),
        timezone=context["timezone"],
        contacts=tuple(UUID(contact) for contact in context["contacts"]),
        enrollments=tuple(UUID(enrollment) for enrollment in context["enrollments"]),
        sessions=tuple(
            SessionFact(UUID(s), _moment(ends_at)) for s, ends_at in context["sessions"]
        ),
        assessments={UUID(t): _assessment(read) for t, read in context["assessments"].items()},
        attendance={
            UUID(session): AttendanceFact(UUID(record), status)
            for session, (record, status) in history["attendance"].items()
        },
        results={
            UUID(template): tuple(_result(*row) for row in rows)
            for template, rows in history["results"].items()
        },
        completions={
            _completion(text): EventFact(UUID(event), _moment(occurred_at))
            for text, (event, occurred_at) in history["completions"].items()
        },
        credentials={
            UUID(program): tuple(_credential(*row) for row in rows)
            for program, rows in history["credentials"].items()
        },
        signoffs={
            k: SignOffFact(UUID(s), _moment(at)) for k, (s, at) in history["signoffs"].items()
        },
        waivers={
            key: WaiverFact(UUID(w), _moment(at), _moment_or_none(until))
            for key, (w, at, until) in history["waivers"].items()
        },
        held={
            key: HeldFact(UUID(e), status, _moment(at), stands)
            for key, (e, status, at, stands) in history["held"].items()
        },
    )


def _assessment(read: Document) -> AssessmentContext:
    return AssessmentContext(
        policy=read["policy"],
        attempts_left=read["attempts_left"],
        is_open=read["is_open"],
        submitted_at=_moment_or_none(read["submitted_at"]),
    )


def _result(
    result: str, attempt_no: int, percent: str, passed: bool, is_final: bool, occurred_at: str
) -> ResultFact:
    return ResultFact(
        UUID(result), attempt_no, Decimal(percent), passed, _moment(occurred_at), is_final
    )


def _credential(
    event: str, occurred_at: str, expires_at: str | None, ended_at: str | None
) -> CredentialFact:
    return CredentialFact(
        UUID(event), _moment(occurred_at), _moment_or_none(expires_at), _moment_or_none(ended_at)
    )


def canonical(document: Document) -> bytes:
    """Return the one byte string of a document: sorted keys, no spaces, UTF-8 (as RFC 8785)."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def facts_hash(document: Document) -> str:
    """Return the SHA-256 of the canonical document, in hexadecimal."""
    return hashlib.sha256(canonical(document)).hexdigest()


def decimal_text(number: Decimal) -> str:
    """Return the shortest plain notation, so that 50, 50.0 and 5E+1 are the same fact."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _completion(text: str) -> Completion:
    course, part, key = text.split("/", 2)
    return Completion(UUID(course), part, key)


def _time(moment: datetime | None) -> Any:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
