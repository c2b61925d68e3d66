"""How much CPU time an answer may take on the machine and at the moment of the test.

A limit is stated for a quiet machine; benchmarks hold to it. Tests only tell an answer from a
hang: they scale the limit by how slow this machine is right now, and no further.
"""

from __future__ import annotations

from time import process_time

QUIET_SECONDS = 0.02


def pace() -> float:
    """Return how many times slower than a quiet machine this one runs a fixed loop, at least 1."""
    started = process_time()
    total = 0
    for number in range(400_000):
        total += number & 7
    return max(1.0, (process_time() - started) / QUIET_SECONDS)


def allowed(seconds: float) -> float:
    """Return the CPU seconds after which an answer that should take `seconds` counts as a hang."""
    return seconds * pace()
