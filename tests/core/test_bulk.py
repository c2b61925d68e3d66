from __future__ import annotations

import pytest
from django.db import DataError, IntegrityError, transaction
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext

from apps.contacts.models import Contact, ContactChannel
from apps.core.bulk import FEW, batches, insert_many, insert_values, update_values
from apps.core.clock import now
from apps.core.ids import uuid7
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


# --- Values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 300])
def test_insert_values_stores_rows_with_what_is_alike_and_the_defaults(size: int) -> None:
    before = now()

    count = insert_values(
        OutboxMessage,
        ("key", "payload"),
        ((f"k{n}", {"n": n}) for n in range(size)),
        topic="t",
    )

    stored = OutboxMessage.objects.order_by("id")
    assert count == size
    assert [(one.topic, one.key, one.payload, one.attempts) for one in stored] == [
        ("t", f"k{n}", {"n": n}, 0) for n in range(size)
    ]
    assert all(one.available_at >= before for one in stored)
    assert all((one.parked_at, one.last_error) == (None, "") for one in stored)


def test_insert_values_keeps_awkward_texts_and_given_ids() -> None:
    rows = [(uuid7(), text, text) for text in AWKWARD]

    insert_values(OutboxMessage, ("id", "last_error", "key"), rows, topic="t", payload=["é", None])

    stored = OutboxMessage.objects.order_by("id")
    assert list(stored.values_list("id", "last_error", "key")) == rows
    assert [one.payload for one in stored] == [["é", None]] * len(rows)


def test_insert_values_stores_all_rows_or_none() -> None:
    rows = [("A", "x1"), ("B", "x2"), ("C", "x1")]

    with pytest.raises(IntegrityError), transaction.atomic():
        insert_values(Contact, ("display_name", "external_id"), rows)

    assert not Contact.objects.exists()


def test_update_values_sets_each_row_to_its_own() -> None:
    a, b, c = (Contact.objects.create(display_name=name) for name in "ABC")
    long = "x" * 200

    count = update_values(
        Contact, ("display_name", "external_id"), [(a.id, long, None), (c.id, "\\N", "x9")]
    )

    assert count == 2
    assert update_values(Contact, ("display_name",), []) == 0
    assert dict(Contact.objects.values_list("display_name", "external_id")) == {
        long: None,
        "B": None,
        "\\N": "x9",
    }
    assert Contact.objects.get(pk=b.pk).display_name == "B"


def test_update_values_refuses_what_does_not_fit() -> None:
    a = Contact.objects.create(display_name="A")

    with pytest.raises(DataError), transaction.atomic():
        update_values(Contact, ("display_name",), [(a.id, "x" * 201)])


def test_batches_keep_the_order() -> None:
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batches([], 2)) == []


def test_one_of_finds_what_in_finds() -> None:
    people = [Contact.objects.create(display_name=name) for name in "ABC"]
    channel = ContactChannel.objects.create(contact=people[2], kind="email", value="C@example.org")
    lowered = ContactChannel.objects.annotate(address=Lower("value"))

    assert set(Contact.objects.filter(id__one_of=[people[0].id, people[2].id])) == {
        people[0],
        people[2],
    }
    assert not Contact.objects.filter(id__one_of=[]).exists()
    assert Contact.objects.exclude(display_name__one_of={"A", "B"}).get() == people[2]
    assert ContactChannel.objects.get(contact_id__one_of=[people[2].id]) == channel
    assert lowered.get(address__one_of=["c@example.org"]) == channel
