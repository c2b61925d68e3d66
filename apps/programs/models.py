"""Programs and courses: what is taught, as definitions with frozen versions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.core.models import Definition, Version, VersionChild, VersionStatus
from apps.core.versions import PublicationProblem, previous
from apps.programs import ports
from apps.programs.publication import (
    ItemSpec,
    ModuleSpec,
    PinSpec,
    course_problems,
    program_problems,
)


class ItemType(models.TextChoices):
    LESSON = "lesson"
    ASSESSMENT = "assessment"
    EXTERNAL = "external"


class Course(Definition):
    """A course, whatever its content was or will be.

    The provenance names the platform-wide course that it was adopted from, once an organisation,
    and the newest version of that which was published here: plain ids, because no foreign key
    leaves the organisation's schema.
    """

    description = models.TextField(blank=True, default="")
    catalog_course_id = models.UUIDField(null=True, blank=True, editable=False, db_index=True)
    catalog_version_id = models.UUIDField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "courses"
        ordering: ClassVar[list[str]] = ["title"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(catalog_version_id=None) | Q(catalog_course_id__isnull=False),
                name="course_provenance_names_its_course",
            ),
            models.UniqueConstraint(fields=["catalog_course_id"], name="course_adopted_once"),
        ]


class CourseVersion(Version):
    """The modules and items of a course, as a draft or frozen under a number.

    `catalog_version_id` is the platform's version that it comes from, which later versions written
    here keep; publishing the first from another one tells the course.
    """

    not_compared = frozenset({"catalog_version_id"})

    definition = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="versions")
    summary = models.TextField(blank=True, default="")
    catalog_version_id = models.UUIDField(null=True, blank=True, editable=False)

    class Meta(Version.Meta):
        db_table = "course_versions"

    def before_publish(self) -> None:
        before = previous(self)
        came_from = before.catalog_version_id if isinstance(before, CourseVersion) else None
        if self.catalog_version_id != came_from:
            course = Course.objects.filter(pk=self.definition_id)
            course.update(catalog_version_id=self.catalog_version_id)

    def publication_problems(self) -> list[PublicationProblem]:
        modules = [
            ModuleSpec(key=module.key, position=module.position)
            for module in self.modules.order_by("position", "key")
        ]
        items = [
            ItemSpec(
                key=item.key,
                module=item.module.key,
                type=item.type,
                position=item.position,
                is_required=item.is_required,
                url=item.url,
            )
            for item in self.items.select_related("module").order_by(
                "module__position", "module__key", "position", "key"
            )
        ]
        return [*course_problems(modules, items), *ports.publication_checks(self.pk)]


class CourseModule(VersionChild):
    """A chapter of a course version."""

    version = models.ForeignKey(CourseVersion, on_delete=models.CASCADE, related_name="modules")
    title = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField()

    class Meta(VersionChild.Meta):
        db_table = "course_modules"
        ordering: ClassVar[list[str]] = ["position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.UniqueConstraint(fields=["id", "version"], name="coursemodule_id_and_version"),
        ]

    def __str__(self) -> str:
        return self.title


class ModuleItem(VersionChild):
    """Something a learner does: reads a lesson, takes an assessment, visits another site.

    A composite foreign key keeps the module in the item's own version. Which assessment an
    assessment item stands for is told by the placement, a child that an upper app adds.
    """

    version = models.ForeignKey(CourseVersion, on_delete=models.CASCADE, related_name="items")
    module = models.ForeignKey(CourseModule, on_delete=models.CASCADE, related_name="items")
    type = models.CharField(max_length=20, choices=ItemType, default=ItemType.LESSON)
    title = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField()
    is_required = models.BooleanField(default=True)
    body_markdown = models.TextField(blank=True, default="")
    url = models.CharField(max_length=2000, blank=True, default="")
    estimated_minutes = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta(VersionChild.Meta):
        db_table = "module_items"
        ordering: ClassVar[list[str]] = ["module__position", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.CheckConstraint(
                condition=Q(type__in=ItemType.values), name="moduleitem_type_known"
            ),
            models.UniqueConstraint(fields=["id", "version"], name="moduleitem_id_and_version"),
        ]

    def __str__(self) -> str:
        return self.title


class Program(Definition):
    """A program: the courses that together lead to a credential."""

    description = models.TextField(blank=True, default="")

    class Meta:
        db_table = "programs"
        ordering: ClassVar[list[str]] = ["title"]


class ProgramVersion(Version):
    """The courses of a program, each pinned to one version, as a draft or frozen."""

    definition = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="versions")
    description = models.TextField(blank=True, default="")

    class Meta(Version.Meta):
        db_table = "program_versions"

    def publication_problems(self) -> list[PublicationProblem]:
        pins = [
            PinSpec(
                key=pin.key,
                position=pin.position,
                is_published=pin.course_version.status == VersionStatus.PUBLISHED,
            )
            for pin in self.courses.select_related("course_version").order_by("position", "key")
        ]
        return program_problems(pins)


class ProgramCourse(VersionChild):
    """A course of a program version, pinned to one version of it.

    The key is the course's slug, so that a course stands in a program once and is recognised when
    the next version pins another version of it.
    """

    version = models.ForeignKey(ProgramVersion, on_delete=models.CASCADE, related_name="courses")
    course_version = models.ForeignKey(
        CourseVersion, on_delete=models.PROTECT, related_name="pinned_by"
    )
    position = models.PositiveSmallIntegerField()
    is_required = models.BooleanField(default=True)

    class Meta(VersionChild.Meta):
        db_table = "program_courses"
        ordering: ClassVar[list[str]] = ["position"]

    def __str__(self) -> str:
        return self.key
