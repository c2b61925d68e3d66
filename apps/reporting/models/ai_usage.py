"""What AI was used for, by conversation, day and model."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from apps.ai_logs.models import AiSession
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.contacts.models import Contact
from apps.core.models import TenantModel
from apps.programs.models import Course, Program


class FactAiUsage(TenantModel):
    """What one conversation used of one model on one day, and what people thought of it.

    The day is that of the cohort's clock, else of UTC. The course is that of the item which the
    conversation was about; who had no enrolment has no cohort. Feedback on what no model said
    stands in a row without a model. Costs are US dollars; calls without such a price are counted
    apart. Nothing is known only here: `manage.py rebuild_facts` gives the same rows.
    """

    session = models.ForeignKey(AiSession, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    provider = models.CharField(max_length=100, blank=True, default="")
    model = models.CharField(max_length=200, blank=True, default="")
    contact = models.ForeignKey(
        Contact, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    enrollment = models.ForeignKey(
        CohortEnrollment, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    cohort = models.ForeignKey(
        Cohort, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    program = models.ForeignKey(
        Program, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    course = models.ForeignKey(
        Course, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    session_type = models.CharField(max_length=30)
    calls = models.PositiveIntegerField()
    input_tokens = models.PositiveBigIntegerField()
    output_tokens = models.PositiveBigIntegerField()
    cost_usd = models.DecimalField(max_digits=28, decimal_places=18)
    unpriced = models.PositiveIntegerField()
    thumbs_up = models.PositiveIntegerField()
    thumbs_down = models.PositiveIntegerField()
    flags = models.PositiveIntegerField()

    class Meta:
        db_table = "fact_ai_usage"
        verbose_name = "AI usage"
        verbose_name_plural = "AI usage"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["session", "day", "provider", "model"],
                name="factaiusage_once_per_day_and_model",
            ),
            models.CheckConstraint(
                condition=models.Q(unpriced__lte=models.F("calls")),
                name="factaiusage_unpriced_are_calls",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["day"], name="factaiusage_by_day"),
            models.Index(fields=["cohort", "day"], name="factaiusage_by_cohort"),
            models.Index(fields=["program", "day"], name="factaiusage_by_program"),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} · {self.day} · {self.model or '–'}"
