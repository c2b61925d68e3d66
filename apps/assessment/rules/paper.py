"""The order in which an attempt shows its items and options, rebuilt from the seed alone.

A keyed hash orders them, not a random generator: the same seed gives the same paper in any
version of Python, years later.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol, TypeVar

from apps.assessment.questions.items import ItemSpec, Option


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


K = TypeVar("K", bound=Keyed)


def shuffled(things: Sequence[K], *, seed: str, salt: str = "") -> list[K]:
    """Return `things` in the order that `seed` gives; `salt` tells the lists of one paper apart."""
    return sorted(things, key=lambda thing: sha256(f"{seed}|{salt}|{thing.key}".encode()).digest())


def item_order(items: Sequence[ItemSpec], *, seed: str, shuffle: bool) -> list[ItemSpec]:
    """Return the items of an attempt in the order it shows them."""
    in_position = sorted(items, key=lambda item: (item.position, item.key))
    return shuffled(in_position, seed=seed) if shuffle else in_position


def option_order(
    item: ItemSpec, options: Sequence[Option], *, seed: str, shuffle: bool
) -> list[Option]:
    """Return the options of one item in the order an attempt shows them."""
    return shuffled(options, seed=seed, salt=item.key) if shuffle else list(options)
