"""Recording what was said: numbered, sealed, priced, each message and each span once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from apps.ai_logs.ciphers import SessionCipher
from apps.ai_logs.models import AiInteraction, AiSession
from apps.ai_logs.rules.history import Print, Said, unseen
from apps.ai_logs.rules.pricing import Usage, whole_usage
from apps.ai_logs.selectors.ciphers import ciphers_of
from apps.ai_logs.services.contents import NewContent, write_contents
from apps.ai_logs.services.costs import fix_costs
from apps.ai_logs.services.sessions import (
    SessionEnded,
    SessionErased,
    erased_among,
    lock_sessions,
    tell_of_changes,
)
from apps.ai_logs.texts import Text
from apps.ai_logs.vocabulary import ContentKind
from apps.contacts.models import Contact
from apps.core.bulk import insert_many
from apps.core.ids import uuid7
from apps.core.problems import NotFound, Problem

CREATED, REPEATED, REFUSED = "created", "repeated", "refused"


@dataclass(frozen=True, slots=True)
class Message:
    """A message among the inputs of a call."""

    role: str
    text: Text


@dataclass(frozen=True, slots=True)
class Artefact:
    """Something that a call made, other than its words."""

    name: str
    text: Text


@dataclass(frozen=True, slots=True)
class NewInteraction:
    """A message to be recorded. `inputs` is the history that a call was given, known or not."""

    role: str
    occurred_at: datetime
    text: Text | None = None
    inputs: tuple[Message, ...] = ()
    asked_at: datetime | None = None
    operation: str = ""
    provider: str = ""
    requested_model: str = ""
    responded_model: str = ""
    service_tier: str = ""
    usage: Usage = field(default_factory=Usage)
    latency_ms: int | None = None
    first_token_ms: int | None = None
    finish_reason: str = ""
    error: str = ""
    prompt_key: str = ""
    prompt_version: str = ""
    prompt_template: Text | None = None
    artefacts: tuple[Artefact, ...] = ()
    trace_id: str = ""
    span_id: str = ""

    @property
    def span(self) -> tuple[str, str] | None:
        return (self.trace_id, self.span_id) if self.span_id else None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one message: the row, old or new, or why there is none."""

    outcome: str
    interaction: AiInteraction | None = None
    problem: Problem | None = None


@dataclass(slots=True)
class _Tail:
    """Where a session's log ends, and what was said in it as far as a history needs it."""

    seq: int
    said: list[Said] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    """A row to be, with the texts that belong to it."""

    row: AiInteraction
    text: Text | None = None
    prompt_template: Text | None = None
    artefacts: tuple[Artefact, ...] = ()


@transaction.atomic
def record_interactions(
    new: Sequence[tuple[UUID, NewInteraction]],
    *,
    asserted_by: Contact | None,
    spent: Problem | None = None,
) -> list[Recorded]:
    """Return what became of each message (session, message), in their order.

    A span that is known is not recorded again. What can't be recorded leaves the others be; with
    `spent`, that nothing new can. Costs are fixed along. A constant number of statements. Raises
    StoreUnavailable.
    """
    sessions = lock_sessions({session_id for session_id, _ in new})
    erased = erased_among(sessions)
    spans = _known_spans(new)
    tails = _tails(new)
    ciphers = ciphers_of(set(sessions) - erased)
    drafts: list[_Draft] = []
    recorded = []
    for session_id, message in new:
        problem = _refusal(sessions.get(session_id), message, session_id in erased) or spent
        known = spans.get(message.span) if message.span else None
        if known is not None:
            recorded.append(Recorded(REPEATED, known))
        elif problem is not None:
            recorded.append(Recorded(REFUSED, problem=problem))
        else:
            made = _drafts(message, session_id, tails[session_id], ciphers[session_id])
            drafts += made
            row = made[-1].row
            row.asserted_by = asserted_by
            if message.span:
                spans[message.span] = row
            recorded.append(Recorded(CREATED, row))
    _store(drafts, ciphers)
    tell_of_changes({draft.row.session_id for draft in drafts})
    return recorded


def _refusal(session: AiSession | None, message: NewInteraction, erased: bool) -> Problem | None:
    if session is None:
        return NotFound()
    if erased:
        return SessionErased()
    if session.ended_at is not None and message.occurred_at > session.ended_at:
        return SessionEnded(detail=f"It ended at {session.ended_at.isoformat()}.")
    return None


def _known_spans(
    new: Iterable[tuple[UUID, NewInteraction]],
) -> dict[tuple[str, str], AiInteraction]:
    wanted = {message.span for _session, message in new if message.span}
    if not wanted:
        return {}
    rows = AiInteraction.objects.filter(span_id__in={span for _trace, span in wanted})
    rows = rows.filter(trace_id__in={trace for trace, _span in wanted})
    return {
        (row.trace_id, row.span_id): row for row in rows if (row.trace_id, row.span_id) in wanted
    }


def _tails(new: Iterable[tuple[UUID, NewInteraction]]) -> dict[UUID, _Tail]:
    """Return session -> its end; what was said is read only where a history is to be compared."""
    wanted, compared = set(), set()
    for session_id, message in new:
        wanted.add(session_id)
        if message.inputs:
            compared.add(session_id)
    ends = AiInteraction.objects.filter(session_id__in=wanted).values("session_id")
    tails = {session_id: _Tail(0) for session_id in wanted}
    for end in ends.annotate(last=Max("seq")).order_by():
        tails[end["session_id"]].seq = end["last"]
    if compared:
        rows = AiInteraction.objects.filter(session_id__in=compared).only(
            "session_id", "seq", "role", "content_hash", "call_id", "occurred_at"
        )
        for row in rows:
            tails[row.session_id].said.append(said(row))
    return tails


def said(row: AiInteraction) -> Said:
    """Return a row as the rules of histories know it."""
    return Said(
        id=row.id,
        seq=row.seq,
        role=row.role,
        digest=None if row.content_hash is None else bytes(row.content_hash),
        call_id=row.call_id,
        occurred_at=row.occurred_at,
    )


def _drafts(
    message: NewInteraction, session_id: UUID, tail: _Tail, cipher: SessionCipher
) -> list[_Draft]:
    """Return the rows of a message: those of its inputs that are new, then itself."""
    answer = _row(message, session_id)
    digest = cipher.digest(message.text.data) if message.text else None
    prints = [(one.role, cipher.digest(one.text.data)) for one in message.inputs]
    own: Print | None = (message.role, digest) if digest else None
    drafts = []
    for place in unseen(tail.said, prints, own) if prints else []:
        tail.seq += 1
        given = message.inputs[place]
        row = AiInteraction(
            id=uuid7(),
            session_id=session_id,
            seq=tail.seq,
            role=given.role,
            call=answer,
            content_hash=prints[place][1],
            occurred_at=message.asked_at or message.occurred_at,
        )
        drafts.append(_Draft(row, given.text))
        tail.said.append(said(row))
    tail.seq += 1
    answer.seq = tail.seq
    answer.content_hash = digest
    tail.said.append(said(answer))
    drafts.append(_Draft(answer, message.text, message.prompt_template, message.artefacts))
    return drafts


def _row(message: NewInteraction, session_id: UUID) -> AiInteraction:
    usage = whole_usage(message.usage)
    return AiInteraction(
        id=uuid7(),
        session_id=session_id,
        role=message.role,
        operation=message.operation,
        provider=message.provider,
        requested_model=message.requested_model,
        responded_model=message.responded_model,
        service_tier=message.service_tier,
        input_tokens=usage.input,
        output_tokens=usage.output,
        cached_tokens=usage.cached,
        cache_write_tokens=usage.cache_write,
        reasoning_tokens=usage.reasoning,
        latency_ms=message.latency_ms,
        first_token_ms=message.first_token_ms,
        finish_reason=message.finish_reason,
        error=message.error,
        prompt_key=message.prompt_key,
        prompt_version=message.prompt_version,
        trace_id=message.trace_id,
        span_id=message.span_id,
        occurred_at=message.occurred_at,
    )


def _store(drafts: Sequence[_Draft], ciphers: Mapping[UUID, SessionCipher]) -> None:
    """Write objects, contents, messages, artefacts and costs, in that order."""
    texts: list[tuple[_Draft, str, NewContent]] = []
    for draft in drafts:
        session_id = draft.row.session_id
        if draft.text is not None:
            texts.append((draft, "content", NewContent(session_id, draft.text)))
        if draft.prompt_template is not None:
            template = NewContent(session_id, draft.prompt_template, ContentKind.PROMPT_TEMPLATE)
            texts.append((draft, "prompt_template", template))
    rows = write_contents([text for _draft, _field, text in texts], ciphers=ciphers)
    for (draft, name, _text), content in zip(texts, rows, strict=True):
        setattr(draft.row, name, content)
    # One statement: a message may name the call that comes after it.
    insert_many(AiInteraction, [draft.row for draft in drafts])
    artefacts = [
        NewContent(draft.row.session_id, made.text, ContentKind.ARTEFACT, made.name, draft.row.id)
        for draft in drafts
        for made in draft.artefacts
    ]
    write_contents(artefacts, ciphers=ciphers)
    fix_costs([draft.row for draft in drafts if draft.row.is_call])
