"""Finding, linking and merging people."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from apps.contacts.models import Contact, ContactChannel
from apps.contacts.selectors import alias_ids, is_own_work, survivor_id
from apps.contacts.services import (
    EmailTaken,
    MergeRefused,
    create_contact,
    find_or_create_contact,
    link_user,
    merge_contacts,
)
from tests.factories import NOON, contact, some_uuid

pytestmark = pytest.mark.django_db


def test_find_or_create_contact_ignores_the_case_of_the_address() -> None:
    ada = contact("Ada", email="ada@example.org")

    assert find_or_create_contact(email=" ADA@Example.org ", display_name="Other") == ada


def test_create_contact_with_a_taken_address_is_refused_whole() -> None:
    contact(email="ada@example.org")

    with pytest.raises(EmailTaken):
        create_contact(display_name="Twin", email="Ada@example.org")

    assert not Contact.objects.filter(display_name="Twin").exists()


def test_link_user_links_the_contact_of_the_roster() -> None:
    ada = contact("Ada", email="ada@example.org")

    linked = link_user(user_id=some_uuid(), email="ada@example.org", display_name="Ada L.", at=NOON)

    assert linked == ada
    assert ContactChannel.objects.get(contact=ada).verified_at == NOON


def test_merge_contacts_keeps_history_and_follows_aliases() -> None:
    first, second, third = contact("One"), contact("Two"), contact("Three")
    merge_contacts(source=first, into=second, actor=None)

    merge_contacts(source=second, into=third, actor=None)

    assert set(alias_ids(third.id)) == {first.id, second.id, third.id}
    assert survivor_id(first.id) == third.id
    assert is_own_work(actor_id=first.id, learner_id=second.id)
    assert ContactChannel.objects.filter(contact=third).count() == 3


def test_merge_contacts_with_two_logins_is_refused() -> None:
    one, two = contact(), contact()
    Contact.objects.filter(pk=one.pk).update(user_id=some_uuid())
    Contact.objects.filter(pk=two.pk).update(user_id=some_uuid())

    with pytest.raises(MergeRefused):
        merge_contacts(source=one, into=two, actor=None)


def test_merge_contacts_into_itself_is_refused_by_the_database_too() -> None:
    one = contact()

    with pytest.raises(MergeRefused):
        merge_contacts(source=one, into=one, actor=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=one.pk).update(merged_into=one)


@pytest.mark.parametrize(
    ("field", "value"), [("display_name", "")], ids=["contact_has_a_display_name"]
)
def test_database_refuses(field: str, value: str) -> None:
    one = contact()

    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.filter(pk=one.pk).update(**{field: value})


def test_database_refuses_two_primary_addresses() -> None:
    one = contact()

    with pytest.raises(IntegrityError), transaction.atomic():
        ContactChannel.objects.create(
            contact=one, kind="email", value="other@example.org", is_primary=True
        )
