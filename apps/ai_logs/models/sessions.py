"""Conversations with a model, and on whose behalf they were had."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.ai_logs.vocabulary import SessionType, Source
from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, TenantModel
from apps.programs.models import ModuleItem


class AiSession(TenantModel):
    """One conversation between a person and models.

    `conversation_id` is what the client calls it (`gen_ai.conversation.id`), unique for each
    person: two learners' clients may count from 1. The person and the context are said once and
    never changed; a trace may tell of them after the first messages, so they may start unknown.
    Only the end is written later. Written by `services.sessions`.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="ai_sessions"
    )
    enrollment = models.ForeignKey(
        CohortEnrollment,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ai_sessions",
    )
    module_item = models.ForeignKey(
        ModuleItem, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    session_type = models.CharField(
        max_length=30, choices=SessionType, default=SessionType.TUTORING
    )
    conversation_id = models.CharField(max_length=200, blank=True, default="")
    source = models.CharField(max_length=10, choices=Source, default=Source.API)
    service_name = models.CharField(max_length=200, blank=True, default="")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "ai_sessions"
        verbose_name = "AI session"
        ordering: ClassVar[list[str]] = ["-started_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["conversation_id", "contact"],
                condition=~Q(conversation_id=""),
                nulls_distinct=False,
                name="aisession_conversation_once_per_contact",
            ),
            models.CheckConstraint(condition=~Q(session_type=""), name="aisession_type_given"),
            models.CheckConstraint(
                condition=Q(enrollment=None) | Q(contact__isnull=False),
                name="aisession_enrollment_has_its_contact",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="aisession_ends_after_it_starts",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["contact", "-started_at"], name="aisession_by_contact"),
            models.Index(fields=["enrollment", "-started_at"], name="aisession_by_enrollment"),
            models.Index(fields=["-started_at"], name="aisession_by_start"),
        ]

    def __str__(self) -> str:
        who = self.contact.display_name if self.contact else "unknown"
        return f"{self.session_type} · {who} · {self.started_at:%Y-%m-%d %H:%M}"
