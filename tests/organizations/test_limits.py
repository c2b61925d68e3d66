"""What a plan allows: read, refused where something is added, changed by the platform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.contacts.members import change_member, invite_member, join
from apps.contacts.models import Contact
from apps.contacts.plan_admin import in_bytes
from apps.contacts.selectors import principal_of
from apps.core.clock import now
from apps.core.models import StorageUsage
from apps.core.tenancy import connection, tenant_context
from apps.organizations.limits import PlanLimitReached
from apps.organizations.models import (
    Invitation,
    LimitName,
    MembershipStatus,
    Organization,
    OrganizationLimit,
    OrgMembership,
    OrgRole,
    PlanLimit,
    PlatformAction,
)
from apps.organizations.plans import LimitInvalid, agree_limit, forget_agreed_limit, set_plan
from apps.organizations.selectors import Seats, limit_of, limits_of, member_seats
from apps.organizations.services import add_member, invitation_token
from tests.clients import api, browser, problem_of
from tests.cohorts.threads import at_once
from tests.factories import NOON, member

pytestmark = pytest.mark.django_db


def allow(name: str, amount: int | Decimal | None) -> None:
    """Agree on a limit with the organisation in force."""
    organization_id = connection.tenant.id
    with connection.platform():
        agree_limit(
            organization_id=organization_id,
            name=name,
            amount=None if amount is None else Decimal(amount),
            reason="Tested",
            actor_id=None,
        )


def put_on(plan: str) -> None:
    organization_id = connection.tenant.id
    with connection.platform():
        set_plan(organization_id=organization_id, plan=plan, reason="Tested", actor_id=None)


def seats() -> Seats:
    organization_id = connection.tenant.id
    with connection.platform():
        return member_seats(organization_id, at=NOON)


def invite(owner: Contact, email: str, *, at: datetime = NOON) -> Invitation:
    principal = principal_of(
        contact=owner,
        user_id=owner.user_id,
        org_id=connection.tenant.id,
        org_role=OrgRole.OWNER,
    )
    return invite_member(
        email=email, org_role=OrgRole.LEARNER, principal=principal, actor=owner, at=at
    )


def accept(invitation: Invitation) -> User:
    token = invitation_token(invitation.id)
    return join(token=token, password="a long way home", display_name="Ada", at=NOON)


@contextmanager
def refused() -> Iterator[PlanLimitReached]:
    """Yield the refusal once the block has ended with it."""
    problem = PlanLimitReached()
    with pytest.raises(PlanLimitReached) as told, transaction.atomic():
        yield problem
    problem.extensions = told.value.extensions
    problem.detail = told.value.detail


# --- What is allowed ----------------------------------------------------------------------------


def test_limit_of_is_that_of_the_plan(org_a: Organization) -> None:
    found = {}
    for plan in ("free", "team", "enterprise"):
        put_on(plan)
        found[plan] = [limit_of(org_a, name) for name in LimitName.values]

    assert found == {
        "free": [Decimal(50), Decimal(10**9), Decimal(5)],
        "team": [Decimal(500), Decimal(50 * 10**9), Decimal(250)],
        "enterprise": [None, None, None],
    }


def test_limit_of_is_what_was_agreed_with_the_organisation(org_a: Organization) -> None:
    allow("ai_budget", Decimal("12.50"))
    allow("members", None)

    assert (limit_of(org_a, "ai_budget"), limit_of(org_a, "members")) == (Decimal("12.50"), None)
    assert [limit.is_own for limit in limits_of(org_a.id).values()] == [True, False, True]
    assert limit_of(org_a, "storage") == Decimal(10**9)


def test_limit_of_is_the_plans_again_once_the_agreement_is_forgotten(org_a: Organization) -> None:
    allow("members", 3)
    with connection.platform():
        forget_agreed_limit(organization_id=org_a.id, name="members", actor_id=None)

    assert limit_of(org_a, "members") == Decimal(50)


def test_limit_of_a_plan_that_says_nothing_is_none(org_a: Organization) -> None:
    with connection.platform():
        PlanLimit.objects.filter(plan="free", name="members").delete()

    assert limit_of(org_a, "members") is None


def test_limits_take_one_statement(org_a: Organization, django_assert_num_queries: Any) -> None:
    limits_of(org_a.id)

    with django_assert_num_queries(1):
        limits_of(org_a.id)


def test_an_organisation_sees_what_is_agreed_with_itself_only(
    org_a: Organization, org_b: Organization
) -> None:
    allow("members", 3)
    with tenant_context(org_b):
        in_b = limit_of(org_b, "members"), OrganizationLimit.objects.count()

    assert in_b == (Decimal(50), 0)
    assert limit_of(org_a, "members") == Decimal(3)


@pytest.mark.parametrize(
    "forbidden",
    [
        "UPDATE plan_limits SET amount = NULL",
        "UPDATE organization_limits SET amount = NULL",
        "DELETE FROM organization_limits",
        "INSERT INTO organization_limits (id, organization_id, name, reason)"
        " SELECT gen_random_uuid(), id, 'members', 'mine' FROM organizations",
    ],
)
def test_an_organisation_changes_no_limit(org_a: Organization, forbidden: str) -> None:
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        connection.cursor().execute(forbidden)


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("planlimit_not_negative", {"plan": "free", "name": "members", "amount": -1}),
        ("planlimit_known", {"plan": "gold", "name": "members", "amount": 1}),
        ("planlimit_known", {"plan": "free", "name": "cakes", "amount": 1}),
        ("planlimit_once_per_plan", {"plan": "team", "name": "members", "amount": 1}),
    ],
)
def test_the_database_refuses_a_plan_limit(rule: str, row: dict[str, object]) -> None:
    with connection.platform():
        PlanLimit.objects.filter(plan="free").delete()
        with pytest.raises(IntegrityError, match=rule), transaction.atomic():
            PlanLimit.objects.create(**row)


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("organizationlimit_not_negative", {"name": "members", "amount": -1, "reason": "x"}),
        ("organizationlimit_known", {"name": "cakes", "amount": 1, "reason": "x"}),
        ("organizationlimit_has_a_reason", {"name": "members", "amount": 1, "reason": ""}),
        ("organizationlimit_once_per_name", {"name": "storage", "amount": 1, "reason": "x"}),
    ],
)
def test_the_database_refuses_an_agreement(
    org_a: Organization, rule: str, row: dict[str, object]
) -> None:
    allow("storage", 1)
    with (
        connection.platform(),
        pytest.raises(IntegrityError, match=rule),
        transaction.atomic(),
    ):
        OrganizationLimit.objects.create(organization_id=org_a.id, **row)


# --- Members ------------------------------------------------------------------------------------


def test_invite_is_refused_when_members_and_invitations_fill_the_plan() -> None:
    owner = member(OrgRole.OWNER)
    allow("members", 3)
    member()
    invite(owner, "one@example.org")

    with refused() as problem:
        invite(owner, "two@example.org")

    assert problem.extensions == {"limit": "members", "allowed": 3, "used": 3, "plan": "free"}
    assert problem.detail.startswith("3 of 3 members are taken.")
    assert seats() == Seats(active=2, invited=1)


def test_invite_replaces_an_open_invitation_in_a_full_organisation() -> None:
    owner = member(OrgRole.OWNER)
    allow("members", 2)
    invite(owner, "one@example.org")

    again = invite(owner, "one@example.org")

    assert seats() == Seats(active=1, invited=1)
    accept(again)
    assert seats() == Seats(active=2, invited=0)


def test_an_invitation_that_is_over_holds_no_place() -> None:
    owner = member(OrgRole.OWNER)
    allow("members", 2)
    invite(owner, "old@example.org", at=NOON - timedelta(days=15))

    assert invite(owner, "two@example.org").email == "two@example.org"


def test_join_is_refused_when_the_plan_became_smaller() -> None:
    owner = member(OrgRole.OWNER)
    invitation = invite(owner, "one@example.org")
    allow("members", 1)

    with refused() as problem:
        accept(invitation)

    assert problem.extensions["used"] == 1
    with connection.platform():
        assert not User.objects.filter(email="one@example.org").exists()
    assert seats() == Seats(active=1, invited=1)


def test_add_member_is_refused_to_whoever_comes_without_an_invitation(org_a: Organization) -> None:
    member(OrgRole.OWNER)
    allow("members", 1)

    with connection.platform(), refused():
        stranger = User.objects.create_user("stranger@example.org")
        add_member(organization_id=org_a.id, user=stranger, org_role=OrgRole.LEARNER)

    assert seats().active == 1


def test_add_member_changes_the_role_of_a_member_of_a_full_organisation(
    org_a: Organization,
) -> None:
    person = member(OrgRole.LEARNER)
    allow("members", 1)

    with connection.platform():
        user = User.objects.get(pk=person.user_id)
        changed = add_member(organization_id=org_a.id, user=user, org_role=OrgRole.OWNER)

    assert (changed.org_role, seats().active) == ("owner", 1)


def test_a_deactivated_member_comes_back_only_where_there_is_room() -> None:
    owner, other = member(OrgRole.OWNER), member()
    principal = principal_of(
        contact=owner, user_id=owner.user_id, org_id=connection.tenant.id, org_role=OrgRole.OWNER
    )
    membership = OrgMembership.objects.get(user_id=other.user_id)
    change = partial(change_member, membership_id=membership.id, principal=principal, actor=owner)
    change(status=MembershipStatus.DEACTIVATED)
    allow("members", 1)

    with refused():
        change(status=MembershipStatus.ACTIVE)

    assert seats().active == 1
    allow("members", 2)
    assert change(status=MembershipStatus.ACTIVE).status == "active"


def test_what_is_above_a_smaller_plan_stays(org_a: Organization) -> None:
    people = [member(OrgRole.OWNER), member(), member()]
    allow("members", 1)

    assert seats().active == len(people)


def test_eight_invitations_at_once_never_exceed_the_plan(own_database: str) -> None:
    owner = member(OrgRole.OWNER)
    allow("members", 4)

    found = at_once(*(partial(invite, owner, f"person{n}@example.org") for n in range(8)))

    assert Counter(type(one) for one in found) == {Invitation: 3, PlanLimitReached: 5}
    assert seats() == Seats(active=1, invited=3)


def test_eight_who_join_at_once_never_exceed_the_plan(own_database: str) -> None:
    owner = member(OrgRole.OWNER)
    invitations = [invite(owner, f"person{n}@example.org") for n in range(8)]
    allow("members", 4)

    found = at_once(*(partial(accept, invitation) for invitation in invitations))

    assert Counter(type(one) for one in found) == {User: 3, PlanLimitReached: 5}
    assert seats().active == 4


# --- As people see it ---------------------------------------------------------------------------


def test_the_api_says_what_is_full() -> None:
    owner = member(OrgRole.OWNER)
    allow("members", 1)

    answer = api(owner).post("/v1/members/invite", {"email": "one@example.org"})

    assert problem_of(answer) == (402, "urn:assay:problem:plan-limit-reached")
    body = answer.json()
    assert (body["limit"], body["allowed"], body["used"]) == ("members", 1, 1)


def test_the_page_of_an_invitation_says_what_is_full() -> None:
    invitation = invite(member(OrgRole.OWNER), "one@example.org", at=now())
    allow("members", 1)

    answer = browser().post(
        f"/invitations/{invitation_token(invitation.id)}",
        {"display_name": "Ada", "password": "a long way home"},
    )

    assert answer.status_code == 402
    assert "1 of 1 members are taken" in answer.content.decode()


def test_the_form_says_what_is_full_and_keeps_what_was_typed() -> None:
    client = browser(member(OrgRole.OWNER))
    allow("members", 1)

    page = client.post(
        "/admin/organizations/orgmembership/add/",
        {"email": "one@example.org", "org_role": "learner"},
    )

    text = page.content.decode()
    assert page.status_code == 200
    assert page.context["form"].non_field_errors() == [
        "1 of 1 members are taken. Ask whoever runs the platform for a larger plan."
    ]
    assert 'value="one@example.org"' in text
    assert seats() == Seats(active=1, invited=0)


def test_the_list_of_members_says_how_many_there_may_be() -> None:
    owner = member(OrgRole.OWNER)
    invite(owner, "one@example.org", at=now())
    client = browser(owner)

    limited = client.get("/admin/organizations/orgmembership/").content.decode()
    allow("members", None)
    unlimited = client.get("/admin/organizations/orgmembership/").content.decode()

    assert "2 of 50 members, 1 of them invited." in limited
    assert "2 members, 1 of them invited; the plan has no limit." in unlimited


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("auditor", 200), ("instructor", 403), ("learner", 302)]
)
def test_the_page_of_the_plan_opens_for_who_may_see_it(role: str, status: int) -> None:
    assert browser(member(role)).get("/admin/organizations/planlimit/").status_code == status


def test_the_page_of_the_plan_tells_what_is_used() -> None:
    owner = member(OrgRole.OWNER)
    allow("members", 1)
    StorageUsage.objects.create(bytes=250_000_000)

    page = browser(owner).get("/admin/organizations/planlimit/")

    assert [line[1:] for line in page.context["lines"]] == [
        ("Members", "1", "1", "Tested"),
        ("Storage", "250 MB", "1 GB", None),
        ("AI budget this month", "$ 0.00", "$ 5.00", None),
    ]
    assert [line[0].is_full for line in page.context["lines"]] == [True, False, False]


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (10**9, "1 GB"),
        (50 * 10**9, "50 GB"),
        (123_456_789, "123 MB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_in_bytes_is_decimal(amount: int, words: str) -> None:
    assert in_bytes(amount) == words


# --- The platform changes them ------------------------------------------------------------------


def test_changes_leave_a_record(org_a: Organization) -> None:
    put_on("team")
    allow("storage", None)
    with connection.platform():
        forget_agreed_limit(organization_id=org_a.id, name="storage", actor_id=None)
        recorded = list(
            PlatformAction.objects.filter(organization_id=org_a.id)
            .order_by("recorded_at")
            .values_list("action", "details")
        )

    assert recorded == [
        ("plan.changed", {"before": "free", "after": "team", "reason": "Tested"}),
        ("limit.agreed", {"limit": "storage", "amount": None, "reason": "Tested"}),
        ("limit.forgotten", {"limit": "storage"}),
    ]


@pytest.mark.parametrize(
    ("name", "amount", "reason"),
    [("cakes", 1, "x"), ("members", -1, "x"), ("members", 10**18, "x"), ("members", 1, " ")],
)
def test_agree_limit_refuses_what_makes_no_sense(
    org_a: Organization, name: str, amount: int, reason: str
) -> None:
    with connection.platform(), pytest.raises(LimitInvalid):
        agree_limit(
            organization_id=org_a.id,
            name=name,
            amount=Decimal(amount),
            reason=reason,
            actor_id=None,
        )


def told(*words: str, **options: str) -> str:
    """Return what `manage.py plan` prints; the command leaves the organisation in force."""
    printed, tenant = StringIO(), connection.tenant
    try:
        call_command("plan", *words, stdout=printed, **options)
    finally:
        connection.set_tenant(tenant)
    return printed.getvalue()


def test_the_command_shows_and_changes(org_a: Organization) -> None:
    shown = told("--organization", "a")
    changed = told(
        *("--organization", "a", "--set", "team", "--limit", "members=12"),
        *("--limit", "ai_budget=none", "--reason", "Pilot"),
    )
    back = told("--organization", "a", "--limit", "members=plan")

    assert shown.splitlines() == [
        "members: 50.00 (logins; plan free)",
        "storage: 1000000000.00 (bytes; plan free)",
        "ai_budget: 5.00 (US dollars a month; plan free)",
    ]
    assert changed.splitlines() == [
        "members: 12.00 (logins; agreed)",
        "storage: 50000000000.00 (bytes; plan team)",
        "ai_budget: no limit (US dollars a month; agreed)",
    ]
    assert back.splitlines()[0] == "members: 500.00 (logins; plan team)"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--organization", "nobody"), "no organisation 'nobody'"),
        (("--organization", "a", "--limit", "members=many"), "'many' is no amount"),
        (("--organization", "a", "--limit", "members=NaN"), "'NaN' is no amount"),
        (("--organization", "a", "--limit", "cakes=1"), "“cakes” is no limit"),
        (("--organization", "a", "--limit", "members=1"), "Say why"),
    ],
)
def test_the_command_refuses(org_a: Organization, words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        told(*words)

    assert limit_of(org_a, "members") == Decimal(50)
