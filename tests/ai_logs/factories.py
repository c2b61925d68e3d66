"""Conversations for tests, made through the same services as everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from apps.ai_logs.models import AiInteraction, AiSession
from apps.ai_logs.rules.pricing import Usage
from apps.ai_logs.services.interactions import Message, NewInteraction, record_interactions
from apps.ai_logs.services.sessions import SessionTerms, start_session
from apps.ai_logs.texts import plain
from apps.ai_logs.vocabulary import Role
from apps.contacts.models import Contact

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MODEL = "gpt-4o-mini-2024-07-18"


def session(contact: Contact | None = None, **terms: Any) -> AiSession:
    """Return a new session with a key."""
    terms.setdefault("started_at", NOON)
    made, _is_new = start_session(terms=SessionTerms(contact=contact, **terms), created_by=None)
    return made


def asked(words: str, **fields: Any) -> NewInteraction:
    """Return what somebody says."""
    fields.setdefault("occurred_at", NOON)
    return NewInteraction(role=Role.USER, text=plain(words), **fields)


def answered(words: str, **fields: Any) -> NewInteraction:
    """Return what a model answers, with what that took."""
    fields.setdefault("occurred_at", NOON + timedelta(seconds=2))
    fields.setdefault("usage", Usage(input=1000, output=200))
    fields.setdefault("requested_model", "gpt-4o-mini")
    fields.setdefault("responded_model", MODEL)
    fields.setdefault("provider", "openai")
    return NewInteraction(role=Role.ASSISTANT, text=plain(words), latency_ms=2000, **fields)


def messages(*said: tuple[str, str]) -> tuple[Message, ...]:
    """Return a history, given as (role, words)."""
    return tuple(Message(role, plain(words)) for role, words in said)


def record(
    session_id: UUID, *new: NewInteraction, by: Contact | None = None
) -> list[AiInteraction]:
    """Return the rows of these messages, all of which must be recorded or known."""
    outcomes = record_interactions([(session_id, one) for one in new], asserted_by=by)
    rows = [outcome.interaction for outcome in outcomes]
    assert all(rows), outcomes
    return [row for row in rows if row is not None]


def conversation(contact: Contact | None = None, **terms: Any) -> AiSession:
    """Return a session with a question and its answer."""
    made = session(contact, **terms)
    record(made.id, asked("What is a permit?"), answered("A permit is a written permission."))
    return made


def told(rows: Sequence[Any]) -> list[tuple[str, str]]:
    """Return (role, words) of the lines of a conversation."""
    return [
        (line.interaction.role, line.kept.text.shown if line.kept.text else f"<{line.kept.state}>")
        for line in rows
    ]
