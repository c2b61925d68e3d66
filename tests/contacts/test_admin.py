"""The back office of people, driven over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from apps.contacts.models import AdminAction, Contact
from apps.contacts.services import create_api_token, record_admin_action
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.tenancy import connection
from apps.organizations.models import Invitation, Organization, OrgMembership, OrgRole
from tests.clients import browser
from tests.factories import contact, member

STATEMENTS_OF_A_SEARCH = 6

pytestmark = pytest.mark.django_db

PAGES = [
    "/admin/",
    "/admin/contacts/contact/",
    "/admin/contacts/contact/add/",
    "/admin/contacts/adminaction/",
    "/admin/contacts/apitoken/",
    "/admin/core/outboxmessage/",
    "/admin/organizations/orgmembership/",
    "/admin/organizations/orgmembership/add/",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_an_owner(page: str) -> None:
    assert browser(member(OrgRole.OWNER)).get(page).status_code == 200


@pytest.mark.parametrize("page", PAGES[1:])
def test_no_page_opens_for_a_learner(page: str) -> None:
    assert browser(member()).get(page, follow=True).status_code == 403


def test_an_auditor_reads_and_changes_nothing() -> None:
    ada = contact("Ada")
    client = browser(member(OrgRole.AUDITOR))
    page = f"/admin/contacts/contact/{ada.id}/change/"

    assert client.get(page).status_code == 200
    assert client.post(page, {"display_name": "Eve"}).status_code == 403
    assert Contact.objects.get(pk=ada.pk).display_name == "Ada"


def test_changing_a_contact_leaves_a_record() -> None:
    ada = contact("Ada")
    registrar = member(OrgRole.ADMIN)
    channel = ada.channels.get()

    response = browser(registrar).post(
        f"/admin/contacts/contact/{ada.id}/change/",
        {
            "display_name": "Ada Lovelace",
            "channels-TOTAL_FORMS": "1",
            "channels-INITIAL_FORMS": "1",
            "channels-0-id": str(channel.id),
            "channels-0-contact": str(ada.id),
            "channels-0-kind": "email",
            "channels-0-value": channel.value,
            "channels-0-is_primary": "on",
        },
    )

    assert response.status_code == 302
    assert Contact.objects.get(pk=ada.pk).display_name == "Ada Lovelace"
    assert AdminAction.objects.filter(
        actor=registrar, action="contact.changed", entity_id=ada.id
    ).exists()


def test_merge_in_the_back_office() -> None:
    source, into = contact("Old"), contact("New")

    browser(member(OrgRole.ADMIN)).post(
        f"/admin/contacts/contact/{source.id}/merge/", {"into": str(into.id)}
    )

    source.refresh_from_db()
    assert source.merged_into == into


@pytest.mark.parametrize("people", [2, 40])
def test_merging_finds_among_any_number_of_contacts(
    people: int, django_assert_num_queries: Any
) -> None:
    source = contact("Ada Lovelace")
    for number in range(people):
        contact(f"Ada King {number:02}")
    client = browser(member(OrgRole.ADMIN))
    page = f"/admin/contacts/contact/{source.id}/merge/"
    client.get(page, {"q": "king ada"})

    with django_assert_num_queries(STATEMENTS_OF_A_SEARCH):
        found = client.get(page, {"q": "king ada"}).content.decode()

    assert found.count('type="radio"') == min(people, 20)
    assert ("More were found" in found) == (people > 20)
    assert "Nobody was found" in client.get(page, {"q": "king nobody"}).content.decode()
    assert 'type="radio"' not in client.get(page).content.decode()


def test_signing_out_of_the_back_office_is_the_one_page_for_it() -> None:
    left = browser(member(OrgRole.OWNER)).get("/admin/logout/")

    assert (left.status_code, left.headers["Location"]) == (302, "/accounts/logout/")


def test_inviting_and_deactivating_a_member(org_a: Organization) -> None:
    ada = member(OrgRole.LEARNER)
    membership = OrgMembership.objects.get(user_id=ada.user_id)
    client = browser(member(OrgRole.OWNER))

    client.post(
        "/admin/organizations/orgmembership/add/",
        {"email": "new@example.org", "org_role": "learner"},
    )
    client.post(
        f"/admin/organizations/orgmembership/{membership.id}/change/",
        {"org_role": "learner", "status": "deactivated"},
    )

    with connection.platform():
        assert Invitation.objects.get().email == "new@example.org"
        assert OrgMembership.objects.get(pk=membership.pk).status == "deactivated"


def test_a_parked_message_is_retried_from_the_back_office() -> None:
    parked = OutboxMessage.objects.create(topic="x", key="k", parked_at=now(), attempts=8)

    browser(member(OrgRole.OWNER)).post(
        "/admin/core/outboxmessage/",
        {"action": "retry", "_selected_action": [str(parked.id)]},
    )

    parked.refresh_from_db()
    assert (parked.parked_at, parked.attempts) == (None, 0)


def test_a_token_is_revoked_after_a_question() -> None:
    ada, owner = member(name="Ada"), member(OrgRole.OWNER)
    token, _secret = create_api_token(contact=ada, name="Script")
    page, chosen = "/admin/contacts/apitoken/", {"action": "revoke", "_selected_action": [token.id]}
    client = browser(owner)

    question = client.post(page, chosen)
    token.refresh_from_db()
    asked_only = token.revoked_at
    client.post(page, {**chosen, "confirmed": "1"})
    token.refresh_from_db()

    assert "is refused at once" in question.content.decode()
    assert asked_only is None
    assert token.revoked_at is not None
    assert AdminAction.objects.filter(actor=owner, action="apitoken.revoked").count() == 1


def test_an_auditor_is_offered_no_retry() -> None:
    parked = OutboxMessage.objects.create(topic="x", key="k", parked_at=now(), attempts=8)
    client = browser(member(OrgRole.AUDITOR))

    client.post(
        "/admin/core/outboxmessage/", {"action": "retry", "_selected_action": [str(parked.id)]}
    )

    parked.refresh_from_db()
    assert parked.attempts == 8
    assert "Try the selected" not in client.get("/admin/core/outboxmessage/").content.decode()


def test_rows_that_others_name_are_told_by_name_in_as_many_statements_for_2_and_20() -> None:
    client = browser(member(OrgRole.OWNER))
    client.get("/admin/contacts/adminaction/")  # what is asked once is asked
    spent = []
    for number in (2, 18):
        for _one in range(number):
            ada = contact(f"Ada {_one} of {number}")
            record_admin_action(actor=ada, action="contact.changed", entity=ada)
            OutboxMessage.objects.create(topic="learner.advance", key=str(ada.id))
        with CaptureQueriesContext(connection) as captured:
            page = client.get("/admin/contacts/adminaction/").content.decode()
            client.get("/admin/core/outboxmessage/")
        spent.append(len(captured))
        assert f'/change/">Ada 1 of {number}</a>' in page

    assert spent[0] == spent[1]


def test_a_learner_is_told_that_the_back_office_is_for_staff() -> None:
    response = browser(member(name="Ada")).get("/admin/", follow=True)

    text = response.content.decode()
    assert response.status_code == 403
    assert "The back office is for staff." in text
    assert 'href="/"' in text
