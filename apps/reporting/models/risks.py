"""From where on the learners of a cohort are at risk."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.cohorts.models import Cohort
from apps.core.models import TenantModel
from apps.reporting.risks import Thresholds


class RiskThresholds(TenantModel):
    """What a cohort has instead of the usual thresholds; empty switches a rule off."""

    cohort = models.OneToOneField(Cohort, on_delete=models.CASCADE, related_name="+")
    misses_left = models.PositiveSmallIntegerField(
        _("sessions that can still be missed"), null=True, blank=True, default=1
    )
    inactive_days = models.PositiveSmallIntegerField(
        _("days without activity"), null=True, blank=True, default=14
    )
    failed_results = models.PositiveSmallIntegerField(
        _("assessments not passed"), null=True, blank=True, default=1
    )
    overdue_days = models.PositiveSmallIntegerField(
        _("days overdue"), null=True, blank=True, default=0
    )
    locked_days = models.PositiveSmallIntegerField(
        _("days locked beyond the date"), null=True, blank=True, default=0
    )

    class Meta:
        db_table = "risk_thresholds"

    def __str__(self) -> str:
        return str(self.cohort)

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(
            misses_left=self.misses_left,
            inactive_days=self.inactive_days,
            failed_results=self.failed_results,
            overdue_days=self.overdue_days,
            locked_days=self.locked_days,
        )
