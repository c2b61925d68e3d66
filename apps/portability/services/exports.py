"""A published version as a file, on record."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import transaction

from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.portability.format import MANIFEST, digest_of, files_of, pack
from apps.portability.selectors.export import export_course, export_program
from apps.programs.models import CourseVersion, ProgramVersion


@dataclass(frozen=True)
class Exported:
    """A package as a file. The digest is that of its content."""

    filename: str
    digest: str
    data: bytes = field(repr=False)


@transaction.atomic
def export_version(*, version: CourseVersion | ProgramVersion, actor: Contact | None) -> Exported:
    """Return the package of a published course or program version, and record who took it.

    Raises NothingPublished for a draft or retired version, NotExportable for what leads out.
    """
    if isinstance(version, CourseVersion):
        content = export_course(version)
    else:
        content = export_program(version)
    digest = digest_of(files_of(content)[MANIFEST])
    record_admin_action(
        actor=actor,
        action="package.exported",
        entity=version,
        details={"digest": digest},
    )
    filename = f"{version.definition.slug}-{version.label}.zip"
    return Exported(filename, digest, pack(content))
