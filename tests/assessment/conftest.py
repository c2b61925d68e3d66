"""Assessment asks the apps above one question; here the tests answer it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from apps.assessment import ports
from apps.core.ports import OPEN, Gate

Unlock = Callable[[Gate], None]


@pytest.fixture(autouse=True)
def gate(monkeypatch: pytest.MonkeyPatch) -> Unlock:
    """Every assessment is unlocked, until a test calls this with another gate."""

    def answer(gate: Gate) -> None:
        def may_start(enrollment_id: UUID, template_id: UUID) -> Gate:
            return gate

        monkeypatch.setattr(ports.may_start, "_answer", may_start)

    answer(OPEN)
    return answer
