"""Loading one organisation: once, whole or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.contacts.models import AdminAction, Contact
from apps.contacts.services import record_admin_action
from apps.core.models import OutboxMessage
from apps.core.outbox import owe
from apps.demo.content import ORGANIZATIONS
from apps.demo.groups import DemoBroken, moment
from apps.demo.loading import LOADED, NotEmpty, is_loaded, load, work_what_is_owed
from apps.demo.people import SIGN_IN_WITH, found, open_accounts, welcome
from apps.organizations.models import OrgMembership
from apps.programs.models import Program
from tests.factories import NOON, contact
from tests.outbox import drain

pytestmark = pytest.mark.django_db
PLAN = ORGANIZATIONS[0]


class Interrupted(BaseException):
    """Ctrl-C in the middle of it."""


def interrupt(line: str) -> None:
    if line.startswith("program"):
        raise Interrupted


def test_load_leaves_nothing_behind_when_interrupted() -> None:
    open_accounts(member.email for member in PLAN.members)
    actions = AdminAction.objects.count()

    with pytest.raises(Interrupted):
        load(PLAN, now=NOON, drain=True, say=interrupt)

    assert (Contact.objects.count(), Program.objects.count()) == (0, 0)
    assert (AdminAction.objects.count(), is_loaded()) == (actions, False)
    assert not OrgMembership.objects.exists()


def test_load_twice_changes_nothing() -> None:
    record_admin_action(actor=None, action=LOADED)

    load(PLAN, now=NOON, drain=True, say=interrupt)

    assert (is_loaded(), Contact.objects.count()) == (True, 0)


def test_load_refuses_an_organisation_that_others_have_filled() -> None:
    contact("Ada")

    with pytest.raises(NotEmpty):
        load(PLAN, now=NOON, drain=True, say=interrupt)

    assert not Program.objects.exists()


def test_welcome_makes_members_who_can_sign_in() -> None:
    open_accounts(member.email for member in PLAN.members)
    owner = found(PLAN.members[0], at=NOON)

    joined = welcome(PLAN.members[1:], owner=owner, at=NOON)

    memberships = OrgMembership.objects.select_related("user").order_by("created_at")
    assert [(m.user.email, m.org_role, m.status) for m in memberships] == [
        (member.email, member.role, "active") for member in PLAN.members
    ]
    assert [person.display_name for person in joined] == [m.name for m in PLAN.members[1:]]
    assert all(m.user.check_password(SIGN_IN_WITH) for m in memberships[:2])
    drain()
    with_owner = [owner, *joined]
    assert len({person.user_id for person in with_owner}) == len(PLAN.members)


def test_open_accounts_keeps_an_account_that_is_there() -> None:
    open_accounts(["ada@example.org"])
    found(PLAN.members[0].__class__("ada@example.org", "Ada", "owner", ""), at=NOON)
    before = OrgMembership.objects.select_related("user").get().user.password

    open_accounts(["ada@example.org", "boole@example.org"])

    assert OrgMembership.objects.select_related("user").get().user.password == before


def test_work_what_is_owed_says_what_cannot_be_worked() -> None:
    owe("learner.advance", "no-such-enrolment")

    with pytest.raises(DemoBroken, match=r"learner\.advance no-such-enrolment"):
        work_what_is_owed()


def test_work_what_is_owed_leaves_what_is_not_due() -> None:
    owe("learner.advance", "later", available_at=datetime(2999, 1, 1, tzinfo=UTC))

    assert work_what_is_owed() == 0
    assert OutboxMessage.objects.count() == 1


def test_moment_is_an_hour_of_the_wall_clock_in_utc() -> None:
    winter = datetime(2026, 3, 2, 12, tzinfo=UTC)

    found_ = [moment(winter, "Europe/Berlin", days, 9) for days in (0, 27, -0.5)]

    assert found_ == [
        datetime(2026, 3, 2, 8, tzinfo=UTC),
        datetime(2026, 3, 29, 7, tzinfo=UTC),
        datetime(2026, 3, 1, 20, tzinfo=UTC),
    ]
    assert {one.tzinfo for one in found_} == {UTC}
