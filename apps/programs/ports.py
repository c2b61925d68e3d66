"""What programs asks of the apps above; `config.wiring` binds the answer."""

from __future__ import annotations

from uuid import UUID

from apps.core.ports import Port
from apps.core.versions import PublicationProblem


def _nothing(contact_id: UUID) -> frozenset[UUID]:
    return frozenset()


readable_program_versions: Port[[UUID], frozenset[UUID]] = Port(
    "programs.readable_program_versions", default=_nothing
)
"""Given a learner's contact id: the program versions that they take, or may begin on their own."""


def _no_problem(course_version_id: UUID) -> list[PublicationProblem]:
    return []


publication_checks: Port[[UUID], list[PublicationProblem]] = Port(
    "programs.publication_checks", default=_no_problem
)
"""Given a course version's id: what the apps above find missing before it may be published."""
