from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.test.utils import CaptureQueriesContext

from apps.contacts.models import Contact
from apps.core.bulk import FEW, insert_many
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.tenancy import connection
from tests.core.awkward import AWKWARD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("size", [0, 1, FEW - 1, FEW, FEW + 50])
def test_insert_many_stores_every_row_as_it_is(size: int) -> None:
    rows = [
        Contact(display_name=f"P{n}", external_id=f"x{n}" if n % 2 else None) for n in range(size)
    ]

    stored = insert_many(Contact, iter(rows))

    assert stored == rows
    assert list(Contact.objects.order_by("id").values_list("display_name", "external_id")) == [
        (row.display_name, row.external_id) for row in rows
    ]
    assert not any(row._state.adding for row in stored)


def test_insert_many_keeps_awkward_texts_and_documents() -> None:
    texts = AWKWARD * (FEW // len(AWKWARD) + 1)
    payloads = [{"text": text, "list": [1, None, True], "deep": {"é": 1.5}} for text in texts]

    insert_many(
        OutboxMessage,
        (
            OutboxMessage(topic="t", key=str(n), payload=payload, last_error=text)
            for n, (text, payload) in enumerate(zip(texts, payloads, strict=True))
        ),
    )

    stored = OutboxMessage.objects.order_by("id")
    assert [message.payload for message in stored] == payloads
    assert [message.last_error for message in stored] == texts


def test_insert_many_reads_what_the_database_filled_when_asked() -> None:
    before = now()

    stored = insert_many(Contact, [Contact(display_name=f"P{n}") for n in range(FEW)])

    with CaptureQueriesContext(connection) as captured:
        assert stored[0].display_name == "P0"
        assert len(captured) == 0
        assert stored[0].created_at >= before
        assert len(captured) == 1


def test_insert_many_takes_a_default_for_all_rows_or_for_none() -> None:
    moment = now()

    def given() -> list[OutboxMessage]:
        return [OutboxMessage(topic="t", key=str(n), available_at=moment) for n in range(FEW)]

    insert_many(OutboxMessage, given())
    with pytest.raises(ValueError, match="for some of the rows only"):
        insert_many(OutboxMessage, [OutboxMessage(topic="t", key="x"), *given()])

    assert set(OutboxMessage.objects.values_list("available_at", flat=True)) == {moment}


def test_insert_many_stores_nothing_when_one_row_is_refused() -> None:
    rows = [Contact(display_name=f"P{n}", external_id=f"x{n}") for n in range(FEW)]
    rows[-1].external_id = "x0"

    with pytest.raises(IntegrityError, match="external_id"):
        insert_many(Contact, rows)

    assert not Contact.objects.exists()
