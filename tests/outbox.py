"""Working what is owed, in the test's own process."""

from __future__ import annotations

from django.db.models import Q

from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.core.outbox import deliver


class Undelivered(AssertionError):
    """A handler failed; the message tells how."""


def drain(*topics: str) -> int:
    """Deliver everything owed in this organisation (of these topics) and return the runs.

    A handler's failure fails the test instead of being put back for later.
    """
    runs = 0
    while True:
        # What failed waits for its next try, but is not what somebody owes at a later date.
        due = Q(available_at__lte=now()) | ~Q(last_error="")
        owed = OutboxMessage.objects.filter(due).order_by("id")
        if topics:
            owed = owed.filter(topic__in=topics)
        message = owed.first()
        if message is None:
            return runs
        if message.last_error:
            raise Undelivered(f"{message.topic} {message.key}: {message.last_error}")
        deliver(message.topic, message.key)
        runs += 1
