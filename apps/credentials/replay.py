"""Promise 4 for awards: every stored decision is made again and compared.

Of each award: its hash is that of its facts; (a) deciding from them gives the award; (b) the
history, as it was known when it was awarded, still yields them. Its events add up to its row, and
its signed credential says what the row says. The results and evaluations that it rests on are
replayed by their own apps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from apps.assessment.replay import Difference
from apps.credentials.content import SignedContent, signed_content
from apps.credentials.dataintegrity import verify
from apps.credentials.documents import DocumentRefused, read_document
from apps.credentials.models import (
    CertificationAward,
    CredentialDocument,
    CredentialEvent,
    StatusListEntry,
)
from apps.credentials.multikey import decode_public_key
from apps.credentials.openbadges import evidence_id
from apps.credentials.rdfc import TooComplex
from apps.credentials.rules import AwardFacts, Outcome, decide_award, read_facts
from apps.credentials.selectors.decisions import results_known
from apps.credentials.vocabulary import CredentialEventType
from apps.requirements.facts import facts_hash
from apps.requirements.models import RequirementEvaluation

BATCH: Final = 200


@dataclass(frozen=True)
class _Stored:
    """An award with everything that is needed to make it again."""

    row: CertificationAward
    events: Sequence[CredentialEvent]
    documents: Sequence[CredentialDocument]
    entries: Sequence[StatusListEntry]
    later: Sequence[RequirementEvaluation]


def replay_awards(since: datetime | None = None) -> Iterator[Difference]:
    """Yield every difference, award by award; with `since`, of those awarded since then.

    Two statements for each award, and a constant number for each batch.
    """
    awards = CertificationAward.objects.all()
    if since is not None:
        awards = awards.filter(recorded_at__gte=since)
    ids = list(awards.order_by("id").values_list("id", flat=True))
    for start in range(0, len(ids), BATCH):
        for stored in _load(ids[start : start + BATCH]):
            yield from _replay_decision(stored)
            yield from _replay_events(stored)
            yield from _replay_documents(stored)


def _load(ids: Sequence[UUID]) -> Iterator[_Stored]:
    rows = CertificationAward.objects.filter(id__in=ids).select_related(
        "evaluation__node", "template_version__definition"
    )
    events = _by_award(CredentialEvent.objects.filter(award__in=ids).order_by("revision"))
    documents = _by_award(
        CredentialDocument.objects.filter(award__in=ids).select_related("key").order_by("id")
    )
    entries = _by_award(StatusListEntry.objects.filter(award__in=ids).order_by("id"))
    evaluations: dict[tuple[UUID, UUID], list[RequirementEvaluation]] = defaultdict(list)
    for evaluation in RequirementEvaluation.objects.filter(
        enrollment__awards__in=ids, node__is_root=True
    ).distinct():
        evaluations[evaluation.enrollment_id, evaluation.node_id].append(evaluation)
    for row in rows.order_by("id"):
        own = row.evaluation
        yield _Stored(
            row=row,
            events=events[row.id],
            documents=documents[row.id],
            entries=entries[row.id],
            later=[
                evaluation
                for evaluation in evaluations[own.enrollment_id, own.node_id]
                if evaluation.revision > own.revision
            ],
        )


def _by_award(rows: Iterable[Any]) -> Mapping[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        grouped[row.award_id].append(row)
    return grouped


def _replay_decision(stored: _Stored) -> Iterator[Difference]:
    row = stored.row
    if facts_hash(row.facts) != row.facts_hash:
        yield _difference(row, "hash", row.facts_hash, facts_hash(row.facts))
    try:
        facts = read_facts(row.facts)
    except (KeyError, TypeError, ValueError) as error:
        yield _difference(row, "facts", "readable facts", repr(error))
        return
    decision = decide_award(facts)
    if decision.outcome is not Outcome.AWARD:
        yield _difference(row, "decision", Outcome.AWARD, decision.outcome)
    elif decision.expires_at != row.expires_at:
        yield _difference(row, "expires_at", row.expires_at, decision.expires_at)
    for name, value in _columns(facts).items():
        if getattr(row, name) != value:
            yield _difference(row, name, getattr(row, name), value)
    yield from _replay_history(stored, facts)


def _columns(facts: AwardFacts) -> dict[str, object]:
    """Return the columns of an award that its facts decide."""
    return {
        "template_version_id": facts.template_version,
        "evaluation_id": facts.evaluation,
        "evaluation_status": facts.evaluation_status,
        "legal_name": facts.legal_name,
        "issued_at": facts.issued_at,
    }


def _replay_history(stored: _Stored, facts: AwardFacts) -> Iterator[Difference]:
    """Check (b): what was known then is what the facts say."""
    row, own = stored.row, stored.row.evaluation
    then: dict[str, object] = {
        "set_version": own.set_version_id,
        "evaluation_status": own.status,
        "evaluation_hash": facts_hash(own.facts),
        "results": results_known(facts.enrollments, known_at=row.known_at),
        "validity_days": row.template_version.validity_days,
    }
    for name, value in then.items():
        if getattr(facts, name) != value:
            yield _difference(row, f"history of {name}", getattr(facts, name), value)
    if own.enrollment_id != row.enrollment_id or not own.node.is_root:
        yield _difference(row, "evaluation", "of the enrolment's whole set", own.id)
    superseded = [later.id for later in stored.later if later.recorded_at <= row.known_at]
    if superseded:
        yield _difference(row, "evaluation", own.id, superseded[-1])


def _replay_events(stored: _Stored) -> Iterator[Difference]:
    row = stored.row
    line = [(event.revision, event.type) for event in stored.events]
    if not line or line[0] != (1, CredentialEventType.ISSUED.value):
        yield _difference(row, "events", "issued", line)
    elif stored.events[0].occurred_at != row.issued_at:
        yield _difference(row, "events", row.issued_at, stored.events[0].occurred_at)
    if [revision for revision, _ in line] != list(range(1, len(line) + 1)):
        yield _difference(row, "events", "one line", line)
    revoked_at = next(
        (e.occurred_at for e in stored.events if e.type == CredentialEventType.REVOKED), None
    )
    if revoked_at != row.revoked_at:
        yield _difference(row, "revoked_at", row.revoked_at, revoked_at)


def _replay_documents(stored: _Stored) -> Iterator[Difference]:
    if not stored.documents:
        yield _difference(stored.row, "document", "a signed credential", "none")
    for document in stored.documents:
        yield from _replay_document(stored, document)


def _replay_document(stored: _Stored, document: CredentialDocument) -> Iterator[Difference]:
    try:
        credential = read_document(bytes(document.content))
        verify(credential, public_key=decode_public_key(document.key.public_key))
    except (DocumentRefused, TooComplex, ValueError) as error:
        yield _difference(stored.row, "signature", "a genuine signature", repr(error))
        return
    says, row = signed_content(credential), stored.row
    for name, expected, found in _statements(row, says):
        if expected != found:
            yield _difference(row, f"document {name}", expected, found)
    places = sorted(entry.index for entry in stored.entries)
    named = _named_places(credential)
    if named != places:
        yield _difference(row, "document status", places, named)


def _statements(
    row: CertificationAward, says: SignedContent
) -> tuple[tuple[str, object, object], ...]:
    """Return (what, what the row says, what the signed credential says)."""
    return (
        ("id", str(row.id), says.id.rpartition("/")[2]),
        ("achievement", str(row.template_version_id), says.achievement_id.rpartition("/")[2]),
        ("name", row.legal_name, says.holder),
        ("number", row.certificate_number, says.number),
        ("issued_at", row.issued_at, says.issued_at),
        ("expires_at", row.expires_at, says.expires_at),
        ("evidence", (evidence_id(row.facts_hash),), says.evidence_ids),
    )


def _named_places(credential: Mapping[str, Any]) -> list[int]:
    entries = credential.get("credentialStatus", [])
    listed = entries if isinstance(entries, list) else [entries]
    return sorted(int(entry["statusListIndex"]) for entry in listed)


def _difference(
    row: CertificationAward, check: str, stored: object, replayed: object
) -> Difference:
    return Difference(
        entity_type=row._meta.label_lower,
        entity_id=row.id,
        check=check,
        stored=str(stored),
        replayed=str(replayed),
    )
