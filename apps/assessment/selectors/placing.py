"""Which items of a course still stand for no assessment. Bound to a port of programs."""

from __future__ import annotations

from uuid import UUID

from apps.core.versions import PublicationProblem
from apps.programs.models import ItemType, ModuleItem


def unplaced_items(course_version_id: UUID) -> list[PublicationProblem]:
    """Return a problem for each item of the type assessment that has no placement."""
    items = ModuleItem.objects.filter(
        version_id=course_version_id, type=ItemType.ASSESSMENT, assessment_placements=None
    )
    return [
        PublicationProblem("assessment-not-placed", f"“{key}” stands for no assessment yet.", key)
        for key in items.order_by("module__position", "position", "key").values_list(
            "key", flat=True
        )
    ]
