"""What shops delivered."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.commerce.models.orders import Order
from apps.commerce.models.sources import Source, SourceSecret
from apps.commerce.vocabulary import ACCEPTED, DeliveryOutcome
from apps.core.models import HistoryModel


class WebhookDelivery(HistoryModel):
    """One webhook as it arrived: who signed it, what it was (by its digest), what became of it.

    A webhook is accepted once: the second delivery of an id is a duplicate, which the database
    holds us to. What was in it lives in the order it is about, not here.
    """

    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.PROTECT, related_name="deliveries"
    )
    secret = models.ForeignKey(
        SourceSecret, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    webhook_id = models.CharField("webhook-id", max_length=255)
    sent_at = models.DateTimeField(null=True, blank=True)
    type = models.CharField(max_length=100, blank=True, default="")
    body_sha256 = models.CharField("SHA-256 of the body", max_length=64)
    body_bytes = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=DeliveryOutcome)
    code = models.CharField(max_length=100, blank=True, default="")
    detail = models.CharField(max_length=500, blank=True, default="")
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="deliveries"
    )

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["source", "webhook_id"],
                condition=Q(outcome__in=ACCEPTED),
                name="webhookdelivery_accepted_once",
            ),
            models.CheckConstraint(
                condition=Q(outcome=DeliveryOutcome.REFUSED) & ~Q(code="")
                | Q(
                    outcome__in=(*ACCEPTED, DeliveryOutcome.DUPLICATE),
                    code="",
                    source__isnull=False,
                    secret__isnull=False,
                    sent_at__isnull=False,
                ),
                name="webhookdelivery_signed_or_refused",
            ),
            models.CheckConstraint(
                condition=Q(body_sha256__regex=r"^[0-9a-f]{64}$"),
                name="webhookdelivery_has_a_digest",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-recorded_at"], name="webhookdelivery_by_time"),
        ]

    def __str__(self) -> str:
        return self.webhook_id
