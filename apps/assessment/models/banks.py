"""Questions that are kept to be used in many assessments."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.assessment.models.questions import Question
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, TenantModel


class QuestionBank(TenantModel):
    """A collection of questions. What a version uses is copied into it, so a bank may change."""

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(
        Contact, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "question_banks"
        ordering: ClassVar[list[str]] = ["title"]

    def __str__(self) -> str:
        return self.title


class BankItem(TenantModel, Question):
    """One question of a bank. `source` tells which file, line and id it was imported from."""

    bank = models.ForeignKey(QuestionBank, on_delete=models.CASCADE, related_name="items")
    key = models.SlugField(max_length=100)
    category = models.CharField(max_length=500, blank=True, default="")
    tags: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    difficulty = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    source: models.JSONField[Any, Any] = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(Question.Meta):
        db_table = "bank_items"
        ordering: ClassVar[list[str]] = ["bank", "key"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Question.Meta.constraints,
            models.UniqueConstraint(fields=["bank", "key"], name="bankitem_key_once_per_bank"),
            models.CheckConstraint(
                condition=Q(difficulty=None) | Q(difficulty__gte=1, difficulty__lte=5),
                name="bankitem_difficulty_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.key
