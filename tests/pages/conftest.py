"""The pages ask requirements whether something is open; here they ask them as in production."""

from __future__ import annotations

import pytest

from apps.assessment import ports as assessment
from apps.cohorts import ports as cohorts
from apps.requirements.selectors import gates


@pytest.fixture(autouse=True)
def _gates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assessment.may_start, "_answer", gates.may_start)
    monkeypatch.setattr(cohorts.may_open_item, "_answer", gates.may_open_item)
