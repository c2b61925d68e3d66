"""Spans become interactions: each joined with its conversation, whenever that becomes known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.ai_logs.models import AiInteraction, AiPendingSpan, AiSession, AiTraceContext
from apps.ai_logs.otlp.decoding import RawSpan
from apps.ai_logs.otlp.reading import (
    context_of,
    fault_of,
    interaction_of,
    is_call,
    resource_context,
    service_of,
)
from apps.ai_logs.rules.traces import Told, merged_context
from apps.ai_logs.selectors.budgets import standing
from apps.ai_logs.services.budgets import BudgetSpent, budget_spent, owe_alert
from apps.ai_logs.services.interactions import record_interactions
from apps.ai_logs.services.people import People, people_in
from apps.ai_logs.services.sessions import (
    SessionTerms,
    lock_sessions,
    start_session,
    tell_of_changes,
)
from apps.ai_logs.vocabulary import SessionType, Source
from apps.contacts.models import Contact
from apps.core import sealing

CONTEXTS_KEPT = timedelta(days=7)
FLUSHED_AT_ONCE = 500

Trace = dict[str, Told]
Call = tuple[RawSpan, dict[str, str]]
"""A call of a model with everything that is known of its conversation."""


@dataclass(slots=True)
class Ingested:
    """What became of an export: how many spans were refused, and why the first few were."""

    rejected: int = 0
    reasons: list[str] = field(default_factory=list)

    def reject(self, reason: str) -> None:
        self.rejected += 1
        if len(self.reasons) < 5 and reason not in self.reasons:
            self.reasons.append(reason)


@transaction.atomic
def ingest_spans(spans: Sequence[RawSpan], *, received_by: Contact, at: datetime) -> Ingested:
    """Record the calls among these spans, and remember what the others say about calls.

    A call whose conversation is told by a parent that was not sent yet waits, sealed. Spans that
    have nothing to do with models are left alone. When the month's budget is spent new calls are
    rejected; those that wait were accepted, and are recorded. Raises StoreUnavailable.
    """
    result = Ingested()
    sound = []
    for span in spans:
        is_ours = is_call(span) or bool(context_of(span))
        fault = fault_of(span) if is_ours else ""
        if fault:
            result.reject(fault)
        elif is_ours:
            sound.append(span)
    new_contexts = _remember(sound)
    calls = [span for span in sound if is_call(span)]
    traces = _traces({span.trace_id for span in [*calls, *new_contexts]})
    waiting = _waiting({span.trace_id for span in new_contexts})
    before = standing(at=at)
    spent = budget_spent(before, at=at)
    if spent is not None:
        calls = _known_among(calls, spent, result)
    ready: list[Call] = []
    early: list[Call] = []
    for span in [*calls, *waiting]:
        context = _context(span, traces)
        knows = "conversation" in context or not span.parent_span_id
        (ready if knows else early).append((span, context))
    _record(ready, received_by, result)
    _forget(ready)
    _wait([span for span, _context in early], received_by, at)
    owe_alert(at=at, before=before)
    return result


def _known_among(calls: Sequence[RawSpan], spent: BudgetSpent, result: Ingested) -> list[RawSpan]:
    """Return the calls that are in the log or wait already; the others are rejected."""
    traces = {span.trace_id for span in calls}
    known: set[tuple[str, str]] = set()
    for model in (AiInteraction, AiPendingSpan):
        rows: Any = model._default_manager.filter(trace_id__in=traces)
        known |= set(rows.values_list("trace_id", "span_id"))
    kept = []
    for span in calls:
        if (span.trace_id, span.span_id) in known:
            kept.append(span)
        else:
            result.reject(str(spent))
    return kept


def _remember(spans: Iterable[RawSpan]) -> list[RawSpan]:
    """Keep what spans say about the calls below them; return those spans."""
    telling = [span for span in spans if context_of(span)]
    AiTraceContext.objects.bulk_create(
        [
            AiTraceContext(
                trace_id=span.trace_id,
                span_id=span.span_id,
                parent_span_id=span.parent_span_id,
                context=context_of(span),
            )
            for span in telling
        ],
        ignore_conflicts=True,
    )
    return telling


def _traces(trace_ids: set[str]) -> dict[str, Trace]:
    traces: dict[str, Trace] = defaultdict(dict)
    for row in AiTraceContext.objects.filter(trace_id__in=trace_ids):
        traces[row.trace_id][row.span_id] = Told(row.parent_span_id, row.context)
    return traces


def _context(span: RawSpan, traces: Mapping[str, Trace]) -> dict[str, str]:
    return merged_context(
        context_of(span),
        parent_span_id=span.parent_span_id,
        trace=traces.get(span.trace_id, {}),
        resource=resource_context(span),
    )


def _waiting(trace_ids: set[str]) -> list[RawSpan]:
    """Return the calls of these traces that wait; the rows are locked, so that they go once."""
    if not trace_ids:
        return []
    rows = AiPendingSpan.objects.filter(trace_id__in=trace_ids).order_by("id")
    return [_opened(row) for row in rows.select_for_update()]


def _wait(spans: Sequence[RawSpan], received_by: Contact, at: datetime) -> None:
    AiPendingSpan.objects.bulk_create(
        [
            AiPendingSpan(
                trace_id=span.trace_id,
                span_id=span.span_id,
                parent_span_id=span.parent_span_id,
                sealed_span=sealing.seal(span.as_json(), bound_to=_bound_to(span)),
                received_by=received_by,
                received_at=at,
            )
            for span in spans
        ],
        ignore_conflicts=True,
    )


def _opened(row: AiPendingSpan) -> RawSpan:
    bound_to = _bound_to(row)
    return RawSpan.from_json(sealing.open_sealed(bytes(row.sealed_span), bound_to=bound_to))


def _bound_to(span: RawSpan | AiPendingSpan) -> str:
    return f"ai-span/{span.trace_id}/{span.span_id}"


def _forget(done: Sequence[Call]) -> None:
    AiPendingSpan.objects.filter(span_id__in={span.span_id for span, _ in done}).filter(
        trace_id__in={span.trace_id for span, _ in done}
    ).delete()


def _record(calls: Iterable[Call], received_by: Contact, result: Ingested) -> None:
    in_order = sorted(calls, key=lambda call: (call[0].started, call[0].ended))
    people = people_in(context for _span, context in in_order)
    known: dict[tuple[str, UUID | None], UUID] = {}
    new = []
    for span, context in in_order:
        fault = people.fault_of(context)
        if fault:
            result.reject(fault)
            continue
        conversation = context.get("conversation") or f"trace:{span.trace_id}"
        contact = people.contact_of(context)
        key = (conversation, contact.id if contact else None)
        if key not in known:
            known[key] = _session(span, conversation, contact, context, people, received_by).id
        new.append((known[key], interaction_of(span)))
    for outcome in record_interactions(new, asserted_by=received_by):
        if outcome.problem is not None:
            result.reject(str(outcome.problem))


def _session(
    span: RawSpan,
    conversation: str,
    contact: Contact | None,
    context: Mapping[str, str],
    people: People,
    received_by: Contact,
) -> AiSession:
    """Return the session of a conversation: ours by its id, a known one, or a new one."""
    terms = SessionTerms(
        contact=contact,
        started_at=interaction_of(span).asked_at or interaction_of(span).occurred_at,
        enrollment=people.enrollments.get(context.get("enrollment", "")),
        module_item=people.items.get(context.get("module_item", "")),
        session_type=context.get("session_type", SessionType.TUTORING)[:30],
        conversation_id=conversation,
        source=Source.OTLP,
        service_name=service_of(span),
    )
    found = _by_id(conversation, contact) or _named(conversation, contact)
    if found is None:
        return start_session(terms=terms, created_by=received_by)[0]
    if found.contact_id is None and contact is not None:
        return _adopted(found, terms)
    return found


def _by_id(conversation: str, contact: Contact | None) -> AiSession | None:
    """Return the session that a client began under /v1 and names by its id."""
    try:
        rows = AiSession.objects.filter(pk=UUID(conversation))
    except ValueError:
        return None
    found = rows.first()
    is_anothers = found and contact and found.contact_id not in (None, contact.id)
    return None if is_anothers else found


def _named(conversation: str, contact: Contact | None) -> AiSession | None:
    """Return the session of a conversation of this person.

    Without a person it is the one that there is, or that of nobody if there are several.
    """
    rows = list(AiSession.objects.filter(conversation_id=conversation)[:100])
    wanted = contact.id if contact else None
    own = next((row for row in rows if row.contact_id == wanted), None)
    if own is not None:
        return own
    if contact is None:
        return rows[0] if len(rows) == 1 else None
    return next((row for row in rows if row.contact_id is None), None)


def _adopted(session: AiSession, terms: SessionTerms) -> AiSession:
    """Return the session with the person and context that a later span told of."""
    locked = lock_sessions([session.id])[session.id]
    if locked.contact_id is None:
        locked.contact = terms.contact
        locked.enrollment = terms.enrollment
        locked.module_item = locked.module_item or terms.module_item
        locked.save(update_fields=["contact", "enrollment", "module_item"])
        tell_of_changes([locked.id])
    return locked


@transaction.atomic
def flush_pending(*, at: datetime) -> int:
    """Record calls whose parents nobody can expect any more; return how many.

    Each goes to the conversation that its trace agrees on, or to one of its trace's own.
    """
    before = at - timedelta(seconds=settings.OTLP_JOIN_SECONDS)
    rows = list(
        AiPendingSpan.objects.filter(received_at__lte=before)
        .select_related("received_by")
        .order_by("id")
        .select_for_update(skip_locked=True, of=("self",))[:FLUSHED_AT_ONCE]
    )
    by_receiver: dict[UUID, list[AiPendingSpan]] = defaultdict(list)
    for row in rows:
        by_receiver[row.received_by_id].append(row)
    for group in by_receiver.values():
        spans = [_opened(row) for row in group]
        traces = _traces({span.trace_id for span in spans})
        ready = [(span, _context(span, traces)) for span in spans]
        _record(ready, group[0].received_by, Ingested())
        _forget(ready)
    owe_alert(at=at)
    AiTraceContext.objects.filter(created_at__lt=at - CONTEXTS_KEPT).delete()
    return len(rows)
