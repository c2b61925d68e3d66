"""Rosters on their way into a cohort, and what became of each row."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.cohorts.models.cohorts import Cohort
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, TenantModel


class ImportStatus(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


UNFINISHED = (ImportStatus.WAITING, ImportStatus.RUNNING)


class RosterImport(TenantModel):
    """One file that somebody uploaded for a cohort: tried, or carried out, by a worker.

    The file stays in the object store under `object_name` until it was imported, or for a day if
    it was only tried; then the name is empty. `confirms` is the trial whose file this imports.
    While it runs, `status` and `rows_done` are written beside the transaction that does the work,
    so that others see them. Written by `services.roster_imports`.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="roster_imports")
    requested_by = models.ForeignKey(
        Contact, null=True, on_delete=models.PROTECT, related_name="roster_imports"
    )
    is_dry_run = models.BooleanField()
    confirms = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="confirmed_by"
    )
    filename = models.CharField(max_length=200)
    class_id = models.CharField(max_length=200, blank=True, default="")
    asked_encoding = models.CharField(max_length=20, blank=True, default="")
    object_name = models.CharField(max_length=500, blank=True, default="")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveIntegerField()
    status = models.CharField(
        max_length=10, choices=ImportStatus, default=ImportStatus.WAITING, editable=False
    )
    rows_total = models.PositiveIntegerField(null=True)
    rows_done = models.PositiveIntegerField(default=0)
    format = models.CharField(max_length=20, blank=True, default="")
    encoding = models.CharField(max_length=100, blank=True, default="")
    encoding_guessed = models.BooleanField(default=False)
    counts = models.JSONField(default=dict)
    problem = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "roster_imports"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(status__in=UNFINISHED, finished_at__isnull=True, problem__isnull=True)
                | Q(status=ImportStatus.DONE, finished_at__isnull=False, problem__isnull=True)
                | Q(
                    status=ImportStatus.FAILED,
                    finished_at__isnull=False,
                    problem__isnull=False,
                ),
                name="rosterimport_status_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(confirms=None) | Q(is_dry_run=False),
                name="rosterimport_only_a_real_one_confirms",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["cohort", "-created_at"], name="rosterimport_by_cohort"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} · {self.cohort}"

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED


class RosterImportRow(TenantModel):
    """What became of one row of a roster, or would have; `position` is its place in the report.

    Never changed. Those of a trial go with its file, after a day.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "DELETE")

    roster_import = models.ForeignKey(RosterImport, on_delete=models.PROTECT, related_name="rows")
    position = models.PositiveIntegerField()
    file = models.CharField(max_length=300)
    line = models.PositiveIntegerField(null=True)
    name = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=10)
    did = models.JSONField(default=list)
    state = models.CharField(max_length=12, blank=True)
    code = models.CharField(max_length=50, blank=True)
    message = models.TextField(blank=True)
    column = models.TextField(blank=True)

    class Meta:
        db_table = "roster_import_rows"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["roster_import", "position"], name="rosterimportrow_position_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["roster_import", "outcome", "position"], name="rosterimportrow_by_outcome"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} {self.line or ''} · {self.outcome}"
