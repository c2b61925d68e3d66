"""Waiting for processes that are nobody's child here."""

import os
import select


def wait_for_end(pid: int) -> None:
    """Return when the process has ended; fails when it has not after 20 seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(20_000), f"process {pid} is still alive"
    finally:
        os.close(descriptor)
