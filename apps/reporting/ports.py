"""What reporting asks of the apps beside it; `config.wiring` binds the answer."""

from __future__ import annotations

from uuid import UUID

from apps.core.ports import Port


def _none() -> list[UUID]:
    return []


documents_unlike_content: Port[[], list[UUID]] = Port(
    "reporting.documents_unlike_content", default=_none
)
"""The definitions of which the search index says anything else than they do."""
