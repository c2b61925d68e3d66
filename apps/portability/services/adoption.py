"""Courses of the platform's catalog: adopted once, then brought up to date as drafts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.catalog.models import CatalogCourseVersion
from apps.catalog.selectors import package_bytes
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict
from apps.core.versions import VersionDiff, diff
from apps.portability.format import unpack
from apps.portability.report import ImportReport
from apps.portability.selectors.adoptions import (
    Adoption,
    adopted_version,
    adoptions,
    changed_here,
)
from apps.portability.services.imports import (
    CatalogSource,
    Options,
    import_package,
    one_at_a_time,
)
from apps.programs.models import Course, CourseVersion


class AlreadyAdopted(Conflict):
    code = "already-adopted"
    title = "This course is adopted already, at another version: update it."


class NotAdopted(Conflict):
    code = "not-adopted"
    title = "This course is not adopted here."


class NothingNewer(Conflict):
    code = "nothing-newer"
    title = "There is no newer version of this course."


@dataclass(frozen=True)
class Updated:
    """What an update made: a draft, or nothing where the new version says the same."""

    course: Course
    number: int
    draft: CourseVersion | None
    is_new: bool = True


@dataclass(frozen=True)
class UpdatePreview:
    """What an update would do.

    `upstream` is what the platform changed since the adopted version, `local` what was changed
    here since then: the draft says what the platform says, without it.
    """

    adoption: Adoption
    version: CatalogCourseVersion
    report: ImportReport
    upstream: VersionDiff
    local: VersionDiff


class _Undone(Exception):
    """Takes a trial back."""


@transaction.atomic
def adopt_course(
    *,
    version: CatalogCourseVersion,
    actor: Contact,
    at: datetime,
    leaves_draft: bool = False,
    is_this_one: bool = True,
) -> tuple[Course, bool]:
    """Return the course here that comes from the catalog, and whether it is new.

    It is published at once, or left as a draft. A course that is adopted already is returned as it
    is, unless this very version was asked for and another one is here: that raises AlreadyAdopted.
    """
    one_at_a_time()
    known = adoptions([version.course_id]).get(version.course_id)
    if known is not None:
        if is_this_one and known.taken_number != version.number:
            raise AlreadyAdopted(
                f"“{known.course}” is at version {known.taken_number}.", course=str(known.course.pk)
            )
        return known.course, False
    _take(version, actor=actor, at=at, leaves_drafts=leaves_draft)
    course = Course.objects.get(catalog_course_id=version.course_id)
    _on_record("adopted", course, version, actor)
    return course, True


@transaction.atomic
def update_course(*, version: CatalogCourseVersion, actor: Contact, at: datetime) -> Updated:
    """Return the draft that says what this newer version says; an author publishes it.

    The same update again returns the same draft. Published versions stay as they are. Raises
    NotAdopted, NothingNewer, and PackageRefused where another draft stands in the way.
    """
    one_at_a_time()
    adoption = _to_update(version)
    course, draft = adoption.course, adoption.draft
    if draft is not None and draft.catalog_version_id == version.pk:
        return Updated(course, version.number, draft, is_new=False)
    if version.number <= adoption.taken_number:
        raise NothingNewer(f"“{course}” is at version {adoption.taken_number}.")
    made = _made_draft(version, actor=actor, at=at)
    if made is None:
        Course.objects.filter(pk=course.pk).update(catalog_version_id=version.pk)
    _on_record("update-drafted" if made else "updated", course, version, actor)
    return Updated(course, version.number, made)


def preview_update(*, version: CatalogCourseVersion, actor: Contact, at: datetime) -> UpdatePreview:
    """Return what update_course would do: nothing has changed afterwards.

    Raises what update_course raises.
    """
    seen: list[UpdatePreview] = []
    try:
        with transaction.atomic():
            seen.append(_previewed(version, actor=actor, at=at))
            raise _Undone
    except _Undone:
        [preview] = seen
    return preview


def _previewed(version: CatalogCourseVersion, *, actor: Contact, at: datetime) -> UpdatePreview:
    one_at_a_time()
    adoption = _to_update(version)
    if version.number <= adoption.taken_number:
        raise NothingNewer(f"“{adoption.course}” is at version {adoption.taken_number}.")
    local, base = changed_here(adoption.course), adopted_version(adoption.course)
    report = _take(version, actor=actor, at=at, leaves_drafts=True)
    new = CourseVersion.objects.get(pk=report.root.version_ids[0])
    return UpdatePreview(
        adoption=adoption,
        version=version,
        report=report,
        upstream=diff(base, new),
        local=local,
    )


def _to_update(version: CatalogCourseVersion) -> Adoption:
    adoption = adoptions([version.course_id]).get(version.course_id)
    if adoption is None:
        raise NotAdopted(str(version.title))
    return adoption


def _made_draft(
    version: CatalogCourseVersion, *, actor: Contact, at: datetime
) -> CourseVersion | None:
    """Return the draft that the version became; None where a version here says the same."""
    report = _take(version, actor=actor, at=at, leaves_drafts=True)
    row: CourseVersion = CourseVersion.objects.select_related("definition").get(
        pk=report.root.version_ids[0]
    )
    if not row.is_draft:
        return None
    if row.catalog_version_id != version.pk:  # an author had written the same
        row.catalog_version_id = version.pk
        row.save(update_fields=["catalog_version_id"])
    return row


def _take(
    version: CatalogCourseVersion, *, actor: Contact, at: datetime, leaves_drafts: bool
) -> ImportReport:
    source = CatalogSource(version.course_id, version.pk, version.number)
    return import_package(
        package=unpack(package_bytes(version)),
        actor=actor,
        at=at,
        options=Options(leaves_drafts=leaves_drafts, catalog=source),
    )


def _on_record(verb: str, course: Course, version: CatalogCourseVersion, actor: Contact) -> None:
    ids: dict[str, UUID] = {"catalog_course": version.course_id, "catalog_version": version.pk}
    record_admin_action(
        actor=actor,
        action=f"course.{verb}",
        entity=course,
        details={"number": version.number, **{name: str(pk) for name, pk in ids.items()}},
    )
