"""A conversation put together again from its log, with proof that it is what was said."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from apps.ai_logs.ciphers import SessionCipher
from apps.ai_logs.models import (
    AiContent,
    AiErasure,
    AiFeedback,
    AiInteraction,
    AiInteractionCost,
    AiSession,
)
from apps.ai_logs.rules.history import Said, in_order
from apps.ai_logs.selectors.ciphers import ciphers_of
from apps.ai_logs.texts import Text
from apps.core import objects
from apps.core.sealing import SealBroken


class State(StrEnum):
    """What became of a text."""

    INTACT = "intact"
    NOT_SENT = "not_sent"
    ERASED = "erased"
    MISSING_OBJECT = "missing_object"
    CHANGED_OBJECT = "changed_object"
    CHANGED_ROW = "changed_row"
    MISSING_KEY = "missing_key"


DAMAGED = frozenset(
    {State.MISSING_OBJECT, State.CHANGED_OBJECT, State.CHANGED_ROW, State.MISSING_KEY}
)

SENTENCES = {
    State.INTACT: "The text is what was recorded.",
    State.NOT_SENT: "The client sent no text.",
    State.ERASED: "The text was erased.",
    State.MISSING_OBJECT: "The object {name} is not in the store.",
    State.CHANGED_OBJECT: "The object {name} is not what was written, at bytes {start} to {end}.",
    State.CHANGED_ROW: "The text is not the one that the log's hash was made of.",
    State.MISSING_KEY: "The session's key is gone, and no erasure is on record.",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A text as it was found: with its words where it is intact, else with what is wrong."""

    state: State
    detail: str
    content: AiContent | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """One person's feedback as it is now; the comment is empty where there is none or no key."""

    feedback: AiFeedback
    comment: str


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the conversation with everything that belongs to it."""

    interaction: AiInteraction
    kept: Kept
    prompt_template: Kept | None
    artefacts: tuple[Kept, ...]
    cost: AiInteractionCost | None
    opinions: tuple[Opinion, ...]

    @property
    def texts(self) -> list[Kept]:
        template = [self.prompt_template] if self.prompt_template else []
        return [self.kept, *template, *self.artefacts]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session in the order in which it was had; `missing_rows` are numbers that no row has."""

    session: AiSession
    erasure: AiErasure | None
    lines: tuple[Line, ...]
    missing_rows: tuple[int, ...] = ()

    @property
    def damage(self) -> list[tuple[Line, Kept]]:
        """The texts that are wrong, and where; none of a conversation that is whole, or erased."""
        return [(line, kept) for line in self.lines for kept in line.texts if kept.state in DAMAGED]

    @property
    def is_intact(self) -> bool:
        return self.erasure is None and not self.damage and not self.missing_rows


def reconstruct(session: AiSession) -> Conversation:
    """Return the conversation, every text checked against its hash.

    Says of each text that is not there whether it was never sent, erased (by whom and when), or
    damaged, and how. Six statements. Raises StoreUnavailable, which is no damage.
    """
    erasure = AiErasure.objects.filter(session=session).select_related("actor").first()
    rows = list(
        AiInteraction.objects.filter(session=session).select_related("content", "prompt_template")
    )
    artefacts = list(
        AiContent.objects.filter(session=session, interaction__isnull=False).order_by("id")
    )
    cipher = ciphers_of([session.id]).get(session.id) if erasure is None else None
    reader = Reader(erasure, cipher, _stored(rows, artefacts) if cipher else {})
    costs = _costs(session.id)
    opinions = _opinions(session.id, cipher)
    lines = {
        row.id: Line(
            interaction=row,
            kept=reader.kept(row.content, row.content_hash),
            prompt_template=reader.kept(row.prompt_template) if row.prompt_template else None,
            artefacts=tuple(reader.kept(one) for one in artefacts if one.interaction_id == row.id),
            cost=costs.get(row.id),
            opinions=tuple(opinions.get(row.id, ())),
        )
        for row in rows
    }
    order = in_order([_said(row) for row in rows])
    numbers = {row.seq for row in rows}
    missing = sorted(set(range(1, max(numbers, default=0))) - numbers)
    return Conversation(
        session, erasure, tuple(lines[one.id] for one in order), missing_rows=tuple(missing)
    )


def _said(row: AiInteraction) -> Said:
    digest = None if row.content_hash is None else bytes(row.content_hash)
    return Said(row.id, row.seq, row.role, digest, row.call_id, row.occurred_at)


def _stored(
    rows: Sequence[AiInteraction], artefacts: Sequence[AiContent]
) -> dict[str, bytes | None]:
    contents = [row.content for row in rows if row.content]
    contents += [row.prompt_template for row in rows if row.prompt_template]
    return objects.get_many(content.object_name for content in [*contents, *artefacts])


@dataclass(frozen=True, slots=True)
class Reader:
    """Opens texts, and tells what is wrong with those that do not open."""

    erasure: AiErasure | None
    cipher: SessionCipher | None
    stored: Mapping[str, bytes | None]

    def kept(self, content: AiContent | None, own_hash: bytes | memoryview | None = None) -> Kept:
        if content is None:
            return _found(State.NOT_SENT)
        if self.erasure is not None:
            return _found(State.ERASED, content)
        if self.cipher is None:
            return _found(State.MISSING_KEY, content)
        data = self.stored.get(content.object_name)
        if data is None:
            return _found(State.MISSING_OBJECT, content)
        sealed = data[content.offset : content.offset + content.sealed_size]
        try:
            words = self.cipher.open(sealed, place=content.id)
        except SealBroken:
            return _found(State.CHANGED_OBJECT, content)
        digest = self.cipher.digest(words)
        hashes = [bytes(content.hmac), *([bytes(own_hash)] if own_hash is not None else [])]
        if not all(hmac.compare_digest(digest, known) for known in hashes):
            return _found(State.CHANGED_ROW, content)
        return _found(State.INTACT, content, Text(content.media_type, words))


def _found(state: State, content: AiContent | None = None, text: Text | None = None) -> Kept:
    detail = SENTENCES[state]
    if content is not None:
        end = content.offset + content.sealed_size
        detail = detail.format(name=content.object_name, start=content.offset, end=end)
    return Kept(state, detail, content, text)


def _costs(session_id: UUID) -> dict[UUID, AiInteractionCost]:
    rows = AiInteractionCost.objects.current().filter(interaction__session_id=session_id)
    return {row.interaction_id: row for row in rows}


def _opinions(session_id: UUID, cipher: SessionCipher | None) -> dict[UUID, list[Opinion]]:
    rows = AiFeedback.objects.current().filter(interaction__session_id=session_id)
    found: dict[UUID, list[Opinion]] = {}
    for row in rows.select_related("contact").order_by("id"):
        opinion = Opinion(row, comment_of(row, cipher))
        found.setdefault(row.interaction_id, []).append(opinion)
    return found


def comment_of(feedback: AiFeedback, cipher: SessionCipher | None) -> str:
    """Return the comment, empty where there is none or the conversation was erased."""
    if feedback.sealed_comment is None or cipher is None:
        return ""
    return cipher.open(bytes(feedback.sealed_comment), place=feedback.id).decode()


def erased_by(erasure: AiErasure) -> tuple[str, datetime]:
    """Return who destroyed the texts, as people are told, and when."""
    who = erasure.actor.display_name if erasure.actor else "the organisation's retention policy"
    return who, erasure.recorded_at
