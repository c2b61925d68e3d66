"""Taking an assessment: when it may be taken, the attempt, and what was answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.assessment.models.templates import (
    AssessmentItem,
    AssessmentTemplate,
    AssessmentVersion,
)
from apps.assessment.vocabulary import AttemptStatus
from apps.cohorts.models import Cohort, CohortEnrollment
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, HistoryModel, TenantModel


class CohortGradebook(Cohort):
    """A cohort, looked at for the results of its learners.

    No table of its own: the back office lists cohorts under this name.
    """

    class Meta:
        proxy = True
        verbose_name = _("gradebook")
        verbose_name_plural = _("gradebooks")


class AssessmentWindow(TenantModel):
    """When a cohort may take an assessment, and what differs for it from the version's terms."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="assessment_windows")
    template = models.ForeignKey(
        AssessmentTemplate, on_delete=models.PROTECT, related_name="windows"
    )
    opens_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    attempts_allowed = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    time_limit_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )

    class Meta:
        db_table = "assessment_windows"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["cohort", "template"], name="window_one_per_cohort_and_template"
            ),
            models.CheckConstraint(
                condition=(Q(due_at=None) | Q(opens_at=None) | Q(due_at__gt=F("opens_at")))
                & (Q(closes_at=None) | Q(opens_at=None) | Q(closes_at__gt=F("opens_at")))
                & (Q(closes_at=None) | Q(due_at=None) | Q(closes_at__gte=F("due_at"))),
                name="window_times_in_order",
            ),
            models.CheckConstraint(
                condition=(Q(attempts_allowed=None) | Q(attempts_allowed__gte=1))
                & (Q(time_limit_seconds=None) | Q(time_limit_seconds__gte=1)),
                name="window_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cohort} · {self.template}"


class Accommodation(TenantModel):
    """What a learner is granted because of who they are: more time, more attempts.

    Without a template it holds for every assessment; one for the template goes before it. It is
    ended, never deleted: attempts have frozen what it said.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="accommodations")
    template = models.ForeignKey(
        AssessmentTemplate,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="accommodations",
    )
    time_multiplier = models.DecimalField(
        max_digits=4,
        decimal_places=2,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(1)), MaxValueValidator(Decimal(10))],
    )
    extra_attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField()
    granted_by = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "accommodations"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["contact", "template"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="accommodation_one_live_per_learner",
            ),
            models.CheckConstraint(
                condition=Q(time_multiplier__gte=1, time_multiplier__lte=10),
                name="accommodation_multiplier_in_range",
            ),
            models.CheckConstraint(
                condition=~Q(contact=F("granted_by")), name="accommodation_not_for_oneself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} ×{self.time_multiplier}"


class AssessmentAttempt(TenantModel):
    """One learner taking one version of an assessment once.

    Everything it was taken under is frozen on it: version, seed, the items in their order, the
    effective policy and the deadline. A trigger keeps those columns and lets the status move only
    in_progress -> submitted -> graded, and to void. The learner is shown `ends_at`; the server
    accepts until `accepts_until` (the grace), and closes an expired attempt as of `ends_at`.
    Written by `services.attempts` and `services.grading`.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="attempts"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.PROTECT, related_name="assessment_attempts"
    )
    template = models.ForeignKey(
        AssessmentTemplate, on_delete=models.PROTECT, related_name="attempts"
    )
    version = models.ForeignKey(
        AssessmentVersion, on_delete=models.PROTECT, related_name="attempts"
    )
    attempt_no = models.PositiveSmallIntegerField()
    status = models.CharField(
        max_length=20, choices=AttemptStatus, default=AttemptStatus.IN_PROGRESS
    )
    started_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    accepts_until = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_by_server = models.BooleanField(default=False)
    graded_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    seed = models.CharField(max_length=32)
    item_order: models.JSONField[Any, Any] = models.JSONField()
    policy: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        db_table = "assessment_attempts"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "template"],
                condition=Q(status=AttemptStatus.IN_PROGRESS),
                name="attempt_one_open_per_learner",
            ),
            models.UniqueConstraint(
                fields=["enrollment", "template", "attempt_no"], name="attempt_number_once"
            ),
            models.UniqueConstraint(fields=["id", "contact"], name="attempt_id_and_contact"),
            models.UniqueConstraint(fields=["id", "version"], name="attempt_id_and_version"),
            models.CheckConstraint(condition=Q(attempt_no__gte=1), name="attempt_number_from_one"),
            models.CheckConstraint(
                condition=Q(
                    status=AttemptStatus.IN_PROGRESS,
                    submitted_at=None,
                    graded_at=None,
                    voided_at=None,
                )
                | Q(
                    status=AttemptStatus.SUBMITTED,
                    submitted_at__isnull=False,
                    graded_at=None,
                    voided_at=None,
                )
                | Q(
                    status=AttemptStatus.GRADED,
                    submitted_at__isnull=False,
                    graded_at__isnull=False,
                    voided_at=None,
                )
                | Q(status=AttemptStatus.VOID, voided_at__isnull=False),
                name="attempt_status_has_its_times",
            ),
            models.CheckConstraint(
                condition=(Q(ends_at=None) & Q(accepts_until=None))
                | Q(
                    ends_at__gt=F("started_at"),
                    accepts_until__gte=F("ends_at"),
                    accepts_until__isnull=False,
                ),
                name="attempt_ends_after_it_starts",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["accepts_until"],
                condition=Q(status=AttemptStatus.IN_PROGRESS),
                name="attempt_open_by_deadline",
            ),
            models.Index(fields=["template", "status"], name="attempt_by_template"),
        ]

    def __str__(self) -> str:
        return f"{self.template} · {self.attempt_no}"


class AssessmentResponse(TenantModel):
    """What a learner answers to one item: the last valid value, which is the one graded.

    A newer one that could not be read (`fault`) is kept in `invalid_value` and shown. `sequence`
    is the client's: older saves are ignored. `version` repeats the attempt's and the item's, and
    composite foreign keys hold them together: an answer to an item of another version cannot be
    written. Written by `services.autosave` alone.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    attempt = models.ForeignKey(
        AssessmentAttempt, on_delete=models.PROTECT, related_name="responses"
    )
    item = models.ForeignKey(AssessmentItem, on_delete=models.PROTECT, related_name="responses")
    version = models.ForeignKey(AssessmentVersion, on_delete=models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()
    value: models.JSONField[Any, Any] = models.JSONField(null=True)
    invalid_value: models.JSONField[Any, Any] = models.JSONField(null=True)
    fault = models.CharField(max_length=50, blank=True, default="")
    saved_at = models.DateTimeField()

    class Meta:
        db_table = "assessment_responses"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["attempt", "item"], name="response_one_per_item"),
            models.CheckConstraint(
                condition=Q(fault="", invalid_value__isnull=True)
                | (~Q(fault="") & Q(invalid_value__isnull=False)),
                name="response_fault_keeps_its_value",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id} · {self.item_id}"


class ResponseRevision(HistoryModel):
    """One save of a response as it came, in the order of the client's sequence."""

    response = models.ForeignKey(
        AssessmentResponse, on_delete=models.PROTECT, related_name="revisions"
    )
    sequence = models.PositiveBigIntegerField()
    value: models.JSONField[Any, Any] = models.JSONField(null=True)
    fault = models.CharField(max_length=50, blank=True, default="")
    saved_at = models.DateTimeField()

    class Meta:
        db_table = "response_revisions"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["response", "sequence"], name="responserevision_sequence_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.response_id} · {self.sequence}"
