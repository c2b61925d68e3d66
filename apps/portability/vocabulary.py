"""The words of packages and their reports."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PackageKind(TextChoices):
    """What a package is about."""

    COURSE = "course", _("course")
    PROGRAM = "program", _("program")


class PartKind(TextChoices):
    """What stands in a package, each in a file of its own."""

    COURSE = "course", _("course")
    ASSESSMENT = "assessment", _("assessment")
    BANK = "bank", _("question bank")
    PROGRAM = "program", _("program")
    REQUIREMENT_SET = "requirement_set", _("requirements")
    CERTIFICATION = "certification", _("certification")

    @property
    def folder(self) -> str:
        return FOLDERS[self]


FOLDERS = {
    PartKind.COURSE: "courses",
    PartKind.ASSESSMENT: "assessments",
    PartKind.BANK: "banks",
    PartKind.PROGRAM: "programs",
    PartKind.REQUIREMENT_SET: "requirement-sets",
    PartKind.CERTIFICATION: "certifications",
}


class Outcome(TextChoices):
    """What becomes of a part that is imported."""

    CREATED = "created", _("created")
    NEW_VERSION = "new_version", _("new version")
    UPDATED = "updated", _("updated")
    UNCHANGED = "unchanged", _("unchanged")
    REFUSED = "refused", _("refused")


class OnConflict(TextChoices):
    """What is done where a short name is taken by something that came from elsewhere."""

    REFUSE = "refuse", _("refuse the package")
    RENAME = "rename", _("take the next free short name")
