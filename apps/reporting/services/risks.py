"""From where on the learners of a cohort are at risk."""

from __future__ import annotations

from dataclasses import asdict

from django.db import transaction

from apps.cohorts.models import Cohort
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.reporting.models import RiskThresholds
from apps.reporting.risks import Thresholds


@transaction.atomic
def set_thresholds(*, cohort: Cohort, thresholds: Thresholds, actor: Contact) -> RiskThresholds:
    """Return what holds for the cohort from now on; the record of acts says what held before.

    Whether the actor runs the cohort is the caller's question.
    """
    Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
    before = RiskThresholds.objects.filter(cohort=cohort).first()
    row, _created = RiskThresholds.objects.update_or_create(
        cohort=cohort, defaults=asdict(thresholds)
    )
    record_admin_action(
        actor=actor,
        action="cohort.risk_thresholds_set",
        entity=cohort,
        details={
            "before": asdict(before.thresholds if before else Thresholds()),
            "after": asdict(thresholds),
        },
    )
    return row
