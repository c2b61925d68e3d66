"""Who sends orders, how we know them, and what their SKUs mean here."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.cohorts.models import Cohort
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, TenantModel
from apps.programs.models import Course, Program


class Source(TenantModel):
    """A shop that sends its orders by signed webhooks.

    `currencies` are those it may sell in, none for all. Once disabled its signatures count for
    nothing. Written by `services.sources`.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    currencies = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(
        Contact, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "commerce_sources"
        verbose_name = "webhook source"

    def __str__(self) -> str:
        return self.title


class SecretQuerySet(models.QuerySet["SourceSecret"]):
    def usable(self, at: datetime) -> Self:
        """Return those that a webhook may be signed with at this moment."""
        return self.filter(
            Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None, source__disabled_at=None
        )


class SourceSecret(TenantModel):
    """What a source signs with: shown once, sealed at rest, destroyed when revoked.

    Rotation makes a new one and lets the old one expire, so that a shop has time to change.
    `hint` is the beginning of the secret, by which people tell two apart.
    """

    grants: ClassVar[tuple[str, ...]] = (
        "SELECT",
        "INSERT",
        "UPDATE (sealed, expires_at, revoked_at)",
    )

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="secrets")
    hint = models.CharField(max_length=12)
    sealed = models.BinaryField(null=True)
    created_by = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SecretQuerySet.as_manager()

    class Meta:
        db_table = "commerce_source_secrets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(expires_at=None, revoked_at=None),
                name="sourcesecret_one_without_end",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None, sealed__isnull=False)
                | Q(revoked_at__isnull=False, sealed=None),
                name="sourcesecret_destroyed_when_revoked",
            ),
            models.UniqueConstraint(fields=["id", "source"], name="sourcesecret_id_and_source"),
        ]

    def __str__(self) -> str:
        return f"{self.hint}…"


class Sellable(TenantModel):
    """What an external SKU means here: a program, a cohort or a course.

    Where it leads is decided when a line is granted (`rules.choosing`). Written by
    `services.sellables`.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="sellables")
    sku = models.CharField("SKU", max_length=200)
    title = models.CharField(max_length=200)
    program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="sellables"
    )
    cohort = models.ForeignKey(
        Cohort, null=True, blank=True, on_delete=models.PROTECT, related_name="sellables"
    )
    course = models.ForeignKey(
        Course, null=True, blank=True, on_delete=models.PROTECT, related_name="sellables"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "sellables"
        ordering: ClassVar[list[str]] = ["source", "sku"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "sku"], name="sellable_sku_once_per_source"),
            models.UniqueConstraint(fields=["id", "source"], name="sellable_id_and_source"),
            models.CheckConstraint(condition=~Q(sku=""), name="sellable_has_a_sku"),
            models.CheckConstraint(
                condition=Q(program__isnull=False, cohort=None, course=None)
                | Q(program=None, cohort__isnull=False, course=None)
                | Q(program=None, cohort=None, course__isnull=False),
                name="sellable_sells_exactly_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sku} · {self.title}"

    @property
    def kind(self) -> str:
        if self.program_id is not None:
            return "program"
        return "cohort" if self.cohort_id is not None else "course"

    @property
    def target(self) -> Program | Cohort | Course | None:
        """What is sold."""
        return self.program or self.cohort or self.course
