"""Cohorts and programs ask the apps above some questions; here the tests answer them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from apps.cohorts import ports
from apps.core.ports import OPEN, Gate, Port
from apps.core.versions import PublicationProblem
from apps.programs import ports as programs_ports

Answer = Callable[[Port, Callable], None]


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Every program is ready, every item placed and open, until a test says otherwise."""

    def bind(port: Port, answer: Callable) -> None:
        monkeypatch.setattr(port, "_answer", answer)

    def is_ready(program_version_id: UUID) -> bool:
        return True

    def are_open(asked: Mapping[UUID, Collection[UUID]]) -> dict[UUID, dict[UUID, Gate]]:
        return {one: dict.fromkeys(items, OPEN) for one, items in asked.items()}

    def no_problem(course_version_id: UUID) -> list[PublicationProblem]:
        return []

    bind(ports.program_is_ready, is_ready)
    bind(ports.may_open_items, are_open)
    bind(programs_ports.publication_checks, no_problem)
    return bind


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Path:
    """Where files go that are kept."""
    settings.MEDIA_ROOT = tmp_path / "objects"
    return tmp_path / "objects"
