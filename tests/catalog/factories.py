"""Courses in the catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.services import PackagedCourse, Terms, publish_version
from apps.core.tenancy import connection
from apps.portability.cataloguing import packaged_course
from apps.portability.content import PackageContent
from apps.portability.format import pack, unpack
from tests.portability.contents import ONE_COURSE, with_course, with_item

TERMS = Terms(
    summary="What to do until help comes.",
    licence="CC-BY-4.0",
    language="en",
    publisher="Ada's School",
)
SECOND = with_item(ONE_COURSE, "first-aid", "welcome", body_markdown="Other words.")


def packaged(content: PackageContent = ONE_COURSE) -> PackagedCourse:
    return packaged_course(unpack(pack(content)))


def in_catalog(
    content: PackageContent = ONE_COURSE, *, slug: str = "first-aid", **terms: Any
) -> CatalogCourseVersion:
    """Return the catalog's newest version, which is this."""
    with connection.platform():
        version, _is_new = publish_version(
            course=packaged(content), slug=slug, terms=replace(TERMS, **terms), actor_id=None
        )
    return version


def course_of_another_name(slug: str, title: str = "") -> PackageContent:
    """Return the course under another name, as if somebody had written it separately."""
    [course] = ONE_COURSE.courses
    changed = with_course(ONE_COURSE, replace(course, title=title or course.title))
    renamed = tuple(replace(one, slug=slug) for one in changed.courses)
    assessments = tuple(replace(one, course=slug) for one in changed.assessments)
    return replace(changed, root=slug, courses=renamed, assessments=assessments)
