"""Questions that a lower app asks and an upper app answers; `config.wiring` binds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class UnboundPort(RuntimeError):
    """The wiring forgot a port: a fault of the program, never of a request."""


class Port(Generic[P, R]):
    """A function whose body lives in an upper app."""

    def __init__(self, name: str, *, default: Callable[P, R] | None = None) -> None:
        self.name = name
        self._answer = default

    def bind(self, answer: Callable[P, R]) -> None:
        self._answer = answer

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._answer is None:
            raise UnboundPort(self.name)
        return self._answer(*args, **kwargs)


@dataclass(frozen=True)
class Gate:
    """Whether something is open to a learner and, where it is not, why (a code and a sentence)."""

    allowed: bool
    code: str = ""
    reason: str = ""


OPEN = Gate(allowed=True)
