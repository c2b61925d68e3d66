"""What cohorts ask of the apps above; `config.wiring` binds the answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from apps.core.ports import Gate, Port

program_is_ready: Port[[UUID], bool] = Port("cohorts.program_is_ready")
"""Given a program version's id: whether it has a published progression set."""

may_open_items: Port[[Mapping[UUID, Collection[UUID]]], dict[UUID, dict[UUID, Gate]]] = Port(
    "cohorts.may_open_items"
)
"""Given enrolment -> module items: enrolment -> item -> whether it is open to that learner."""
