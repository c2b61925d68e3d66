"""What came in with packages: each import as it went, and which definitions came from where."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from apps.assessment.models import AssessmentTemplate, QuestionBank
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, HistoryModel, TenantModel
from apps.credentials.models import CertificationTemplate
from apps.portability.vocabulary import PackageKind, PartKind
from apps.programs.models import Course, Program
from apps.requirements.models import RequirementSet


class PackageImport(HistoryModel):
    """One package that was taken in, with what became of each of its parts.

    `digest` identifies the content. The catalog's ids are plain: no foreign key leaves the
    organisation's schema; the number is kept because a withdrawn version can't be read any more.
    """

    kind = models.CharField(max_length=20, choices=PackageKind)
    slug = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    digest = models.CharField(max_length=64, db_index=True)
    filename = models.CharField(max_length=200, blank=True, default="")
    left_drafts = models.BooleanField(default=False)
    counts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    parts: models.JSONField[Any, Any] = models.JSONField(default=list)
    catalog_course_id = models.UUIDField(null=True, blank=True, db_index=True)
    catalog_version_id = models.UUIDField(null=True, blank=True)
    catalog_number = models.PositiveIntegerField(null=True, blank=True)
    actor = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "package_imports"
        ordering: ClassVar[list[str]] = ["-recorded_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(catalog_course_id=None, catalog_version_id=None, catalog_number=None)
                | Q(
                    catalog_course_id__isnull=False,
                    catalog_version_id__isnull=False,
                    catalog_number__gte=1,
                ),
                name="packageimport_names_its_catalog_version",
            ),
        ]

    def __str__(self) -> str:
        return self.title


def _one_reference() -> Q:
    """Return that the reference of the row's kind is there, and no other."""
    kinds = []
    for kind in PartKind:
        others = {f"{other.value}__isnull": True for other in PartKind if other != kind}
        kinds.append(Q(kind=kind.value, **{f"{kind.value}__isnull": False}, **others))
    return reduce(or_, kinds)


def _definition(model: type[models.Model]) -> Any:
    return models.OneToOneField(
        model, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )


class ImportedDefinition(TenantModel):
    """Where a definition here came from: its origin and short name there, or the catalog's course.

    The next package from the same place finds it by this row, even under another short name.
    Written once, when the definition is made.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT")

    kind = models.CharField(max_length=20, choices=PartKind)
    origin = models.CharField(max_length=300)
    slug = models.CharField(max_length=100)
    catalog_course_id = models.UUIDField(null=True, blank=True)
    course = _definition(Course)
    assessment = _definition(AssessmentTemplate)
    bank = _definition(QuestionBank)
    program = _definition(Program)
    requirement_set = _definition(RequirementSet)
    certification = _definition(CertificationTemplate)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "imported_definitions"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=_one_reference(), name="importeddefinition_one_of_its_kind"
            ),
            models.UniqueConstraint(
                fields=["kind", "origin", "slug", "catalog_course_id"],
                nulls_distinct=False,
                name="importeddefinition_once_per_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} ({self.origin})"
