"""Work that is owed gets done: once for many asks, again after a failure, parked at last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from apps.core import outbox
from apps.core.clock import now
from apps.core.models import OutboxMessage

pytestmark = pytest.mark.django_db

calls: list[tuple[str, list[dict[str, Any]]]] = []


def note(key: str, payloads: list[dict[str, Any]]) -> None:
    calls.append((key, payloads))


def fail(key: str, payloads: list[dict[str, Any]]) -> None:
    OutboxMessage.objects.create(topic="half done", key=key)
    raise RuntimeError("no luck")


def go_on(key: str, payloads: list[dict[str, Any]]) -> None:
    """Owe the next number, as a step of a pipeline does."""
    calls.append((key, payloads))
    if int(key):
        outbox.owe("go on", str(int(key) - 1))


OUTBOX_HANDLERS = {"note": note, "fail": fail, "go on": go_on}


@pytest.fixture(autouse=True)
def _wiring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "WIRING", __name__)
    calls.clear()


def test_deliver_works_once_for_many_asks() -> None:
    for number in range(3):
        outbox.owe("note", "k", {"n": number})
    outbox.owe("note", "other")

    settled = outbox.deliver("note", "k")

    assert (settled, calls) == (3, [("k", [{"n": 0}, {"n": 1}, {"n": 2}])])
    assert list(OutboxMessage.objects.values_list("key", flat=True)) == ["other"]


def test_deliver_with_nothing_owed_does_nothing() -> None:
    assert (outbox.deliver("note", "k"), calls) == (0, [])


def test_deliver_leaves_what_is_not_due_yet() -> None:
    outbox.owe("note", "k", available_at=now() + timedelta(hours=1))

    assert (outbox.deliver("note", "k"), calls) == (0, [])


def test_deliver_after_a_failure_puts_back_and_rolls_back() -> None:
    outbox.owe("fail", "k")

    outbox.deliver("fail", "k")

    message = OutboxMessage.objects.get()
    assert (message.attempts, message.last_error, message.parked_at) == (
        1,
        "RuntimeError: no luck",
        None,
    )
    assert message.available_at > now()


def test_deliver_parks_after_the_last_attempt() -> None:
    outbox.owe("fail", "k")
    OutboxMessage.objects.update(attempts=settings.OUTBOX_MAX_ATTEMPTS - 1)

    outbox.deliver("fail", "k")

    message = OutboxMessage.objects.get()
    assert message.parked_at is not None
    assert outbox.deliver("fail", "k") == 0


def test_deliver_with_next_steps_goes_on_with_what_it_owes(own_database: str) -> None:
    with transaction.atomic():
        outbox.owe("go on", "3")

    assert outbox.deliver_with_next_steps("go on", "3") == 4
    assert [key for key, _payloads in calls] == ["3", "2", "1", "0"]
    assert not OutboxMessage.objects.exists()


def test_deliver_with_next_steps_sends_for_what_is_too_much(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction.atomic():
        outbox.owe("go on", "100")
    sent: list[tuple[str, str, str]] = []
    monkeypatch.setattr(outbox.courier, "take", lambda *message: sent.append(message))

    assert outbox.deliver_with_next_steps("go on", "100") == outbox.MOST_STEPS
    left = str(100 - outbox.MOST_STEPS)
    assert [message[1:] for message in sent] == [("go on", left)]
    assert [message.key for message in OutboxMessage.objects.all()] == [left]


def test_retry_makes_a_parked_message_due_again() -> None:
    OutboxMessage.objects.create(topic="note", key="k", parked_at=now(), attempts=8)

    outbox.retry(list(OutboxMessage.objects.all()))

    assert (outbox.deliver("note", "k"), calls) == (1, [("k", [{}])])


@pytest.mark.parametrize(("attempts", "lowest", "highest"), [(1, 1.5, 2.5), (20, 675, 1125)])
def test_backoff_doubles_within_bounds(attempts: int, lowest: float, highest: float) -> None:
    assert outbox.backoff(attempts, 0.0).total_seconds() == lowest
    assert outbox.backoff(attempts, 1.0).total_seconds() == highest
