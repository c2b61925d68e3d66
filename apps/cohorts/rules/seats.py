"""Who gets a seat."""

from __future__ import annotations


def free_seats(*, capacity: int | None, taken: int) -> int | None:
    """Return how many seats are left, None for no limit. A lowered capacity unseats nobody."""
    return None if capacity is None else max(capacity - taken, 0)


def seated(*, wanting: int, capacity: int | None, taken: int) -> int:
    """Return how many of `wanting` people, in their order, get a seat now."""
    free = free_seats(capacity=capacity, taken=taken)
    return wanting if free is None else min(wanting, free)
