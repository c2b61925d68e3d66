"""What was ordered: mirrors of the shop's own records, and what came of each line."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.commerce.currencies import in_words
from apps.commerce.models.sources import Sellable, Source
from apps.commerce.vocabulary import LineOutcome, PaymentState
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, TenantModel


class Order(TenantModel):
    """An order as its shop told it last.

    `revision` and `updated_at` are the shop's own: a trigger refuses an update that would take
    them back. The row is also the lock under which an order's lines are granted and withdrawn.
    Written by `services.receiving`.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="orders")
    external_id = models.CharField(max_length=200)
    number = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=10, choices=PaymentState)
    currency = models.CharField(max_length=10)
    total = models.DecimalField(max_digits=18, decimal_places=4)
    buyer = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="orders")
    buyer_email = models.CharField(max_length=254)
    buyer_name = models.CharField(max_length=200, blank=True, default="")
    placed_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveBigIntegerField(null=True, blank=True)
    updated_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "orders"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["source", "external_id"], name="order_once_per_source"),
            models.UniqueConstraint(fields=["id", "source"], name="order_id_and_source"),
            models.CheckConstraint(
                condition=Q(state__in=PaymentState.values), name="order_state_known"
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["buyer"], name="order_by_buyer"),
        ]

    def __str__(self) -> str:
        return self.number or self.external_id

    @property
    def total_in_words(self) -> str:
        return in_words(self.total, self.currency)


class OrderLine(TenantModel):
    """One thing for one person in an order, and what came of it here.

    `source` repeats the order's: composite keys hold line, order and sellable to the same one.
    `outcome` says what was decided; whether the learner has a seat is for the enrolment to say.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    external_id = models.CharField(max_length=200)
    position = models.PositiveIntegerField(default=0)
    sku = models.CharField("SKU", max_length=200)
    title = models.CharField(max_length=200, blank=True, default="")
    quantity = models.PositiveIntegerField(default=1)
    amount = models.DecimalField(max_digits=18, decimal_places=4)
    state = models.CharField(max_length=10, choices=PaymentState)
    beneficiary_email = models.CharField(max_length=254, blank=True, default="")
    beneficiary_name = models.CharField(max_length=200, blank=True, default="")
    learner = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="order_lines")
    sellable = models.ForeignKey(
        Sellable, null=True, blank=True, on_delete=models.PROTECT, related_name="lines"
    )
    outcome = models.CharField(
        max_length=12, choices=LineOutcome, default=LineOutcome.WAITING, editable=False
    )
    reason = models.CharField(max_length=100, blank=True, default="", editable=False)
    reason_detail = models.CharField(max_length=500, blank=True, default="", editable=False)
    outcome_at = models.DateTimeField(null=True, blank=True, editable=False)
    dismissed_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    dismissed_because = models.TextField(blank=True, default="")

    class Meta:
        db_table = "order_lines"
        ordering: ClassVar[list[str]] = ["position", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["order", "external_id"], name="orderline_once"),
            models.CheckConstraint(
                condition=Q(state__in=PaymentState.values), name="orderline_state_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=LineOutcome.values), name="orderline_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0, quantity__gte=1), name="orderline_amounts_make_sense"
            ),
            models.CheckConstraint(
                condition=(
                    Q(outcome__in=(LineOutcome.UNRESOLVED, LineOutcome.DISMISSED)) & ~Q(reason="")
                )
                | (~Q(outcome__in=(LineOutcome.UNRESOLVED, LineOutcome.DISMISSED)) & Q(reason="")),
                name="orderline_unresolved_with_a_reason",
            ),
            models.CheckConstraint(
                condition=(
                    Q(outcome=LineOutcome.DISMISSED, dismissed_by__isnull=False)
                    & ~Q(dismissed_because="")
                )
                | (~Q(outcome=LineOutcome.DISMISSED) & Q(dismissed_by=None, dismissed_because="")),
                name="orderline_dismissed_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=LineOutcome.GRANTED)
                | Q(state=PaymentState.PAID, sellable__isnull=False),
                name="orderline_granted_when_paid",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["outcome_at"],
                condition=Q(outcome=LineOutcome.UNRESOLVED),
                name="orderline_unresolved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} · {self.title or self.sku}"
