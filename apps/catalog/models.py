"""The platform's catalog, in the public schema: courses that every organisation may adopt.

Nothing here is ever changed: the platform's role may only add, organisations only read, and of
versions and packages only those that are not withdrawn (`apps/organizations/walls.py`).
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Length

from apps.core.ids import uuid7
from apps.core.models import ClockTimestamp

MAX_BYTES = 20 * 1024 * 1024
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


class CatalogCourse(models.Model):
    """A course of the platform, whatever its versions say. Origin and name there are its identity.

    `slug` is its address; the origin is that of the course in its packages.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=100, unique=True)
    origin = models.CharField(max_length=300)
    source_slug = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "catalog_courses"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["origin", "source_slug"], name="catalogcourse_once_per_origin"
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class Digest(Func):
    """SHA-256 of bytes as hexadecimal text, computed by the database."""

    template = "encode(sha256(%(expressions)s), 'hex')"
    output_field = models.CharField()


class CatalogPackage(models.Model):
    """The bytes of a package. The same content is kept once: `digest` identifies it.

    The database computes the SHA-256 of the bytes itself, and so refuses damaged ones.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    data = models.BinaryField()
    stored_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "catalog_packages"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(size=Length("data"), size__gte=1, size__lte=MAX_BYTES),
                name="catalogpackage_size_of_its_bytes",
            ),
            models.CheckConstraint(
                condition=Q(sha256=Digest(F("data"))), name="catalogpackage_digest_of_its_bytes"
            ),
        ]

    def __str__(self) -> str:
        return self.digest


class CatalogVersionQuerySet(models.QuerySet[Any]):
    def offered(self) -> Self:
        """Return the versions that are not withdrawn."""
        return self.filter(withdrawal=None)

    def newest(self) -> Self:
        """Return the newest offered version of each course."""
        newer = self.model.objects.offered().filter(
            course=models.OuterRef("course"), number__gt=models.OuterRef("number")
        )
        return self.offered().filter(~models.Exists(newer))


class CatalogCourseVersion(models.Model):
    """One published version of a course: what it is, under which terms, and its package.

    `outline` is what a reader sees before adopting it: modules with their items' titles.
    `contents` are these titles as a text, to be searched.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    course = models.ForeignKey(CatalogCourse, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    package = models.ForeignKey(CatalogPackage, on_delete=models.PROTECT, related_name="versions")
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True, default="")
    licence = models.CharField(max_length=100)
    language = models.CharField(max_length=35)
    publisher = models.CharField(max_length=200)
    changelog = models.TextField(blank=True, default="")
    outline: models.JSONField[Any, Any] = models.JSONField(default=list)
    contents = models.TextField(blank=True, default="")
    published_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    objects = CatalogVersionQuerySet.as_manager()

    class Meta:
        db_table = "catalog_course_versions"
        ordering: ClassVar[list[str]] = ["course", "-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["course", "number"], name="catalogversion_number_once_per_course"
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1)
                & ~Q(title="")
                & ~Q(licence="")
                & ~Q(publisher="")
                & Q(language__regex=Value(LANGUAGE)),
                name="catalogversion_says_what_it_is",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"


class CatalogWithdrawal(models.Model):
    """A version that is offered no longer, and why. What was adopted from it stays.

    Organisations read it; who withdrew it is in `platform_actions`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.OneToOneField(
        CatalogCourseVersion, on_delete=models.PROTECT, related_name="withdrawal"
    )
    reason = models.TextField()
    withdrawn_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "catalog_withdrawals"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~Q(reason=""), name="catalogwithdrawal_has_a_reason"),
        ]

    def __str__(self) -> str:
        return self.reason
