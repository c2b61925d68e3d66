"""What an organisation used in a month, and the export of it."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.ai_logs.models import AiInteraction, AiInteractionCost
from apps.cohorts.models import AttendanceStatus
from apps.cohorts.services import enroll
from apps.contacts.models import Contact
from apps.contacts.services import merge_contacts
from apps.core.models import StoredObject
from apps.core.revisions import append_revision
from apps.core.tenancy import connection
from apps.organizations.models import (
    MembershipStatus,
    Organization,
    OrgMembership,
    PlatformAction,
)
from apps.organizations.services import record_platform_action
from apps.reporting.selectors.usage import (
    Month,
    active_learners,
    active_members,
    ai_cost,
    stored_bytes,
    usage_of,
)
from tests.ai_logs.factories import conversation
from tests.cohorts.factories import NOON, open_cohort, person
from tests.credentials.factories import world
from tests.factories import member
from tests.requirements.factories import attend, complete_item, sessions_of

pytestmark = pytest.mark.django_db

MARCH = Month(date(2026, 3, 1))
DAY = timedelta(days=1)


def test_a_month_begins_and_ends_in_utc() -> None:
    december = Month(date(2026, 12, 1))

    assert (december.start, december.end) == (
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert [str(month) for month in (MARCH.before, Month(date(2026, 1, 1)).before, december)] == [
        "2026-02",
        "2025-12",
        "2026-12",
    ]


# --- Members ------------------------------------------------------------------------------------


def membership(*, since: datetime, status: str = MembershipStatus.ACTIVE) -> OrgMembership:
    """Return the membership of somebody new, as old as is wanted."""
    person_ = member()
    with connection.platform():
        rows = OrgMembership.objects.filter(user_id=person_.user_id)
        rows.update(created_at=since, status=status)
        return rows.get()


def changed(row: OrgMembership, before: str, after: str) -> datetime:
    """Record a change of status as `change_member` does; return when."""
    organization_id = connection.tenant.id
    with connection.platform():
        record_platform_action(
            action="member.changed",
            organization_id=organization_id,
            actor_id=None,
            details={
                "user": str(row.user_id),
                "before": {"org_role": "learner", "status": before},
                "after": {"org_role": "learner", "status": after},
            },
        )
        return PlatformAction.objects.latest("recorded_at").recorded_at


def test_members_are_those_who_were_active_then(org_a: Organization) -> None:
    active, left = MembershipStatus.ACTIVE, MembershipStatus.DEACTIVATED
    membership(since=NOON)
    gone = membership(since=NOON, status=left)
    back = membership(since=NOON)
    membership(since=NOON, status=MembershipStatus.INVITED)
    leaving = changed(gone, active, left)
    away = changed(back, active, left)
    returning = changed(back, left, active)
    tick = timedelta(microseconds=1)

    assert [
        active_members(org_a.id, at=moment)
        for moment in (
            NOON,
            NOON + DAY,
            leaving,
            leaving + tick,
            away + tick,
            returning,
            returning + tick,
        )
    ] == [0, 3, 3, 2, 1, 1, 2]


def test_members_of_others_do_not_count(org_a: Organization, org_b: Organization) -> None:
    membership(since=NOON)

    assert active_members(org_b.id, at=NOON + DAY) == 0


def test_who_joined_again_was_away_before(org_a: Organization) -> None:
    row = membership(since=NOON)
    with connection.platform():
        record_platform_action(
            action="member.joined", organization_id=org_a.id, actor_id=row.user_id
        )
        joined = PlatformAction.objects.latest("recorded_at").recorded_at

    assert active_members(org_a.id, at=joined) == 0
    assert active_members(org_a.id, at=joined + DAY) == 1
    with connection.platform():
        assert User.objects.filter(pk=row.user_id).exists()


# --- Learners -----------------------------------------------------------------------------------


def test_learners_are_those_who_learned_in_the_month() -> None:
    cohort = open_cohort()
    names = ("Ada", "Bob", "Cem", "Dora", "Eve")
    ada, bob, cem, dora, _eve = (
        enroll(cohort=cohort, contact=person(name), actor=None, at=NOON) for name in names
    )
    complete_item(ada, "welcome", at=MARCH.start)
    complete_item(ada, "rules", at=NOON)
    complete_item(bob, "welcome", at=MARCH.end)
    complete_item(cem, "welcome", at=MARCH.start - timedelta(seconds=1))
    [session] = sessions_of(dora, 1)
    attend(dora, session, AttendanceStatus.LATE, by=person("Registrar"))
    attend(bob, session, AttendanceStatus.ABSENT, by=person("Second"))

    assert (active_learners(MARCH), active_learners(MARCH.before)) == (2, 1)


def test_somebody_with_aliases_learned_once() -> None:
    cohort = open_cohort()
    ada, alias = (
        enroll(cohort=cohort, contact=person(name), actor=None, at=NOON)
        for name in ("Ada", "Alias")
    )
    for enrollment in (ada, alias):
        complete_item(enrollment, "welcome")
    merge_contacts(source=alias.contact, into=ada.contact, actor=None)

    assert active_learners(MARCH) == 1
    assert Contact.objects.filter(merged_into=ada.contact).exists()


# --- The other meters ---------------------------------------------------------------------------


def test_storage_is_what_was_kept_when_the_month_ended() -> None:
    for name, size, stored_at, removed_at in (
        ("kept", 1, NOON, None),
        ("removed-later", 10, NOON, MARCH.end),
        ("removed-before", 100, NOON, MARCH.end - DAY),
        ("later", 1000, MARCH.end, None),
    ):
        StoredObject.objects.create(
            name=name, bytes=size, stored_at=stored_at, removed_at=removed_at
        )

    assert (stored_bytes(at=MARCH.end), stored_bytes(at=NOON)) == (11, 0)


def test_ai_cost_is_by_the_prices_that_count_now() -> None:
    conversation()
    conversation(started_at=NOON)
    calls = list(AiInteraction.objects.filter(costs__isnull=False).order_by("id"))
    for call, amount in zip(calls, ("1.25", "0.5"), strict=True):
        reprice(call, amount)

    assert ai_cost(MARCH) == (Decimal("1.7500"), 0)
    assert ai_cost(MARCH.before) == (Decimal("0.0000"), 0)
    reprice(calls[0], None)
    assert ai_cost(MARCH) == (Decimal("0.5000"), 1)


def reprice(call: AiInteraction, amount: str | None) -> None:
    """Add a revision of what a call cost; None: its price is not known."""
    known = AiInteractionCost.objects.filter(interaction=call).latest("revision")
    told: dict[str, Any] = (
        {"unpriced_because": known._meta.get_field("unpriced_because").choices[0][0]}  # type: ignore[index]
        if amount is None
        else {"amount": Decimal(amount), "currency": "USD"}
    )
    append_revision(AiInteractionCost, expected=known.revision, interaction=call, **told)


def test_usage_counts_awards_and_attempts_of_the_month(org_a: Organization) -> None:
    world().awarded()

    used = usage_of(org_a, MARCH)

    assert (used.organization, used.plan, used.month) == ("a", "free", "2026-03")
    assert (used.awards, used.attempts, used.active_learners) == (1, 1, 1)
    before = usage_of(org_a, MARCH.before)
    assert (before.awards, before.attempts, before.active_learners) == (0, 0, 0)


# --- The export ---------------------------------------------------------------------------------


def exported(*words: str) -> str:
    """Return what the command prints; it leaves the organisation in force."""
    printed, tenant = StringIO(), connection.tenant
    try:
        call_command("export_usage", *words, stdout=printed)
    finally:
        connection.set_tenant(tenant)
    return printed.getvalue()


def test_export_is_a_row_for_each_organisation_in_order() -> None:
    complete_item(
        enroll(cohort=open_cohort(), contact=person("Ada"), actor=None, at=NOON), "welcome"
    )

    told = exported("--month", "2026-03")

    rows = list(csv.DictReader(StringIO(told)))
    assert [(row["organization"], row["month"], row["active_learners"]) for row in rows] == [
        ("a", "2026-03", "1"),
        ("b", "2026-03", "0"),
    ]
    assert list(rows[1].values()) == ["b", "free", "2026-03", "0", "0", "0", "0.0000", *"000"]
    assert exported("--month", "2026-03") == told


def test_export_as_json_of_one_organisation_into_a_file(tmp_path: Path) -> None:
    file = tmp_path / "usage.json"

    printed = exported(
        *("--month", "2026-03", "--organization", "b", "--format", "json"),
        *("--output", str(file)),
    )

    assert printed == ""
    assert json.loads(file.read_text()) == [
        {
            "organization": "b",
            "plan": "free",
            "month": "2026-03",
            "active_members": 0,
            "active_learners": 0,
            "storage_bytes": 0,
            "ai_cost_usd": "0.0000",
            "ai_calls_unpriced": 0,
            "awards": 0,
            "attempts": 0,
        }
    ]


def test_export_without_a_month_is_of_the_last_one_that_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
    monkeypatch.setattr("apps.reporting.management.commands.export_usage.now", lambda: moment)

    assert exported().splitlines()[1].startswith("a,free,2025-12,")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--month", "2026-13"), "no month"),
        (("--month", "March"), "no month"),
        (("--month", "0000-01"), "no month"),
        (("--month", "2999-01"), "has not begun"),
        (("--organization", "nobody"), "no organisation 'nobody'"),
        (("--output", "/nowhere/usage.csv"), "can't be written"),
    ],
)
def test_export_refuses(words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        exported(*words)
