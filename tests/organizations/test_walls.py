"""What tenant code may see and write of the tables that all organisations share."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.accounts.models import User
from apps.core.tenancy import tenant_context
from apps.organizations.models import (
    MembershipStatus,
    Organization,
    OrganizationDomain,
    OrgMembership,
    UserSession,
)
from tests.factories import member

pytestmark = pytest.mark.django_db


def emails() -> list[str]:
    return sorted(User.objects.values_list("email", flat=True))


def test_an_organisation_sees_only_its_own_members(
    org_a: Organization, org_b: Organization
) -> None:
    member(email="ada@a.example")
    with tenant_context(org_b):
        member(email="boole@b.example")
        in_b = emails()

    assert (emails(), in_b) == (["ada@a.example"], ["boole@b.example"])


def test_a_deactivated_member_is_not_seen(org_a: Organization) -> None:
    person = member(email="ada@a.example")
    with connection.platform():
        OrgMembership.objects.filter(user_id=person.user_id).update(
            status=MembershipStatus.DEACTIVATED
        )

    assert emails() == []


def test_an_organisation_sees_only_itself(org_a: Organization) -> None:
    assert list(Organization.objects.values_list("slug", flat=True)) == ["a"]
    assert list(OrganizationDomain.objects.values_list("domain", flat=True)) == ["a.localhost"]


def test_tenant_code_may_change_a_members_password(org_a: Organization) -> None:
    person = member()

    assert User.objects.filter(pk=person.user_id).update(password="x") == 1


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE users SET email = 'mallory@example.org'",
        "UPDATE users SET status = 'deactivated'",
        "DELETE FROM users",
        "UPDATE org_memberships SET org_role = 'owner'",
        "INSERT INTO org_memberships (id, organization_id, user_id, org_role, status)"
        " SELECT gen_random_uuid(), organization_id, user_id, 'owner', 'active'"
        " FROM org_memberships",
        "UPDATE organizations SET plan = 'enterprise'",
        "SELECT * FROM org_invitations",
        "SELECT * FROM user_roles",
        "SELECT * FROM platform_actions",
        "SELECT * FROM support_grants",
        "CREATE TABLE public.mine (id int)",
        "SET ROLE assay_owner",
    ],
)
def test_tenant_code_is_refused(forbidden: str, org_a: Organization) -> None:
    member()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(forbidden)


def test_a_session_row_cannot_be_written_for_another_organisation(
    org_a: Organization, org_b: Organization
) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        UserSession.objects.create(
            session_key="x" * 32,
            session_data="",
            expire_date="2030-01-01T00:00:00Z",
            organization_id=org_b.id,
            host="b.localhost",
        )


def test_platform_actions_are_append_only() -> None:
    with (
        connection.platform(),
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM platform_actions")
