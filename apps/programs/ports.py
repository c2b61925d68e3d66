"""What programs asks of the apps above; `config.wiring` binds the answer."""

from __future__ import annotations

from uuid import UUID

from apps.core.ports import Port


def _nothing(contact_id: UUID) -> frozenset[UUID]:
    return frozenset()


readable_program_versions: Port[[UUID], frozenset[UUID]] = Port(
    "programs.readable_program_versions", default=_nothing
)
"""Given a learner's contact id: the program versions that they take, or may begin on their own."""
