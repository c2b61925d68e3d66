"""Whom a set was assigned to, and what people said: sign-offs and waivers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.core.models import RevisionModel
from apps.requirements.models.sets import (
    Purpose,
    RequirementNode,
    RequirementSet,
    RequirementSetVersion,
)


class RequirementAssignment(RevisionModel):
    """From when which version of a set holds for an enrolment, and why.

    A new version touches nobody until it is assigned. Without an actor the platform assigned it,
    when the learner enrolled. Written by `services.assignments`.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("enrollment", "requirement_set")

    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="requirement_assignments"
    )
    requirement_set = models.ForeignKey(
        RequirementSet, on_delete=models.PROTECT, related_name="assignments"
    )
    set_version = models.ForeignKey(
        RequirementSetVersion, on_delete=models.PROTECT, related_name="assignments"
    )
    purpose = models.CharField(max_length=20, choices=Purpose)
    effective_from = models.DateTimeField()
    reason = models.TextField()
    actor = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "requirement_assignments"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "requirement_set", "revision"],
                name="requirementassignment_revision_once",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="requirementassignment_reason_given"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment} · {self.set_version}"


class EnrollmentStanding(CohortEnrollment):
    """An enrolment, looked at for what its learner has met and what is still asked.

    No table of its own: the back office lists and opens enrolments under this name.
    """

    class Meta:
        proxy = True
        verbose_name = "learner's standing"
        verbose_name_plural = "learners' standings"


class SignOffStatus(models.TextChoices):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class SignOff(RevisionModel):
    """A person's word that a learner can do something, or that this word is taken back.

    Nobody signs off their own work. Counts for the node of the same key in later versions of the
    set: an author who keeps the key says that it is the same requirement.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("enrollment", "node")

    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="signoffs"
    )
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey(RequirementNode, on_delete=models.PROTECT, related_name="signoffs")
    status = models.CharField(max_length=10, choices=SignOffStatus)
    actor = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="")
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "requirement_signoffs"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "node", "revision"], name="signoff_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(status=SignOffStatus.GIVEN)
                | (Q(status=SignOffStatus.WITHDRAWN) & ~Q(reason="")),
                name="signoff_withdrawn_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(actor=F("contact")), name="signoff_not_ones_own_work"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.node} · {self.status}"


class WaiverStatus(models.TextChoices):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class Waiver(RevisionModel):
    """A person's decision that a learner need not meet a requirement, or that this is taken back.

    Always with a reason, never for oneself; `expires_at` null holds for good. Counts for the node
    of the same key in later versions of the set, as a sign-off does.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("enrollment", "node")

    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="waivers"
    )
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey(RequirementNode, on_delete=models.PROTECT, related_name="waivers")
    status = models.CharField(max_length=10, choices=WaiverStatus)
    actor = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    occurred_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "requirement_waivers"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "node", "revision"], name="waiver_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=WaiverStatus.values), name="waiver_status_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="waiver_reason_given"),
            models.CheckConstraint(condition=~Q(actor=F("contact")), name="waiver_not_for_oneself"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("occurred_at")),
                name="waiver_expires_after_it_is_granted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.node} · {self.status}"
