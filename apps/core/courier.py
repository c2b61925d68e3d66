"""Carries messages to the broker beside the request: no answer waits for a broker that is gone.

A message lost here is lost to nobody: the row in the outbox is the record, and the sweeper sends
for it again.
"""

from __future__ import annotations

import logging
import os
import queue
import threading

from celery import current_app

log = logging.getLogger(__name__)

DELIVER = "core.deliver"
MOST_WAITING = 10_000

Message = tuple[str, str, str]


class Courier:
    """One thread of this process that sends; begun with the first message, anew after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._waiting: queue.Queue[Message] = queue.Queue()

    def take(self, schema: str, topic: str, key: str) -> None:
        """Send for (topic, key) soon, and return at once; with too many waiting, drop it."""
        self._begin()
        try:
            self._waiting.put_nowait((schema, topic, key))
        except queue.Full:
            log.warning("broker too slow, left to the sweeper", extra={"topic": topic, "key": key})

    def _begin(self) -> None:
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._waiting = queue.Queue(maxsize=MOST_WAITING)
                self._pid = os.getpid()
                threading.Thread(
                    target=self._work, args=(self._waiting,), name="courier", daemon=True
                ).start()

    def _work(self, waiting: queue.Queue[Message]) -> None:
        while True:
            message = waiting.get()
            try:
                send(*message)
            except Exception as error:  # noqa: BLE001 - whatever a broker's client raises
                log.warning("broker not reached, left to the sweeper", extra={"error": repr(error)})


def send(schema: str, topic: str, key: str) -> None:
    """Ask a worker to deliver (topic, key); raises what the broker's client raises."""
    current_app.send_task(DELIVER, args=[schema, topic, key], retry=False, ignore_result=True)


courier = Courier()
