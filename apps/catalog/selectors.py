"""Reads of the catalog: the platform's and, behind row-level security, an organisation's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.catalog.models import (
    CatalogCourse,
    CatalogCourseVersion,
    CatalogPackage,
    CatalogWithdrawal,
)

MOST_WORDS = 10


def offered_courses(search: str = "") -> QuerySet[Any]:
    """Return the newest offered version of each course that has every word, by title.

    Words are looked for in title, summary, publisher, short name and outline.
    """
    found = CatalogCourseVersion.objects.newest().select_related("course")
    for word in search.replace("\0", " ").split()[:MOST_WORDS]:
        found = found.filter(
            Q(title__icontains=word)
            | Q(summary__icontains=word)
            | Q(publisher__icontains=word)
            | Q(course__slug__icontains=word)
            | Q(contents__icontains=word)
        )
    return found.order_by("title", "id")


def newest_of(course_ids: Iterable[UUID]) -> dict[UUID, CatalogCourseVersion]:
    """Return course -> its newest offered version, where there is one: one query."""
    newest = CatalogCourseVersion.objects.newest().filter(course__in=list(course_ids))
    return {version.course_id: version for version in newest.select_related("course")}


def course_called(slug: str) -> CatalogCourse | None:
    """Return a course by its short name, if there is one."""
    return CatalogCourse.objects.filter(slug=slug).first()


def versions_of(course: CatalogCourse) -> QuerySet[Any]:
    """Return the versions that may be read, the newest first, with their withdrawals.

    The platform reads all, an organisation those that are offered.
    """
    versions = CatalogCourseVersion.objects.filter(course=course)
    return (
        versions.select_related("withdrawal", "package").defer("package__data").order_by("-number")
    )


def package_bytes(version: CatalogCourseVersion) -> bytes:
    """Return the package of a version that may be read. Raises CatalogPackage.DoesNotExist."""
    data = CatalogPackage.objects.values_list("data", flat=True).get(pk=version.package_id)
    return bytes(data)


def withdrawals_of(version_ids: Iterable[UUID]) -> dict[UUID, CatalogWithdrawal]:
    """Return version -> its withdrawal, for those that were withdrawn: one query."""
    found = CatalogWithdrawal.objects.filter(version_id__in=list(version_ids))
    return {one.version_id: one for one in found}
