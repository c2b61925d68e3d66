"""What an organisation is willing to spend, and what somebody has to look at."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.ai_logs.models.interactions import AiFeedback, AiInteraction
from apps.ai_logs.vocabulary import ReviewDecision, ReviewState
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, HistoryModel, TenantModel


class AiBudget(TenantModel):
    """What the organisation itself wants to spend on AI in the months from `valid_from` on.

    Until a later row says else; without an amount only the plan limits. `alert_percent` of what
    may be spent alarms the administrators once a month; a hard stop refuses new calls when it is
    used up. A month's row is replaced when somebody says another amount for it.
    """

    valid_from = models.DateField(unique=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="USD")
    alert_percent = models.DecimalField(
        max_digits=5, decimal_places=2, default=Decimal(80), help_text="Percent of the amount."
    )
    is_hard_stop = models.BooleanField(default=False)
    created_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "ai_budgets"
        verbose_name = "AI budget"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(valid_from__day=1), name="aibudget_starts_a_month"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="aibudget_not_negative"),
            models.CheckConstraint(
                condition=Q(alert_percent__gt=0, alert_percent__lte=100),
                name="aibudget_alert_within_0_and_100",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="aibudget_currency_iso_4217"
            ),
        ]

    def __str__(self) -> str:
        amount = "the plan's" if self.amount is None else f"{self.amount} {self.currency}"
        return f"{amount} from {self.valid_from}"


class AiMonthSpend(TenantModel):
    """A part of what the calls of a month (UTC) cost in US dollars; the parts of a month add up.

    A projection of the costs, kept in their transaction. It is in parts so that two who record at
    once seldom wait for each other. A part may be negative after a re-pricing, their sum is not.
    """

    month = models.DateField()
    part = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=28, decimal_places=18)
    unpriced = models.IntegerField(help_text="Calls without a price in US dollars.")

    class Meta:
        db_table = "ai_month_spend"
        verbose_name = "AI spending of a month"
        verbose_name_plural = "AI spending by month"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["month", "part"], name="aimonthspend_part_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="aimonthspend_is_of_a_month"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} · {self.amount} USD"


class AiBudgetAlert(HistoryModel):
    """That the administrators were told how much of a month's budget is spent. Once a month."""

    month = models.DateField(unique=True)
    spent = models.DecimalField(max_digits=28, decimal_places=18)
    allowed = models.DecimalField(max_digits=14, decimal_places=2)
    recipients = models.PositiveIntegerField()

    class Meta:
        db_table = "ai_budget_alerts"
        verbose_name = "AI budget alert"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(month__day=1), name="aibudgetalert_is_of_a_month"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} · {self.spent} of {self.allowed}"


class AiSafetyReview(TenantModel):
    """That somebody has to look at an interaction, because it was flagged; and what they decided.

    At most one is open for an interaction. A decided one is final; a later flag opens another.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    interaction = models.ForeignKey(
        AiInteraction, on_delete=models.PROTECT, related_name="safety_reviews"
    )
    feedback = models.ForeignKey(
        AiFeedback, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=ReviewState, default=ReviewState.OPEN)
    assignee = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decision = models.CharField(max_length=20, choices=ReviewDecision, blank=True, default="")
    note = models.TextField(blank=True, default="")
    decided_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "ai_safety_reviews"
        verbose_name = "AI safety review"
        ordering: ClassVar[list[str]] = ["-opened_at"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["interaction"],
                condition=Q(state=ReviewState.OPEN),
                name="aisafetyreview_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state=ReviewState.OPEN, decision="", decided_by=None, decided_at=None)
                | (
                    Q(
                        state=ReviewState.DECIDED,
                        decided_by__isnull=False,
                        decided_at__isnull=False,
                    )
                    & ~Q(decision="")
                ),
                name="aisafetyreview_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} · {self.interaction_id}"
