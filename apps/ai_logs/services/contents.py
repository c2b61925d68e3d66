"""Sealing texts into the object store, and the rows that tell where they lie."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.ai_logs.ciphers import SessionCipher
from apps.ai_logs.models import AiContent
from apps.ai_logs.texts import Text
from apps.ai_logs.vocabulary import ContentKind
from apps.core import objects
from apps.core.bulk import insert_many
from apps.core.ids import uuid7

AREA = "ai"
"""Where in the object store the texts lie."""


@dataclass(frozen=True, slots=True)
class NewContent:
    """A text to be kept for a session."""

    session_id: UUID
    text: Text
    kind: ContentKind = ContentKind.MESSAGE
    name: str = ""
    interaction_id: UUID | None = None


def write_contents(
    new: Sequence[NewContent], *, ciphers: Mapping[UUID, SessionCipher]
) -> list[AiContent]:
    """Return the rows of the texts, in their order; the objects are written before the rows.

    The texts of one session go into one object. Raises StoreUnavailable.
    """
    names = {one.session_id: objects.new_name(AREA) for one in new}
    pieces: dict[str, list[bytes]] = {name: [] for name in names.values()}
    filled = dict.fromkeys(pieces, 0)
    rows = []
    for one in new:
        cipher, name, content_id = ciphers[one.session_id], names[one.session_id], uuid7()
        sealed = cipher.seal(one.text.data, place=content_id)
        rows.append(
            AiContent(
                id=content_id,
                session_id=one.session_id,
                interaction_id=one.interaction_id,
                kind=one.kind,
                name=one.name,
                media_type=one.text.media_type,
                object_name=name,
                offset=filled[name],
                sealed_size=len(sealed),
                size=len(one.text.data),
                hmac=cipher.digest(one.text.data),
            )
        )
        pieces[name].append(sealed)
        filled[name] += len(sealed)
    objects.put_many({name: b"".join(parts) for name, parts in pieces.items()})
    return insert_many(AiContent, rows)


def named_objects(names: Collection[str]) -> set[str]:
    """Return those of these objects that a session which was not erased has."""
    rows = AiContent.objects.filter(object_name__in=names, session__erasure=None)
    return set(rows.values_list("object_name", flat=True))


def sweep_orphans(*, at: datetime) -> list[str]:
    """Remove this organisation's objects that no row names any more; return their names."""
    return objects.sweep(AREA, named=named_objects, at=at)
