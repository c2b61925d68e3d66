"""What assessment asks of the apps above; `config.wiring` binds the answers."""

from __future__ import annotations

from uuid import UUID

from apps.core.ports import Gate, Port

may_start: Port[[UUID, UUID], Gate] = Port("assessment.may_start")
"""Given an enrolment's and a template's id: whether the learner may start an attempt."""
