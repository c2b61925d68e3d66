"""Writes of the catalog, by the platform only: publishing a version, and withdrawing one."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from apps.catalog.models import (
    LANGUAGE,
    MAX_BYTES,
    CatalogCourse,
    CatalogCourseVersion,
    CatalogPackage,
    CatalogWithdrawal,
)
from apps.core.problems import Conflict, Invalid
from apps.organizations.services import record_platform_action

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('catalog', 0))"


class CatalogEntryInvalid(Invalid):
    code = "catalog-entry-invalid"
    title = "This can't stand in the catalog like that."


class CatalogNameTaken(Conflict):
    code = "catalog-name-taken"
    title = "The catalog has another course of this name."


class AlreadyWithdrawn(Conflict):
    code = "already-withdrawn"
    title = "This version is withdrawn already."


@dataclass(frozen=True)
class PackagedCourse:
    """A course as its package has it: the caller has checked the package.

    `digest` identifies the content, `origin` and `source_slug` the course.
    """

    origin: str
    source_slug: str
    digest: str
    data: bytes = field(repr=False)
    title: str
    outline: list[dict[str, Any]]


@dataclass(frozen=True)
class Terms:
    """What the catalog says of a version beside what is in its package."""

    summary: str
    licence: str
    language: str
    publisher: str
    changelog: str = ""


@transaction.atomic
def publish_version(
    *, course: PackagedCourse, slug: str, terms: Terms, actor_id: UUID | None
) -> tuple[CatalogCourseVersion, bool]:
    """Return the catalog's version of this package, and whether it is new.

    The newest version is returned as it is when it is offered, has the same content and says the
    same of it. Call inside `connection.platform()`. Raises CatalogEntryInvalid, CatalogNameTaken.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
    _demand_sense(course, terms)
    row = _course(course, slug)
    newest = row.versions.select_related("package", "withdrawal").defer("package__data").first()
    if newest is not None and _is_the_same(newest, course, terms):
        return newest, False
    version: CatalogCourseVersion = row.versions.model(
        course=row,
        number=newest.number + 1 if newest else 1,
        package=_package(course),
        title=course.title,
        outline=course.outline,
        contents=_titles(course.outline),
        **vars(terms),
    )
    try:
        version.clean_fields()
    except ValidationError as error:
        raise CatalogEntryInvalid(" ".join(error.messages)) from error
    version.save(force_insert=True)
    record_platform_action(
        action="catalog.published",
        organization_id=None,
        actor_id=actor_id,
        details={"course": row.slug, "number": version.number, "digest": course.digest},
    )
    return version, True


@transaction.atomic
def withdraw_version(
    *, version: CatalogCourseVersion, reason: str, actor_id: UUID | None
) -> CatalogWithdrawal:
    """Return the withdrawal: nobody adopts the version any more, who has adopted it is told why.

    Call inside `connection.platform()`. Raises CatalogEntryInvalid, AlreadyWithdrawn.
    """
    if not reason.strip():
        raise CatalogEntryInvalid("Say why: whoever has adopted the version reads it.")
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
    if CatalogWithdrawal.objects.filter(version=version).exists():
        raise AlreadyWithdrawn(detail=str(version))
    row = CatalogWithdrawal.objects.create(version=version, reason=reason.strip())
    record_platform_action(
        action="catalog.withdrawn",
        organization_id=None,
        actor_id=actor_id,
        details={
            "course": version.course.slug,
            "number": version.number,
            "reason": row.reason,
        },
    )
    return row


def _demand_sense(course: PackagedCourse, terms: Terms) -> None:
    if len(course.data) > MAX_BYTES:
        raise CatalogEntryInvalid(f"A package may have {MAX_BYTES // 1024**2} MB.")
    for name in ("licence", "publisher"):
        if not getattr(terms, name).strip():
            raise CatalogEntryInvalid(f"Its {name} is missing.")
    if not re.match(LANGUAGE, terms.language):
        raise CatalogEntryInvalid(
            f"“{terms.language}” is no language tag like “en” or “pt-BR” (RFC 5646)."
        )


def _course(course: PackagedCourse, slug: str) -> CatalogCourse:
    """Return the course of this origin, made under the short name where there is none."""
    own = {"origin": course.origin, "source_slug": course.source_slug}
    row = CatalogCourse.objects.filter(**own).first()
    if row is not None:
        if row.slug != slug:
            detail = f"{course.source_slug} of {course.origin} is “{row.slug}” in the catalog."
            raise CatalogNameTaken(detail)
        return row
    taken = CatalogCourse.objects.filter(slug=slug).first()
    if taken is not None:
        raise CatalogNameTaken(f"“{slug}” is {taken.source_slug} of {taken.origin}.")
    row = CatalogCourse(slug=slug, **own)
    try:
        row.clean_fields()
    except ValidationError as error:
        raise CatalogEntryInvalid(" ".join(error.messages)) from error
    row.save(force_insert=True)
    return row


def _package(course: PackagedCourse) -> CatalogPackage:
    known = CatalogPackage.objects.defer("data").filter(digest=course.digest).first()
    if known is not None:
        return known
    return CatalogPackage.objects.create(
        digest=course.digest,
        sha256=hashlib.sha256(course.data).hexdigest(),
        size=len(course.data),
        data=course.data,
    )


def _titles(outline: list[dict[str, Any]]) -> str:
    """Return the titles of modules and items, a line each."""
    return "\n".join(
        title
        for module in outline
        for title in (module["title"], *(item["title"] for item in module["items"]))
    )


def _is_the_same(version: CatalogCourseVersion, course: PackagedCourse, terms: Terms) -> bool:
    if hasattr(version, "withdrawal") or version.package.digest != course.digest:
        return False
    says = {name: value for name, value in vars(terms).items() if name != "changelog"}
    return all(getattr(version, name) == value for name, value in says.items())
