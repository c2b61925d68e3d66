"""What an item of a version and an item of a bank have in common."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.assessment.questions.items import AnswerKey
from apps.assessment.questions.keys import (
    KeyRefused,
    default_grader,
    default_rule,
    key_as_json,
    read_key,
)
from apps.assessment.vocabulary import GradedBy, Kind, Rule

MAX_POINTS = Decimal(10_000)


class Question(models.Model):
    """A question with its answer key. `key_data` is what `questions.keys` reads and writes.

    A rule or grader that the author left open is the kind's default (`clean`).
    """

    kind = models.CharField(max_length=30, choices=Kind)
    title = models.CharField(max_length=200, blank=True, default="")
    prompt_markdown = models.TextField()
    points = models.DecimalField(
        max_digits=9,
        decimal_places=4,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(MAX_POINTS)],
    )
    key_data: models.JSONField[Any, Any] = models.JSONField(default=dict)
    scoring_rule = models.CharField(max_length=30, choices=Rule, blank=True)
    graded_by = models.CharField(max_length=10, choices=GradedBy, blank=True)
    feedback_markdown = models.TextField(blank=True, default="")

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="%(class)s_kind_known"),
            models.CheckConstraint(
                condition=Q(scoring_rule__in=Rule.values), name="%(class)s_rule_known"
            ),
            models.CheckConstraint(
                condition=Q(graded_by=GradedBy.PERSON)
                | (Q(graded_by=GradedBy.ENGINE) & ~Q(kind=Kind.ESSAY)),
                name="%(class)s_essay_graded_by_a_person",
            ),
            models.CheckConstraint(
                condition=Q(points__gte=0, points__lte=MAX_POINTS), name="%(class)s_points_in_range"
            ),
        ]

    def clean(self) -> None:
        """Check the answer key and put it, the rule and the grader in their stored form."""
        super().clean()
        self.scoring_rule = self.scoring_rule or default_rule(self.kind)
        self.graded_by = self.graded_by or default_grader(self.kind)
        try:
            self.key_data = key_as_json(self.read_key())
        except KeyRefused as refused:
            faults = [f"{fault.path}: {fault.message}" for fault in refused.faults]
            raise ValidationError({"key_data": faults}, code="key-refused") from refused

    def read_key(self) -> AnswerKey:
        """Return the answer key; raises KeyRefused while a draft's is not right."""
        return read_key(self.kind, self.scoring_rule, self.key_data)
