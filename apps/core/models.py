"""The few kinds of table that everything else is made of."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import Func

from apps.core.constraints import in_words
from apps.core.ids import uuid7


class ClockTimestamp(Func):
    """The wall clock of the database at this very row, not at the start of the transaction."""

    function = "clock_timestamp"
    template = "%(function)s()"
    output_field = models.DateTimeField()


class TenantModel(models.Model):
    """A table in every organisation's schema.

    `grants` is what the organisation's role may do with it; `sync_grants` derives the database's
    grants from here, and a table that no model names is granted to nobody.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE", "DELETE")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        abstract = True

    def get_constraints(self) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """Return the constraints as validation tells them: as sentences, not by name."""
        return in_words(super().get_constraints())


class HistoryModel(TenantModel):
    """A row that happened. It is never changed and never deleted; a correction is a new row.

    Enforced twice: the organisation's role has only SELECT and INSERT, and triggers refuse
    UPDATE, DELETE and TRUNCATE to everybody (`apps.core.walls`). `recorded_at` is when the
    database learned of it, `occurred_at` (where there is one) when it happened.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT")

    recorded_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        abstract = True


class RevisionQuerySet(models.QuerySet[Any]):
    """Revisions of many subjects; `.current()` and `.as_of()` keep one row a subject."""

    def _newest(self, known: Q) -> Self:
        model = self.model
        same_subject = {field: models.OuterRef(field) for field in model.subject_fields}
        newer = model._default_manager.filter(
            known, revision__gt=models.OuterRef("revision"), **same_subject
        )
        return self.filter(known).filter(~models.Exists(newer))

    def current(self) -> Self:
        """Return the highest revision of each subject."""
        return self._newest(Q())

    def as_of(self, moment: datetime) -> Self:
        """Return the revision of each subject that was current, as known at `moment`."""
        return self._newest(Q(recorded_at__lte=moment))


class RevisionModel(HistoryModel):
    """One statement about a subject, numbered from 1; the highest number counts.

    The subclass names its subject and declares UNIQUE(subject, revision): that constraint, not a
    pointer to the superseded row, keeps one line of history, and turns a race of two writers into
    a unique violation.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ()

    revision = models.PositiveIntegerField()

    objects = RevisionQuerySet.as_manager()

    class Meta:
        abstract = True


class Definition(TenantModel):
    """The lasting identity of something authored; what it says lives in numbered versions."""

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.ACTOR_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class VersionStatus(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class VersionQuerySet(models.QuerySet[Any]):
    def published(self) -> Self:
        return self.filter(status=VersionStatus.PUBLISHED)

    def latest_published(self) -> Any:
        """Return the published version with the highest number, or None."""
        return self.published().order_by("-number").first()

    def draft(self) -> Any:
        """Return the draft, or None."""
        return self.filter(status=VersionStatus.DRAFT).first()


class Version(TenantModel):
    """What a definition says, as a draft that may change or a numbered version that may not.

    The subclass declares `definition = ForeignKey(..., related_name="versions")` and inherits
    this Meta. A trigger freezes the row once it has left draft (only published -> retired is
    possible) and with it all its children. Written by `apps.core.versions` only.
    """

    status = models.CharField(
        max_length=10, choices=VersionStatus, default=VersionStatus.DRAFT, editable=False
    )
    number = models.PositiveIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.ACTOR_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    definition: models.ForeignKey[Any, Any]
    definition_id: Any
    not_compared: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where a version is from, not what it says: a comparison leaves them out."""
    objects = VersionQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["definition", "number"], name="%(class)s_number_once_per_definition"
            ),
            models.UniqueConstraint(
                fields=["definition"],
                condition=Q(status="draft"),
                name="%(class)s_one_draft_per_definition",
            ),
            models.CheckConstraint(
                condition=Q(status="draft", number=None, published_at=None)
                | (~Q(status="draft") & Q(number__gte=1, published_at__isnull=False)),
                name="%(class)s_numbered_when_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.definition} {self.label}"

    @property
    def label(self) -> str:
        return f"v{self.number}" if self.number else "draft"

    @property
    def is_draft(self) -> bool:
        return self.status == VersionStatus.DRAFT

    def publication_problems(self) -> list[Any]:
        """Return what forbids publishing this draft (`apps.core.versions.PublicationProblem`)."""
        return []

    def before_publish(self) -> None:
        """Complete the draft with what must be frozen in it; runs inside publish()."""


class VersionChild(TenantModel):
    """A part of a version, frozen with it.

    `key` names the same part across versions. The subclass declares `version = ForeignKey(...)`,
    possibly to a version of a lower app, and inherits this Meta.
    """

    key = models.SlugField(max_length=100)

    version: models.ForeignKey[Any, Any]
    version_id: Any

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["version", "key"], name="%(class)s_key_once_per_version"
            ),
        ]


class OutboxMessage(TenantModel):
    """Work that a committed transaction still owes.

    Requests only insert; `apps.core.outbox` works a (topic, key) and deletes exactly the rows it
    read, in the transaction of the work. A row that failed too often is parked for a person.
    """

    topic = models.CharField(max_length=100)
    key = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    available_at = models.DateTimeField(db_default=ClockTimestamp())
    sent_again_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    parked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        db_table = "outbox_messages"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["topic", "key"], name="outbox_by_topic_and_key"),
            models.Index(
                fields=["available_at"],
                condition=Q(parked_at=None),
                name="outbox_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class StoredObject(TenantModel):
    """A file of the organisation in the object store, from when it is kept until when.

    What the organisation is charged for. Written by the storage (`apps.organizations.storage`),
    in the transaction of whoever stores. Names are never used twice.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE (removed_at)")

    name = models.CharField(max_length=500, unique=True)
    bytes = models.PositiveBigIntegerField()
    stored_at = models.DateTimeField(db_default=ClockTimestamp())
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "stored_objects"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["stored_at", "removed_at"], name="storedobject_by_time"),
        ]

    def __str__(self) -> str:
        return self.name


ONLY_ROW = uuid.UUID(int=0)


class StorageUsage(TenantModel):
    """The sum of the objects that are stored now: one row, and the lock for adding to it."""

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE (bytes)")

    id = models.UUIDField(primary_key=True, default=ONLY_ROW, editable=False)
    bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "storage_usage"
        verbose_name_plural = "storage usage"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=ONLY_ROW), name="storageusage_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.bytes)


class IdempotencyRecord(TenantModel):
    """The answer that a write under an Idempotency-Key was given.

    Claimed by insertion inside the business transaction, so that a duplicate waits and then finds
    the answer. Holds the status and the object's reference, never tokens or texts.
    """

    actor_id = models.UUIDField()
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        db_table = "idempotency_records"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["actor_id", "method", "path", "key"], name="idempotency_key_once_per_actor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
