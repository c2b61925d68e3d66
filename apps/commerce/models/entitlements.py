"""What somebody may take part in because it was paid for."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.cohorts.models import CohortEnrollment
from apps.commerce.models.orders import OrderLine
from apps.commerce.models.sources import Sellable
from apps.commerce.vocabulary import GRANTING, Effect, EntitlementState
from apps.contacts.models import Contact
from apps.core.models import RevisionModel


class Entitlement(RevisionModel):
    """One statement about what a line entitles to: granted, withdrawn, granted again.

    Grants and withdrawals take turns, which the number's parity holds them to. A composite key
    proves that the enrolment is this learner's. Nothing earned hangs on it: withdrawing ends
    participation and nothing else. `actor` is null where the shop is the reason.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("line",)

    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="entitlements")
    sellable = models.ForeignKey(Sellable, on_delete=models.PROTECT, related_name="entitlements")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="entitlements")
    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="entitlements"
    )
    state = models.CharField(max_length=10, choices=EntitlementState)
    effect = models.CharField(max_length=20, choices=Effect)
    actor = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "entitlements"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["line", "revision"], name="entitlement_revision_once"),
            models.CheckConstraint(
                condition=Q(state=EntitlementState.GRANTED, effect__in=GRANTING)
                | (
                    Q(state=EntitlementState.WITHDRAWN, effect__in=Effect.values)
                    & ~Q(effect__in=GRANTING)
                ),
                name="entitlement_effect_fits_its_state",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["enrollment"], name="entitlement_by_enrollment"),
            models.Index(fields=["contact"], name="entitlement_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.line} · {self.state}"
