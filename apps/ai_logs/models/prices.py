"""What tokens cost, since when, and what each call cost."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.ai_logs.models.interactions import AiInteraction
from apps.ai_logs.vocabulary import TokenType, Unpriced
from apps.contacts.models import Contact
from apps.core.models import RevisionModel


class AiModelPrice(RevisionModel):
    """The price of a million tokens of one type from a day on (UTC).

    Prices of a token type replace each other by `valid_from`. Beside the plain price there may be
    one for each service tier, for long inputs (more than `above_input_tokens`), and for hours of
    the day ("16:30-00:30", UTC). A correction of the same day is a revision; costs keep the row
    that they were computed with.
    """

    subject_fields: ClassVar[tuple[str, ...]] = (
        "provider",
        "model",
        "token_type",
        "valid_from",
        "service_tier",
        "above_input_tokens",
        "hours",
    )

    provider = models.CharField(max_length=100)
    model = models.CharField(max_length=200)
    token_type = models.CharField(max_length=20, choices=TokenType)
    valid_from = models.DateField()
    service_tier = models.CharField(max_length=50, blank=True, default="")
    above_input_tokens = models.PositiveIntegerField(default=0)
    hours = models.CharField(max_length=11, blank=True, default="")
    price_per_million = models.DecimalField(max_digits=20, decimal_places=12)
    currency = models.CharField(max_length=3, default="USD")
    source = models.CharField(max_length=100)
    recorded_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "ai_model_prices"
        verbose_name = "AI model price"
        ordering: ClassVar[list[str]] = ["provider", "model", "token_type", "-valid_from"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=[
                    "provider",
                    "model",
                    "token_type",
                    "valid_from",
                    "service_tier",
                    "above_input_tokens",
                    "hours",
                    "revision",
                ],
                name="aimodelprice_revision_once",
            ),
            models.CheckConstraint(
                condition=Q(token_type__in=TokenType.values), name="aimodelprice_type_known"
            ),
            models.CheckConstraint(
                condition=Q(price_per_million__gte=0), name="aimodelprice_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="aimodelprice_currency_iso_4217"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["model"], name="aimodelprice_by_model"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.model} · {self.token_type} · {self.valid_from}"


class AiInteractionCost(RevisionModel):
    """What one call cost, with the prices that it was computed from; fixed when it was written.

    A null amount is an unknown cost and says why; it is not nothing. Re-pricing adds a revision.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("interaction",)

    interaction = models.ForeignKey(AiInteraction, on_delete=models.PROTECT, related_name="costs")
    amount = models.DecimalField(max_digits=28, decimal_places=18, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    unpriced_because = models.CharField(max_length=20, choices=Unpriced, blank=True, default="")
    input_price = models.ForeignKey(
        AiModelPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cached_input_price = models.ForeignKey(
        AiModelPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    cache_write_price = models.ForeignKey(
        AiModelPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    output_price = models.ForeignKey(
        AiModelPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reasoning_price = models.ForeignKey(
        AiModelPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    request_price = models.ForeignKey(
        AiModelPrice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "ai_interaction_costs"
        verbose_name = "AI interaction cost"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["interaction", "revision"], name="aiinteractioncost_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__isnull=False,
                    amount__gte=0,
                    currency__regex=r"^[A-Z]{3}$",
                    unpriced_because="",
                )
                | (Q(amount=None, currency="") & ~Q(unpriced_because="")),
                name="aiinteractioncost_known_or_says_why",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["interaction"],
                condition=Q(amount=None),
                name="aiinteractioncost_unknown",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}" if self.amount is not None else "unknown"
