"""How long what was said is kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.contacts.models import Contact
from apps.core.models import HistoryModel

LONGEST_DAYS = 36_500


class AiRetentionPolicy(HistoryModel):
    """For how many days texts are kept after a session's last message; the newest row counts.

    Null: until somebody erases them. Said by an owner, and never unsaid: what was once allowed
    to be destroyed stays on record.
    """

    days = models.PositiveIntegerField(null=True, blank=True)
    actor = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "ai_retention_policies"
        verbose_name = "AI retention policy"
        verbose_name_plural = "AI retention policies"
        ordering: ClassVar[list[str]] = ["-recorded_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(days=None) | Q(days__gte=1, days__lte=LONGEST_DAYS),
                name="airetentionpolicy_days_within_a_century",
            ),
        ]

    def __str__(self) -> str:
        return "kept until erased" if self.days is None else f"erased after {self.days} days"
