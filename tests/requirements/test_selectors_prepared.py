"""Querysets compiled once answer as those that are built anew."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Q, Value
from django.test.utils import CaptureQueriesContext

from apps.contacts.models import Contact
from apps.requirements.selectors.prepared import Among, Prepared
from tests.cohorts.factories import people

pytestmark = pytest.mark.django_db


def test_rows_are_those_of_the_values_in_the_slots() -> None:
    ada, bob, eve = people("Ada", "Bob", "Eve")
    named = Prepared(
        lambda: (
            Contact.objects.filter(Q(Among("id", "ids")) | Q(Among("display_name", "names")))
            .order_by("display_name")
            .values_list("display_name", "id")
        )
    )

    assert named.rows(ids=[ada.id], names=["Eve"]) == [("Ada", ada.id), ("Eve", eve.id)]
    assert named.rows(ids={bob.id: None}, names=()) == [("Bob", bob.id)]
    assert named.rows(ids=[], names=[]) == []


def test_rows_of_a_union_fill_the_slots_of_every_part() -> None:
    ada, bob = people("Ada", "Bob")

    def part(kind: str, slot: str) -> object:
        return Contact.objects.filter(Among("id", slot)).values_list(Value(kind), "id")

    both = Prepared(lambda: part("x", "xs").union(part("y", "ys"), all=True))  # type: ignore[attr-defined]

    assert sorted(both.rows(xs=[ada.id], ys=[bob.id, ada.id])) == sorted(
        [("x", ada.id), ("y", bob.id), ("y", ada.id)]
    )


def test_rows_take_one_statement_for_any_number_of_values() -> None:
    contacts = people("Ada", "Bob", "Eve")
    prepared = Prepared(lambda: Contact.objects.filter(Among("id", "ids")).values_list("id"))
    prepared.rows(ids=[])

    with CaptureQueriesContext(connection) as captured:
        found = prepared.rows(ids=[contact.id for contact in contacts])

    assert {row[0] for row in found} == {contact.id for contact in contacts}
    assert len(captured) == 1


def test_rows_without_a_value_for_a_slot_are_refused() -> None:
    prepared = Prepared(lambda: Contact.objects.filter(Among("id", "ids")).values_list("id"))

    with pytest.raises(KeyError, match="ids"):
        prepared.rows(other=[])
