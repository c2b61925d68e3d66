"""What is remembered of traces until their calls have found their conversation."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, TenantModel


class AiTraceContext(TenantModel):
    """What a span says about the calls below it: the conversation, the person, the course.

    Kept for some days, because children are sent before their parents, and some after them.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "DELETE")

    trace_id = models.CharField(max_length=32)
    span_id = models.CharField(max_length=16)
    parent_span_id = models.CharField(max_length=16, blank=True, default="")
    context: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "ai_trace_contexts"
        verbose_name = "AI trace context"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["trace_id", "span_id"], name="aitracecontext_span_once"
            ),
            models.CheckConstraint(
                condition=~Q(trace_id="") & ~Q(span_id=""), name="aitracecontext_span_whole"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["created_at"], name="aitracecontext_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.trace_id}/{self.span_id}"


class AiPendingSpan(TenantModel):
    """A call whose conversation is not known yet: its parent has not been sent.

    Sealed under the environment's key, as it holds what was said. It becomes interactions when
    the parent comes or when nobody can expect it any more, and the row goes.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE", "DELETE")

    trace_id = models.CharField(max_length=32)
    span_id = models.CharField(max_length=16)
    parent_span_id = models.CharField(max_length=16)
    sealed_span = models.BinaryField()
    received_by = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()

    class Meta:
        db_table = "ai_pending_spans"
        verbose_name = "AI span without its parent"
        verbose_name_plural = "AI spans without their parents"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["trace_id", "span_id"], name="aipendingspan_span_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["received_at"], name="aipendingspan_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.trace_id}/{self.span_id}"
