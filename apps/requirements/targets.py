"""What a program's learners can be asked for: published content, read for the publication check."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from apps.assessment.models import AssessmentTemplate
from apps.contacts.capabilities import Capability
from apps.core.models import VersionStatus
from apps.programs.models import CourseModule, CourseVersion, ModuleItem, Program
from apps.requirements.publication import Targets

PUBLISHED = VersionStatus.PUBLISHED


def targets_of(program_id: UUID) -> Targets:
    """Return what requirements of this program may name: five statements.

    Courses are those that a published version of the program pins, with the modules and items of
    the pinned versions: any of them may be a cohort's.
    """
    pinned = dict(
        CourseVersion.objects.filter(
            pinned_by__version__definition_id=program_id, pinned_by__version__status=PUBLISHED
        ).values_list("id", "definition_id")
    )
    return Targets(
        courses=frozenset(pinned.values()),
        modules=_keys(CourseModule, pinned),
        items=_keys(ModuleItem, pinned),
        assessments=frozenset(
            AssessmentTemplate.objects.filter(
                archived_at=None, versions__status=PUBLISHED
            ).values_list("id", flat=True)
        ),
        programs=frozenset(
            Program.objects.filter(archived_at=None, versions__status=PUBLISHED)
            .exclude(id=program_id)
            .values_list("id", flat=True)
        ),
        capabilities=frozenset(capability.value for capability in Capability),
    )


def _keys(
    model: type[CourseModule] | type[ModuleItem], pinned: dict[UUID, UUID]
) -> dict[UUID, frozenset[str]]:
    keys: dict[UUID, set[str]] = defaultdict(set)
    rows = model._default_manager.filter(version__in=list(pinned))
    for version_id, key in rows.values_list("version_id", "key"):
        keys[pinned[version_id]].add(key)
    return {course: frozenset(found) for course, found in keys.items()}
