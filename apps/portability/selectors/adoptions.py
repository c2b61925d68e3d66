"""What an organisation has adopted from the platform's catalog, and what is newer there.

The catalog's tables and the organisation's are never joined: each is asked by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.catalog.models import CatalogCourseVersion, CatalogWithdrawal
from apps.catalog.selectors import newest_of, withdrawals_of
from apps.core.models import VersionStatus
from apps.core.versions import VersionDiff, diff
from apps.portability.models import PackageImport
from apps.programs.models import Course, CourseVersion


@dataclass(frozen=True)
class Adoption:
    """One adopted course, as it stands now.

    `number` is the catalog's number of what is published here (None: only a draft was adopted),
    `draft` a version of the catalog that waits to be published. `newest` is what the catalog
    offers, None when nothing is offered any more.
    """

    course: Course
    number: int | None
    newest: CatalogCourseVersion | None
    draft: CourseVersion | None = None
    draft_number: int | None = None
    withdrawal: CatalogWithdrawal | None = None

    @property
    def taken_number(self) -> int:
        """Return the newest number that was taken in, published here or not."""
        return max(self.number or 0, self.draft_number or 0)

    @property
    def has_update(self) -> bool:
        return self.newest is not None and self.newest.number > self.taken_number


def adoptions(catalog_course_ids: Iterable[UUID] | None = None) -> dict[UUID, Adoption]:
    """Return catalog course -> its adoption here, of these courses or of all: five queries."""
    rows = Course.objects.filter(catalog_course_id__isnull=False)
    if catalog_course_ids is not None:
        rows = rows.filter(catalog_course_id__in=list(catalog_course_ids))
    courses = list(rows.order_by("title", "id"))
    drafts = {
        draft.definition_id: draft
        for draft in CourseVersion.objects.filter(
            definition__in=courses,
            status=VersionStatus.DRAFT,
            catalog_version_id__isnull=False,
        )
    }
    published = {course.catalog_version_id for course in courses}
    numbers = _numbers(published | {draft.catalog_version_id for draft in drafts.values()})
    newest = newest_of(course.catalog_course_id for course in courses if course.catalog_course_id)
    withdrawals = withdrawals_of(version for version in published if version)
    found: dict[UUID, Adoption] = {}
    for course in courses:
        assert course.catalog_course_id is not None  # noqa: S101
        found[course.catalog_course_id] = _adoption(
            course,
            drafts.get(course.pk),
            numbers,
            newest=newest.get(course.catalog_course_id),
            withdrawals=withdrawals,
        )
    return found


def _adoption(
    course: Course,
    draft: CourseVersion | None,
    numbers: Mapping[Any, int],
    *,
    newest: CatalogCourseVersion | None,
    withdrawals: Mapping[Any, CatalogWithdrawal],
) -> Adoption:
    """Return the course's adoption. A draft of an author's own keeps the number it began from."""
    number = numbers.get(course.catalog_version_id)
    draft_number = numbers.get(draft.catalog_version_id) if draft else None
    is_update = draft_number is not None and draft_number > (number or 0)
    return Adoption(
        course=course,
        number=number,
        newest=newest,
        draft=draft if is_update else None,
        draft_number=draft_number if is_update else None,
        withdrawal=withdrawals.get(course.catalog_version_id),
    )


def _numbers(version_ids: Iterable[Any]) -> dict[Any, int]:
    """Return catalog version -> its number, as the imports here remember it."""
    rows = PackageImport.objects.filter(catalog_version_id__in=list(version_ids))
    return {
        version: number
        for version, number in rows.values_list("catalog_version_id", "catalog_number")
        if version is not None and number is not None
    }


def adopted_version(course: Course) -> CourseVersion | None:
    """Return the version here that says what the catalog's adopted one said, once published."""
    taken = PackageImport.objects.filter(
        catalog_course_id=course.catalog_course_id, catalog_version_id=course.catalog_version_id
    )
    for row in taken:
        for part in row.parts:
            if part["definition"] == str(course.pk) and part["version_ids"]:
                version: CourseVersion | None = CourseVersion.objects.filter(
                    pk=part["version_ids"][0]
                ).first()
                return version
    return None


def changed_here(course: Course) -> VersionDiff:
    """Return what the newest published version here says otherwise than what was adopted."""
    adopted = adopted_version(course)
    newest = course.versions.latest_published()
    if adopted is None or newest is None or adopted.pk == newest.pk:
        return VersionDiff()
    return diff(adopted, newest)
