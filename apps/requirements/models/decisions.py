"""What was decided, and on what evidence."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from apps.assessment.models import AssessmentResult
from apps.cohorts.models import AttendanceRecord, CohortEnrollment, ProgressEvent
from apps.contacts.models import Contact
from apps.core.models import HistoryModel, RevisionModel
from apps.requirements.models.people import RequirementAssignment, SignOff, Waiver
from apps.requirements.models.sets import RequirementNode, RequirementSetVersion
from apps.requirements.statuses import DecisionStatus, EvidenceKind


class RequirementEvaluation(RevisionModel):
    """A decision about one requirement of one enrolment: satisfied, waived, failed or reopened.

    It keeps the facts that it was given, as known at `known_at` and effective at `as_of`; deciding
    again from them must give the same. Its evidence is written first: the composite foreign key
    (id, primary_evidence_id) refuses a decision without any. Awards point at (id, contact,
    status). Written by `services.evaluations`.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("enrollment", "node")

    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="evaluations"
    )
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    node = models.ForeignKey(RequirementNode, on_delete=models.PROTECT, related_name="evaluations")
    set_version = models.ForeignKey(
        RequirementSetVersion, on_delete=models.PROTECT, related_name="evaluations"
    )
    status = models.CharField(max_length=10, choices=DecisionStatus)
    reason = models.CharField(max_length=40)
    occurred_at = models.DateTimeField()
    as_of = models.DateTimeField()
    known_at = models.DateTimeField()
    facts: models.JSONField[Any, Any] = models.JSONField()
    facts_hash = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=40)
    primary_evidence_id = models.UUIDField()

    class Meta:
        db_table = "requirement_evaluations"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "node", "revision"],
                name="requirementevaluation_revision_once",
            ),
            models.UniqueConstraint(
                fields=["id", "contact", "status"],
                name="requirementevaluation_id_contact_and_status",
            ),
            models.CheckConstraint(
                condition=Q(status__in=DecisionStatus.values),
                name="requirementevaluation_status_known",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["recorded_at"], name="evaluation_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.node} · {self.status}"


_POINTERS: dict[EvidenceKind, str] = {
    EvidenceKind.RESULT: "result",
    EvidenceKind.ATTENDANCE: "attendance",
    EvidenceKind.EVENT: "event",
    EvidenceKind.SIGNOFF: "signoff",
    EvidenceKind.WAIVER: "waiver",
    EvidenceKind.ASSIGNMENT: "assignment",
    EvidenceKind.EVALUATION: "decision",
}


def _points_at(kind: EvidenceKind) -> Q:
    pointers = {f"{field}__isnull": k != kind for k, field in _POINTERS.items()}
    return Q(kind=kind.value, **pointers)


class RequirementEvidenceLink(HistoryModel):
    """One row that a decision rests on; a check lets it point at exactly one.

    `evaluation_id` is a plain id because links are written before their evaluation; the
    evaluation's own key then proves that its primary link is there.
    """

    evaluation_id = models.UUIDField()
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=20, choices=EvidenceKind)
    result = models.ForeignKey(
        AssessmentResult, null=True, on_delete=models.PROTECT, related_name="+"
    )
    attendance = models.ForeignKey(
        AttendanceRecord, null=True, on_delete=models.PROTECT, related_name="+"
    )
    event = models.ForeignKey(ProgressEvent, null=True, on_delete=models.PROTECT, related_name="+")
    signoff = models.ForeignKey(SignOff, null=True, on_delete=models.PROTECT, related_name="+")
    waiver = models.ForeignKey(Waiver, null=True, on_delete=models.PROTECT, related_name="+")
    assignment = models.ForeignKey(
        RequirementAssignment, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decision = models.ForeignKey(
        RequirementEvaluation, null=True, on_delete=models.PROTECT, related_name="supports"
    )

    class Meta:
        db_table = "requirement_evidence_links"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["evaluation_id", "id"], name="evidencelink_evaluation_and_id"
            ),
            models.CheckConstraint(
                condition=reduce(or_, [_points_at(kind) for kind in EvidenceKind]),
                name="evidencelink_points_at_one_row",
            ),
            models.CheckConstraint(
                condition=Q(decision=None) | ~Q(decision=F("evaluation_id")),
                name="evidencelink_not_its_own_decision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evaluation_id} · {self.kind}"

    @property
    def target_id(self) -> Any:
        """Return the id of the row that it points at."""
        return getattr(self, f"{_POINTERS[EvidenceKind(self.kind)]}_id")


def pointer_field(kind: EvidenceKind) -> str:
    """Return the column of a link that points at evidence of this kind."""
    return f"{_POINTERS[kind]}_id"
