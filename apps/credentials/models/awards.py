"""Who was awarded what on which decision, what became of it, and what waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When

from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, RevisionModel, TenantModel
from apps.credentials.models.templates import CertificationTemplate, CertificationTemplateVersion
from apps.credentials.vocabulary import (
    AwardState,
    CredentialEventType,
    HoldCode,
    HoldResolution,
)
from apps.requirements.models import RequirementEvaluation
from apps.requirements.statuses import DecisionStatus


class AwardQuerySet(models.QuerySet[Any]):
    def with_state(self, at: datetime) -> Self:
        """Return the awards with their `state` at that moment, as an AwardState's value."""
        pauses = CredentialEvent.objects.filter(
            award=OuterRef("pk"),
            type__in=(CredentialEventType.SUSPENDED, CredentialEventType.REINSTATED),
        ).order_by("-revision")
        return self.annotate(latest_pause=Subquery(pauses.values("type")[:1])).annotate(
            state=Case(
                When(revoked_at__isnull=False, then=Value(AwardState.REVOKED.value)),
                When(expires_at__lte=at, then=Value(AwardState.EXPIRED.value)),
                When(
                    latest_pause=CredentialEventType.SUSPENDED,
                    then=Value(AwardState.SUSPENDED.value),
                ),
                default=Value(AwardState.ACTIVE.value),
                output_field=models.CharField(),
            )
        )

    def live(self) -> Self:
        """Return those that were not revoked."""
        return self.filter(revoked_at=None)


class CertificationAward(TenantModel):
    """One credential held by one learner, and the decision to award it.

    Rows are never deleted, so that a verifier can tell "revoked" from "never awarded", and
    nothing in them changes but `revoked_at`, once. The composite key (evaluation, contact,
    'satisfied') refuses an award without a satisfied evaluation of the same learner. The decision
    keeps the facts it was given, as known at `known_at`; deciding again from them must give the
    same. Written by `services.awards`.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    template = models.ForeignKey(
        CertificationTemplate, on_delete=models.PROTECT, related_name="awards"
    )
    template_version = models.ForeignKey(
        CertificationTemplateVersion, on_delete=models.PROTECT, related_name="awards"
    )
    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="awards"
    )
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="awards")
    evaluation = models.ForeignKey(
        RequirementEvaluation, on_delete=models.PROTECT, related_name="awards"
    )
    evaluation_status = models.CharField(
        max_length=10, default=DecisionStatus.SATISFIED.value, editable=False
    )
    certificate_number = models.CharField(max_length=40, unique=True)
    legal_name = models.CharField(max_length=200)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    granted_by = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="")
    replaces = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    known_at = models.DateTimeField()
    facts: models.JSONField[Any, Any] = models.JSONField()
    facts_hash = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=40)
    recorded_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    objects = AwardQuerySet.as_manager()

    state: str
    """An AwardState's value; only awards that were read `with_state` have it."""

    class Meta:
        db_table = "certification_awards"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["template", "contact", "issued_at"],
                name="award_once_per_template_contact_and_moment",
            ),
            models.UniqueConstraint(
                fields=["template", "enrollment"],
                condition=Q(revoked_at=None),
                name="award_one_live_per_template_and_enrollment",
            ),
            models.UniqueConstraint(fields=["id", "template"], name="award_id_and_template"),
            models.UniqueConstraint(fields=["id", "contact"], name="award_id_and_contact"),
            models.CheckConstraint(
                condition=Q(evaluation_status=DecisionStatus.SATISFIED.value),
                name="award_rests_on_a_satisfied_evaluation",
            ),
            models.CheckConstraint(
                condition=~Q(legal_name="") & ~Q(certificate_number=""), name="award_is_printable"
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("issued_at")),
                name="award_expires_after_it_is_issued",
            ),
            models.CheckConstraint(
                condition=Q(replaces=None) | ~Q(replaces=F("id")), name="award_replaces_another"
            ),
            models.CheckConstraint(
                condition=Q(granted_by=None) | ~Q(granted_by=F("contact")),
                name="award_not_to_oneself",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-issued_at"], name="award_by_time"),
        ]

    def __str__(self) -> str:
        return self.certificate_number


_WITH_REASON = (
    CredentialEventType.SUSPENDED,
    CredentialEventType.REINSTATED,
    CredentialEventType.REVOKED,
)


class CredentialEvent(RevisionModel):
    """Something that happened to an award, in one line from `issued` on; the state is their sum.

    The contact repeats the award's, held together by a composite key, so that the database can
    refuse who decides about themselves.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("award",)

    award = models.ForeignKey(CertificationAward, on_delete=models.PROTECT, related_name="events")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    type = models.CharField(max_length=20, choices=CredentialEventType)
    actor = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="")
    occurred_at = models.DateTimeField()

    class Meta:
        db_table = "credential_events"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["award", "revision"], name="credentialevent_revision_once"
            ),
            models.UniqueConstraint(
                fields=["award", "type"],
                condition=Q(
                    type__in=(
                        CredentialEventType.REVOKED,
                        CredentialEventType.EXPIRED,
                        CredentialEventType.RENEWED,
                    )
                ),
                name="credentialevent_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(type__in=CredentialEventType.values), name="credentialevent_type_known"
            ),
            models.CheckConstraint(
                condition=Q(type=CredentialEventType.ISSUED, revision=1)
                | (~Q(type=CredentialEventType.ISSUED) & Q(revision__gt=1)),
                name="credentialevent_begins_with_issued",
            ),
            models.CheckConstraint(
                condition=~Q(type__in=_WITH_REASON) | ~Q(reason=""),
                name="credentialevent_reason_given",
            ),
            models.CheckConstraint(
                condition=Q(actor=None) | ~Q(actor=F("contact")),
                name="credentialevent_not_about_oneself",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.award} · {self.type}"


class AwardHold(TenantModel):
    """Something about an award that waits for a person; while it is open nothing is awarded.

    With an award it asks whether that one still stands, without one whether there shall be one.
    Only its resolution is written later, once. `evaluation` is the decision that gave rise to it.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    template = models.ForeignKey(
        CertificationTemplate, on_delete=models.PROTECT, related_name="holds"
    )
    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="award_holds"
    )
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    award = models.ForeignKey(
        CertificationAward, null=True, on_delete=models.PROTECT, related_name="holds"
    )
    evaluation = models.ForeignKey(
        RequirementEvaluation, null=True, on_delete=models.PROTECT, related_name="+"
    )
    code = models.CharField(max_length=40, choices=HoldCode)
    reason = models.TextField()
    details: models.JSONField[Any, Any] = models.JSONField(default=dict)
    opened_by = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    resolution = models.CharField(max_length=20, choices=HoldResolution, blank=True, default="")
    resolution_reason = models.TextField(blank=True, default="")

    class Meta:
        db_table = "award_holds"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["template", "enrollment"],
                condition=Q(resolved_at=None),
                name="awardhold_one_open_per_template_and_enrollment",
            ),
            models.CheckConstraint(
                condition=Q(code__in=HoldCode.values), name="awardhold_code_known"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="awardhold_reason_given"),
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolved_by=None, resolution="", resolution_reason="")
                | (
                    Q(
                        resolved_at__isnull=False,
                        resolved_by__isnull=False,
                        resolution__in=HoldResolution.values,
                    )
                    & ~Q(resolution_reason="")
                ),
                name="awardhold_resolved_as_a_whole",
            ),
            models.CheckConstraint(
                condition=(Q(opened_by=None) | ~Q(opened_by=F("contact")))
                & (Q(resolved_by=None) | ~Q(resolved_by=F("contact"))),
                name="awardhold_not_about_oneself",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["opened_at"], condition=Q(resolved_at=None), name="awardhold_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} · {self.contact} · {self.code}"
