"""Where texts lie, the keys that open them, and their destruction."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.ai_logs.models.sessions import AiSession
from apps.ai_logs.vocabulary import ContentKind, ErasureReason
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, HistoryModel, TenantModel


class AiSessionKey(TenantModel):
    """The secret from which a session's keys are derived, sealed under the environment's key.

    The only row of the AI log that can be deleted: without it nothing said in the session can be
    read, or even recognised, by anybody. It is never replaced.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "DELETE")

    session = models.OneToOneField(AiSession, on_delete=models.PROTECT, related_name="key")
    sealed_key = models.BinaryField()
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "ai_session_keys"
        verbose_name = "AI session key"

    def __str__(self) -> str:
        return str(self.session_id)


class AiContent(HistoryModel):
    """One text or file, sealed with its session's key, as a stretch of an object in the store.

    What was written together lies in one object, one sealed piece after the other. `hmac` is over
    the plain bytes with the session's second key: a guess at "yes" can't be checked against it
    once the key is gone. Never shared between sessions. A message or prompt template is named by
    the interaction that it belongs to, an artefact names the one that made it.
    """

    session = models.ForeignKey(AiSession, on_delete=models.PROTECT, related_name="contents")
    interaction = models.ForeignKey(
        "ai_logs.AiInteraction",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="artefacts",
        help_text="What made this artefact.",
    )
    kind = models.CharField(max_length=20, choices=ContentKind, default=ContentKind.MESSAGE)
    name = models.CharField(max_length=200, blank=True, default="")
    media_type = models.CharField(max_length=100)
    object_name = models.CharField(max_length=300)
    offset = models.PositiveBigIntegerField(default=0)
    sealed_size = models.PositiveBigIntegerField()
    size = models.PositiveBigIntegerField()
    hmac = models.BinaryField(max_length=32)

    class Meta:
        db_table = "ai_contents"
        verbose_name = "AI content"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["object_name", "offset"], name="aicontent_place_once"),
            models.UniqueConstraint(
                fields=["id", "session", "hmac"], name="aicontent_id_session_and_hmac"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ContentKind.values), name="aicontent_kind_known"
            ),
            models.CheckConstraint(condition=Q(sealed_size__gt=0), name="aicontent_is_sealed"),
            models.CheckConstraint(
                condition=Q(kind=ContentKind.ARTEFACT, interaction__isnull=False)
                | (~Q(kind=ContentKind.ARTEFACT) & Q(interaction=None)),
                name="aicontent_artefact_names_its_maker",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["session"], name="aicontent_by_session"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.size} bytes"


class AiErasure(HistoryModel):
    """That the texts of a session were destroyed: by whom, when, and why. Once a session.

    `actor` is null when the organisation's retention policy did it. The log stays.
    """

    session = models.OneToOneField(AiSession, on_delete=models.PROTECT, related_name="erasure")
    reason = models.CharField(max_length=20, choices=ErasureReason)
    note = models.TextField(blank=True, default="")
    actor = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    contents = models.PositiveIntegerField()

    class Meta:
        db_table = "ai_erasures"
        verbose_name = "AI erasure"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(reason=ErasureReason.RETENTION) | Q(actor__isnull=False),
                name="aierasure_by_somebody_or_policy",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} · {self.reason}"
