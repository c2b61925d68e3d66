"""Keeping the index what its sources say, and the language that it is in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import models, transaction
from django.db.models import F

from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.bulk import batches, insert_many
from apps.core.models import ONLY_ROW, OutboxMessage
from apps.core.outbox import owe, owe_many
from apps.core.tenancy import connection
from apps.search.models import SearchDocument, SearchSettings
from apps.search.selectors.sources import SOURCES, Document, Source, differences

BATCH: Final = 25
"""Definitions in one transaction: each has as many documents as it has lessons."""

_OF_MODELS: Final[dict[type[models.Model], Source]] = {
    source.definitions: source for source in SOURCES
}
_COLUMNS: Final = [
    field.attname for field in SearchDocument._meta.concrete_fields if not field.primary_key
]


def owe_index(model: type[models.Model], definition_id: UUID) -> None:
    """Owe the index what changed about a definition; one that nobody searches for is ignored."""
    source = _OF_MODELS.get(model)
    if source is not None:
        owe(source.topic, str(definition_id))


@transaction.atomic(savepoint=False)
def index(source: Source, ids: Collection[UUID]) -> int:
    """Return how many rows were written to bring these definitions up to date; again, none.

    One writer at a time in an organisation, so that nobody writes what was read before another
    one wrote. The number of statements does not depend on how many they are.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"{connection.schema_name}/search"],
        )
    found = differences(source, ids)
    if found.gone:
        SearchDocument.objects.filter(id__one_of=list(found.gone)).delete()
    insert_many(SearchDocument, [_row(document) for document in found.new])
    if found.changed:
        SearchDocument.objects.bulk_create(
            [_row(document, row_id) for row_id, document in found.changed],
            batch_size=500,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=_COLUMNS,
        )
    return len(found)


def _row(document: Document, row_id: UUID | None = None) -> SearchDocument:
    key = {} if row_id is None else {"id": row_id}
    return SearchDocument(**key, **document.values())


def rebuild(*, afresh: bool = False) -> int:
    """Make the whole index what its sources say; return how many rows were not. Right ones stay.

    With `afresh` the words of all rows are made anew: stems change with PostgreSQL's versions.
    """
    written = 0
    for source in SOURCES:
        ids = source.definitions._default_manager.order_by("id").values_list("id", flat=True)
        for batch in batches(list(ids), BATCH):
            written += index(source, batch)
    if afresh:
        written += SearchDocument.objects.update(language=F("language"))
    return written


def unlike_sources() -> list[UUID]:
    """Return the definitions of which the index says anything else than they do.

    What the outbox still owes it is late, not wrong.
    """
    unlike: set[UUID] = set()
    for source in SOURCES:
        owed = OutboxMessage.objects.filter(topic=source.topic, parked_at=None)
        late = set(owed.values_list("key", flat=True))
        ids = source.definitions._default_manager.order_by("id").values_list("id", flat=True)
        for batch in batches(list(ids), BATCH):
            found = differences(source, [one for one in batch if str(one) not in late])
            unlike |= found.definitions
    return sorted(unlike)


@transaction.atomic
def change_language(*, language: str, actor: Contact) -> None:
    """Set the language of the organisation's content; everything is owed to the index again."""
    _settings, is_new = SearchSettings.objects.select_for_update().get_or_create(
        id=ONLY_ROW, defaults={"language": language}
    )
    before = None if is_new else _settings.language
    if before == language:
        return
    _settings.language = language
    _settings.save()
    record_admin_action(
        actor=actor,
        action="searchsettings.changed",
        entity=_settings,
        details={"language": {"old": before, "new": language}},
    )
    for source in SOURCES:
        ids = source.definitions._default_manager.order_by("id").values_list("id", flat=True)
        owe_many(source.topic, [str(one) for one in ids])
