"""The apps below ask what requirements answer; here it is really asked."""

from __future__ import annotations

import pytest

from apps.assessment import ports as assessment_ports
from apps.cohorts import ports as cohorts_ports
from apps.requirements.selectors.gates import may_open_items_of, may_start
from apps.requirements.selectors.versions import program_is_ready


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bind the ports as the wiring does."""
    monkeypatch.setattr(assessment_ports.may_start, "_answer", may_start)
    monkeypatch.setattr(cohorts_ports.may_open_items, "_answer", may_open_items_of)
    monkeypatch.setattr(cohorts_ports.program_is_ready, "_answer", program_is_ready)
