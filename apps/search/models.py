"""What can be found, as one flat row a thing. Nothing is known only here."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from apps.assessment.models import AssessmentItem, AssessmentTemplate, AssessmentVersion
from apps.core.models import ONLY_ROW, TenantModel
from apps.programs.models import Course, CourseVersion, ModuleItem, Program, ProgramVersion
from apps.search.languages import Language


class DocumentKind(models.TextChoices):
    """What was found; a question is shown to staff only."""

    PROGRAM = "program"
    COURSE = "course"
    LESSON = "lesson"
    QUESTION = "question"


REFERENCES: dict[str, tuple[str, ...]] = {
    DocumentKind.PROGRAM: ("program", "program_version"),
    DocumentKind.COURSE: ("course", "course_version"),
    DocumentKind.LESSON: ("course", "course_version", "module_item"),
    DocumentKind.QUESTION: ("assessment", "assessment_version", "assessment_item"),
}
"""Kind -> what its rows name; the last one is what a row is about, once."""


def _names_its_own() -> Q:
    every = {name for names in REFERENCES.values() for name in names}
    return reduce(
        or_,
        (
            Q(kind=kind, **{f"{name}__isnull": name not in names for name in sorted(every)})
            for kind, names in REFERENCES.items()
        ),
    )


def _reference(model: type[models.Model], *, db_index: bool = True) -> Any:
    return models.ForeignKey(
        model, null=True, on_delete=models.CASCADE, related_name="+", db_index=db_index
    )


class SearchDocument(TenantModel):
    """One published thing and its words, beside what decides who may find it.

    Versions that were retired stay: their learners go on with them. `is_current` marks what staff
    find: what belongs to the newest published version of something that is not archived. Written
    by `services`, from the outbox; a stored column `vector`, which Django cannot say, follows from
    language, title, headings and body.
    """

    kind = models.CharField(max_length=10, choices=DocumentKind)
    language = models.CharField(max_length=20, choices=Language)
    title = models.CharField(max_length=200)
    headings = models.TextField(blank=True, default="")
    body = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64)
    is_current = models.BooleanField()
    program = _reference(Program)
    program_version = _reference(ProgramVersion, db_index=False)
    course = _reference(Course)
    course_version = _reference(CourseVersion)
    module_item = _reference(ModuleItem, db_index=False)
    assessment = _reference(AssessmentTemplate)
    assessment_version = _reference(AssessmentVersion, db_index=False)
    assessment_item = _reference(AssessmentItem, db_index=False)

    class Meta:
        db_table = "search_documents"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=_names_its_own(), name="searchdocument_names_its_own"),
            models.CheckConstraint(
                condition=Q(language__in=Language.values), name="searchdocument_language_known"
            ),
            models.UniqueConstraint(
                fields=["program_version"], name="searchdocument_once_per_program"
            ),
            models.UniqueConstraint(
                fields=["course_version"],
                condition=Q(kind=DocumentKind.COURSE),
                name="searchdocument_once_per_course",
            ),
            models.UniqueConstraint(fields=["module_item"], name="searchdocument_once_per_lesson"),
            models.UniqueConstraint(
                fields=["assessment_item"], name="searchdocument_once_per_question"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class SearchSettings(TenantModel):
    """In which language the organisation's content is written: one row, or none yet."""

    id = models.UUIDField(primary_key=True, default=ONLY_ROW, editable=False)
    language = models.CharField(max_length=20, choices=Language)

    class Meta:
        db_table = "search_settings"
        verbose_name_plural = "search settings"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=ONLY_ROW), name="searchsettings_one_row"),
            models.CheckConstraint(
                condition=Q(language__in=Language.values), name="searchsettings_language_known"
            ),
        ]

    def __str__(self) -> str:
        return str(self.language)
