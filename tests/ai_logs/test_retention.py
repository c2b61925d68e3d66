"""Retention by policy: old texts go, the log stays, and it says why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from apps.ai_logs.models import (
    AiErasure,
    AiInteraction,
    AiInteractionCost,
    AiRetentionPolicy,
    AiSession,
    AiSessionKey,
)
from apps.ai_logs.selectors.conversations import State, erased_by, reconstruct
from apps.ai_logs.selectors.retention import due_sessions, retention_cutoff
from apps.ai_logs.services import retention
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.retention import RETENTION, erase_due, owe_retention, set_retention
from apps.ai_logs.services.sessions import end_session
from apps.ai_logs.tasks import owe_what_policies_ask
from apps.ai_logs.vocabulary import Rating
from apps.contacts.models import AdminAction, Contact
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.outbox import deliver
from apps.organizations.models import OrgRole
from tests.ai_logs.factories import NOON, answered, conversation, record, session
from tests.clients import browser
from tests.factories import contact, member

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=400)


@pytest.fixture
def owner() -> Contact:
    return member(OrgRole.OWNER, name="Owner")


def owed() -> int:
    return OutboxMessage.objects.filter(topic=RETENTION).count()


def test_the_database_refuses_days_beyond_a_century(owner: Contact) -> None:
    for days in (0, 36_501):
        with pytest.raises(IntegrityError), transaction.atomic():
            AiRetentionPolicy.objects.create(days=days, actor=owner)


def test_a_policy_is_never_unsaid(owner: Contact) -> None:
    policy = set_retention(days=30, actor=owner)

    for statement in (
        "UPDATE ai_retention_policies SET days = 1",
        "DELETE FROM ai_retention_policies",
    ):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)
    assert AiRetentionPolicy.objects.get() == policy


def test_the_newest_policy_counts(owner: Contact) -> None:
    assert retention_cutoff(at=LATER) is None
    set_retention(days=30, actor=owner)
    assert retention_cutoff(at=LATER) == LATER - timedelta(days=30)
    set_retention(days=None, actor=owner)
    assert retention_cutoff(at=LATER) is None
    actions = AdminAction.objects.filter(action="airetentionpolicy.set").order_by("id")
    assert [one.details for one in actions] == [
        {"before": None, "days": 30},
        {"before": 30, "days": None},
    ]


def test_old_texts_are_destroyed_and_the_log_says_by_policy(owner: Contact, store: Path) -> None:
    old = conversation()
    names = [content.object_name for content in old.contents.all()]
    log = list(AiInteraction.objects.values()), list(AiInteractionCost.objects.values())
    set_retention(days=30, actor=owner)

    deliver(RETENTION, "policy")
    deliver("ai_logs.remove_objects", str(old.id))

    assert not AiSessionKey.objects.filter(session=old).exists()
    assert not any((store / name).exists() for name in names)
    assert (list(AiInteraction.objects.values()), list(AiInteractionCost.objects.values())) == log
    found = reconstruct(AiSession.objects.get(pk=old.pk))
    assert {line.kept.state for line in found.lines} == {State.ERASED}
    assert found.erasure is not None
    assert (found.erasure.reason, found.erasure.actor, found.erasure.contents) == (
        "retention",
        None,
        2,
    )
    assert erased_by(found.erasure)[0] == "the organisation's retention policy"
    assert AdminAction.objects.get(action="aisession.erased").entity_id == old.id
    assert erase_due(at=LATER) == 0


def test_what_is_young_flagged_or_going_on_stays() -> None:
    cutoff = now() - timedelta(days=30)
    young = conversation(started_at=cutoff + timedelta(days=1))
    going_on = conversation()
    record(going_on.id, answered("Still here.", occurred_at=now()))
    ended_lately = conversation()
    end_session(session=ended_lately, at=now())
    flagged = conversation()
    answer = flagged.interactions.get(role="assistant")
    give_feedback(interaction=answer, contact=contact(), rating=Rating.FLAG)
    old = conversation()

    assert list(due_sessions(cutoff)) == [old]
    assert young not in due_sessions(cutoff)


def test_a_message_dated_in_the_future_is_as_old_as_its_arrival() -> None:
    made = conversation()
    record(made.id, answered("Later", occurred_at=datetime.fromisoformat("2999-01-01T00:00:00Z")))

    assert list(due_sessions(now() + timedelta(days=1))) == [made]


def test_batches_owe_the_rest(owner: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(3):
        session()
    set_retention(days=30, actor=owner)

    deliver(RETENTION, "policy")
    assert (AiErasure.objects.count(), owed()) == (2, 1)
    deliver(RETENTION, "policy")
    assert (AiErasure.objects.count(), owed()) == (3, 0)


def test_a_batch_takes_as_many_statements_for_two_as_for_twenty(
    owner: Contact, count_statements: Callable[[Callable[[], Any]], int]
) -> None:
    set_retention(days=30, actor=owner)
    for _ in range(2):
        conversation()
    few = count_statements(lambda: erase_due(at=LATER))
    for _ in range(20):
        conversation()

    assert count_statements(lambda: erase_due(at=LATER)) == few
    assert AiErasure.objects.count() == 22


def test_beat_owes_only_where_a_policy_asks_for_it(owner: Contact) -> None:
    tenant = connection.tenant
    conversation()
    assert owe_retention(at=LATER) is False
    set_retention(days=30, actor=owner)
    OutboxMessage.objects.filter(topic=RETENTION).delete()

    assert owe_what_policies_ask() == 1
    connection.set_tenant(tenant)
    assert owed() == 1


# --- Back office --------------------------------------------------------------------------------

ADD = "admin:ai_logs_airetentionpolicy_add"
LIST = "admin:ai_logs_airetentionpolicy_changelist"


def test_an_owner_sets_the_policy_after_being_told_what_it_destroys(owner: Contact) -> None:
    conversation()
    client = browser(owner)

    asked = client.post(reverse(ADD), {"days": "30"})
    assert (asked.status_code, AiRetentionPolicy.objects.count()) == (200, 0)
    assert b"The texts of 1 conversation are older" in asked.content

    done = client.post(reverse(ADD), {"days": "30", "is_sure": "on"})
    assert done.url == reverse(LIST)
    assert (AiRetentionPolicy.objects.get().days, owed()) == (30, 1)
    assert b"destroyed 30 days after" in client.get(done.url).content


@pytest.mark.parametrize("days", ["0", "-1", "36501", "soon"])
def test_days_that_make_no_sense_are_refused(owner: Contact, days: str) -> None:
    page = browser(owner).post(reverse(ADD), {"days": days, "is_sure": "on"})

    assert set(page.context["form"].errors) == {"days"}
    assert AiRetentionPolicy.objects.count() == 0


@pytest.mark.parametrize("role", [OrgRole.ADMIN, OrgRole.AUDITOR])
def test_others_see_the_policy_and_can_not_set_it(role: str) -> None:
    client = browser(member(role))

    assert client.get(reverse(LIST)).status_code == 200
    assert client.post(reverse(ADD), {"days": "30", "is_sure": "on"}).status_code == 403
    assert AiRetentionPolicy.objects.count() == 0
