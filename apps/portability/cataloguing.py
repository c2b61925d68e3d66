"""A package as the platform's catalog shows it."""

from __future__ import annotations

from typing import Any

from apps.catalog.services import PackagedCourse
from apps.portability.content import Course
from apps.portability.faults import Fault, refused
from apps.portability.format import MANIFEST, Package, digest_of, files_of, pack
from apps.portability.vocabulary import PackageKind


def packaged_course(package: Package) -> PackagedCourse:
    """Return the course of a package, with the package's bytes as this platform writes them.

    Raises PackageRefused for a program: the catalog holds courses.
    """
    course = package.content.root_part if package.content.kind == PackageKind.COURSE else None
    if not isinstance(course, Course):
        message = "The catalog holds courses; this package is about a program."
        raise refused([Fault(MANIFEST, "/kind", "not-a-course", message)])
    return PackagedCourse(
        origin=course.origin,
        source_slug=course.slug,
        digest=digest_of(files_of(package.content)[MANIFEST]),
        data=pack(package.content),
        title=course.title,
        outline=outline_of(course),
    )


def outline_of(course: Course) -> list[dict[str, Any]]:
    """Return what the catalog shows of a course before anybody adopts it: no text, no answer."""
    return [
        {
            "title": module.title,
            "items": [
                {
                    "title": item.title,
                    "type": item.type,
                    "minutes": item.estimated_minutes,
                    "is_required": item.is_required,
                }
                for item in module.items
            ],
        }
        for module in course.content.modules
    ]
