"""What cohorts ask of the apps above; `config.wiring` binds the answers."""

from __future__ import annotations

from uuid import UUID

from apps.core.ports import Gate, Port

program_is_ready: Port[[UUID], bool] = Port("cohorts.program_is_ready")
"""Given a program version's id: whether it has a published progression set."""

may_open_item: Port[[UUID, UUID], Gate] = Port("cohorts.may_open_item")
"""Given an enrolment's and a module item's id: whether the item is open to that learner."""
