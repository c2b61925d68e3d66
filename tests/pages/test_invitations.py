"""Joining by the link of an invitation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.tenancy import connection, tenant_context
from apps.organizations.models import Invitation, Organization, OrgMembership, OrgRole
from apps.organizations.services import invitation_token, invite
from tests.clients import browser
from tests.factories import PASSWORD, contact, member, some_uuid

pytestmark = pytest.mark.django_db

EMAIL = "new@example.org"


def invited(email: str = EMAIL) -> str:
    """Return the address of a new invitation to the organisation in force."""
    organization_id = connection.tenant.id
    with connection.platform():
        invitation = invite(
            organization_id=organization_id,
            email=email,
            org_role=OrgRole.LEARNER,
            invited_by_id=some_uuid(),
            at=now(),
        )
    return f"/invitations/{invitation_token(invitation.id)}"


def signed_in_as(client: Client) -> str:
    return client.get("/v1/me").json().get("contact", "")


def test_an_invitation_names_organisation_and_address() -> None:
    page = browser().get(invited()).content.decode()

    assert f"Organisation A invites {EMAIL}." in page


def test_joining_with_a_new_account_signs_in() -> None:
    client = browser()

    response = client.post(invited(), {"display_name": "Nia New", "password": PASSWORD})

    joined = Contact.objects.get(display_name="Nia New")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert signed_in_as(client) == str(joined.id)
    assert OrgMembership.objects.get(user_id=joined.user_id).org_role == OrgRole.LEARNER
    assert AdminAction.objects.filter(action="member.joined", actor=joined).exists()


def test_joining_links_the_contact_that_the_roster_knew() -> None:
    known = contact("Nia of the Roster", email=EMAIL)
    address = invited()

    page = browser().get(address).content.decode()
    browser().post(address, {"password": PASSWORD})

    assert "You are known here as Nia of the Roster." in page
    assert Contact.objects.get(user_id=User.objects.get(email=EMAIL).id) == known


def test_joining_with_an_existing_account_asks_for_its_password() -> None:
    with connection.platform():
        User.objects.create_user(EMAIL, "the password they have")
    client = browser()

    response = client.post(invited(), {"display_name": "Nia", "password": "another one 4711"})

    assert response["Location"] == "/accounts/login/"
    assert signed_in_as(client) == ""
    assert User.objects.get(email=EMAIL).check_password("the password they have")
    signed_in = client.post(
        "/accounts/login/", {"login": EMAIL, "password": "the password they have"}
    )
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"display_name": "Nia", "password": "12345"}, "too short"),
        ({"display_name": "Nia", "password": EMAIL}, "too similar to the e-mail"),
        ({"display_name": "", "password": PASSWORD}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_and_nobody_joins(fields: dict[str, str], complaint: str) -> None:
    response = browser().post(invited(), fields)

    page = response.content.decode()
    assert response.status_code == 200
    assert "There is a problem" in page
    assert complaint.replace("e-mail", "email") in page
    assert not OrgMembership.objects.exists()


def test_an_invitation_works_once() -> None:
    address = invited()
    browser().post(address, {"display_name": "Nia", "password": PASSWORD})

    again = browser().post(address, {"display_name": "Eve", "password": PASSWORD})

    assert again.status_code == 404
    assert "This invitation is not open any more" in again.content.decode()
    assert not Contact.objects.filter(display_name="Eve").exists()


def test_an_old_a_forged_and_a_foreign_invitation_are_gone(
    org_a: Organization, org_b: Organization
) -> None:
    old = invited()
    with connection.platform():
        Invitation.objects.update(expires_at=now() - timedelta(seconds=1))
    with tenant_context(org_b):
        foreign = invited()

    found = [browser().get(address) for address in (old, foreign, "/invitations/forged")]

    assert [response.status_code for response in found] == [404] * 3
    assert all("not open any more" in response.content.decode() for response in found)


def test_joining_while_signed_in_as_somebody_else_changes_the_reader() -> None:
    client = browser(member(name="Somebody Else"))

    client.post(invited(), {"display_name": "Nia", "password": PASSWORD})

    assert signed_in_as(client) == str(Contact.objects.get(display_name="Nia").id)
