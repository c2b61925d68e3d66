"""What was said, what answering it took, and what people thought of the answers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from apps.ai_logs.models.contents import AiContent
from apps.ai_logs.models.sessions import AiSession
from apps.ai_logs.vocabulary import Rating, Role
from apps.contacts.models import Contact
from apps.core.models import HistoryModel, RevisionModel

COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
"""Counts of tokens. Those read from and written to a cache are among the input's, those spent on
reasoning among the output's."""

NO_COUNTS = Q(**dict.fromkeys(COUNTS))


class AiInteraction(HistoryModel):
    """One message of a session: a question, an answer of a model, an instruction, a tool's result.

    An answer that names no `call` *is* one: it carries what asking the model took, and the trace
    and span that it is known by, once. A message that was first seen among the inputs of a call
    names that `call`. `content` is null where the client sends no texts. Composite foreign keys
    hold that content, hash and call are of the same session.
    """

    session = models.ForeignKey(AiSession, on_delete=models.PROTECT, related_name="interactions")
    seq = models.PositiveIntegerField()
    role = models.CharField(max_length=20, choices=Role)
    operation = models.CharField(max_length=50, blank=True, default="")
    call = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="inputs"
    )
    content = models.ForeignKey(
        AiContent, null=True, blank=True, on_delete=models.PROTECT, related_name="interactions"
    )
    content_hash = models.BinaryField(max_length=32, null=True)
    provider = models.CharField(max_length=100, blank=True, default="")
    requested_model = models.CharField(max_length=200, blank=True, default="")
    responded_model = models.CharField(max_length=200, blank=True, default="")
    service_tier = models.CharField(max_length=50, blank=True, default="")
    input_tokens = models.PositiveIntegerField(null=True, blank=True)
    output_tokens = models.PositiveIntegerField(null=True, blank=True)
    cached_tokens = models.PositiveIntegerField(null=True, blank=True)
    cache_write_tokens = models.PositiveIntegerField(null=True, blank=True)
    reasoning_tokens = models.PositiveIntegerField(null=True, blank=True)
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    first_token_ms = models.PositiveIntegerField(null=True, blank=True)
    finish_reason = models.CharField(max_length=50, blank=True, default="")
    error = models.CharField(max_length=200, blank=True, default="")
    prompt_key = models.CharField(max_length=200, blank=True, default="")
    prompt_version = models.CharField(max_length=100, blank=True, default="")
    prompt_template = models.ForeignKey(
        AiContent, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    trace_id = models.CharField(max_length=32, blank=True, default="")
    span_id = models.CharField(max_length=16, blank=True, default="")
    occurred_at = models.DateTimeField()
    asserted_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "ai_interactions"
        verbose_name = "AI interaction"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["session", "seq"], name="aiinteraction_seq_once"),
            models.UniqueConstraint(
                fields=["trace_id", "span_id"],
                condition=~Q(span_id=""),
                name="aiinteraction_span_once",
            ),
            models.UniqueConstraint(fields=["id", "session"], name="aiinteraction_id_and_session"),
            models.CheckConstraint(
                condition=Q(trace_id="", span_id="") | (~Q(trace_id="") & ~Q(span_id="")),
                name="aiinteraction_span_whole",
            ),
            models.CheckConstraint(condition=~Q(role=""), name="aiinteraction_role_given"),
            models.CheckConstraint(
                condition=Q(content=None, content_hash=None)
                | Q(content__isnull=False, content_hash__isnull=False),
                name="aiinteraction_content_has_its_hash",
            ),
            models.CheckConstraint(
                condition=Q(role=Role.ASSISTANT, call=None) | NO_COUNTS,
                name="aiinteraction_only_calls_take_tokens",
            ),
            models.CheckConstraint(
                condition=Q(cached_tokens=None, cache_write_tokens=None)
                | Q(
                    input_tokens__isnull=False,
                    input_tokens__gte=Coalesce(F("cached_tokens"), 0)
                    + Coalesce(F("cache_write_tokens"), 0),
                ),
                name="aiinteraction_cached_is_part_of_input",
            ),
            models.CheckConstraint(
                condition=Q(reasoning_tokens=None)
                | Q(output_tokens__isnull=False, output_tokens__gte=F("reasoning_tokens")),
                name="aiinteraction_reasoning_is_part_of_output",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["occurred_at"], name="aiinteraction_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.seq}"

    @property
    def is_call(self) -> bool:
        """Whether a model was asked, as against a message that merely stands in the history."""
        return self.role == Role.ASSISTANT and self.call_id is None

    @property
    def model(self) -> str:
        """The model that answered, or that was asked for."""
        return self.responded_model or self.requested_model


class AiFeedback(RevisionModel):
    """What one person thinks of one interaction; who changes their mind adds a revision.

    The comment is sealed with the session's key, and so erased along with the conversation.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("interaction", "contact")

    interaction = models.ForeignKey(
        AiInteraction, on_delete=models.PROTECT, related_name="feedback"
    )
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="ai_feedback")
    rating = models.CharField(max_length=20, choices=Rating)
    sealed_comment = models.BinaryField(null=True)
    asserted_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "ai_feedback"
        verbose_name = "AI feedback"
        verbose_name_plural = "AI feedback"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["interaction", "contact", "revision"], name="aifeedback_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(rating__in=Rating.values), name="aifeedback_rating_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rating} · {self.contact_id}"
