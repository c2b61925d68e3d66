"""What must be met, who it was asked of, what was decided, and on what evidence."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.assessment.models import AssessmentResult, AssessmentTemplate
from apps.cohorts.models import AttendanceRecord, CohortEnrollment, ProgressEvent
from apps.contacts.models import Contact
from apps.core.models import Definition, HistoryModel, RevisionModel, Version, VersionChild
from apps.core.versions import PublicationProblem
from apps.programs.models import Course, Program
from apps.requirements.graph import (
    EdgeCondition,
    EdgeKind,
    EdgeSpec,
    NodeKind,
    NodeSpec,
    Retention,
    VersionSpec,
    edge_key,
)
from apps.requirements.publication import graph_faults
from apps.requirements.statuses import DecisionStatus, EvidenceKind
from apps.requirements.targets import targets_of

LONGEST_DEADLINE_DAYS = 36_500


class Purpose(models.TextChoices):
    """Whether a set says what unlocks what, or what earns the award."""

    PROGRESSION = "progression"
    CERTIFICATION = "certification"


class RequirementSet(Definition):
    """The requirements of a program for one purpose.

    A program has one progression set; it may have several certification sets, one for each of its
    awards. The purpose can't change once a version was assigned: assignments repeat it and a
    composite foreign key holds both together.
    """

    program = models.ForeignKey(Program, on_delete=models.PROTECT, related_name="requirement_sets")
    purpose = models.CharField(max_length=20, choices=Purpose)

    class Meta:
        db_table = "requirement_sets"
        ordering: ClassVar[list[str]] = ["title"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(purpose__in=Purpose.values), name="requirementset_purpose_known"
            ),
            models.UniqueConstraint(
                fields=["program"],
                condition=Q(purpose=Purpose.PROGRESSION, archived_at=None),
                name="requirementset_one_progression_per_program",
            ),
            models.UniqueConstraint(fields=["id", "purpose"], name="requirementset_id_and_purpose"),
        ]


class RequirementSetVersion(Version):
    """A requirement graph, as a draft or frozen under a number."""

    definition = models.ForeignKey(
        RequirementSet, on_delete=models.PROTECT, related_name="versions"
    )

    class Meta(Version.Meta):
        db_table = "requirement_set_versions"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Version.Meta.constraints,
            models.UniqueConstraint(
                fields=["id", "definition"], name="requirementsetversion_id_and_definition"
            ),
        ]

    def spec(self) -> VersionSpec:
        """Return the graph as the evaluator reads it: two statements."""
        nodes = list(self.nodes.order_by("position", "key"))
        edges = self.edges.select_related("source", "target")
        return VersionSpec(
            nodes=tuple(node.spec() for node in nodes),
            edges=tuple(edge.spec() for edge in edges),
        )

    def before_publish(self) -> None:
        """Name the edges by their ends: a node's key may have changed since they were drawn."""
        for edge in self.edges.select_related("source", "target"):
            if edge.key != edge_key(edge.spec()):
                edge.save(update_fields=["key"])

    def publication_problems(self) -> list[PublicationProblem]:
        faults = graph_faults(
            self.spec(),
            targets_of(self.definition.program_id),
            needs_root=self.definition.purpose == Purpose.CERTIFICATION,
        )
        return [PublicationProblem(code=f.code, message=f.message, key=f.key) for f in faults]


# Kind -> what it must say, and what it may say. Everything else that is typed stays empty.
_SAYS: dict[NodeKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    NodeKind.COURSE_COMPLETED: (("course",), ()),
    NodeKind.MODULE_COMPLETED: (("course", "module_key"), ()),
    NodeKind.ITEM_COMPLETED: (("course", "item_key"), ()),
    NodeKind.ASSESSMENT_PASSED: (("assessment",), ("min_percent",)),
    NodeKind.ATTENDANCE: ((), ("attendance_count", "attendance_percent")),
    NodeKind.SIGNOFF: (("signoff_capability",), ()),
    NodeKind.CREDENTIAL_HELD: (("credential_program",), ()),
    NodeKind.MILESTONE: ((), ()),
    NodeKind.GROUP: ((), ("group_min_count", "group_min_credits")),
}
_TEXTS = ("module_key", "item_key", "signoff_capability")
_TYPED = (
    "course",
    "assessment",
    "min_percent",
    "attendance_count",
    "attendance_percent",
    "credential_program",
    "group_min_count",
    "group_min_credits",
    *_TEXTS,
)


def _is_empty(field: str) -> Q:
    return Q(**{field: ""}) if field in _TEXTS else Q(**{f"{field}__isnull": True})


def _kind_says(kind: NodeKind) -> Q:
    required, optional = _SAYS[kind]
    others = [field for field in _TYPED if field not in required + optional]
    said = [Q(kind=kind.value)]
    said += [_is_empty(field) for field in others]
    said += [~_is_empty(field) for field in required]
    return reduce(and_, said)


class RequirementNode(VersionChild):
    """One requirement. What it must and may say depends on its kind, and a check holds it to that.

    Courses, assessments and programs are named by their lasting identity, modules and items by
    their stable keys: what counts is the version that the learner's cohort pins.
    """

    version = models.ForeignKey(
        RequirementSetVersion, on_delete=models.CASCADE, related_name="nodes"
    )
    kind = models.CharField(max_length=20, choices=NodeKind)
    title = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=1)
    course = models.ForeignKey(
        Course, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    module_key = models.SlugField(max_length=100, blank=True, default="", db_index=False)
    item_key = models.SlugField(max_length=100, blank=True, default="", db_index=False)
    assessment = models.ForeignKey(
        AssessmentTemplate, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    min_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    attendance_count = models.PositiveSmallIntegerField(null=True, blank=True)
    attendance_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    signoff_capability = models.CharField(max_length=50, blank=True, default="")
    credential_program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    group_min_count = models.PositiveSmallIntegerField(null=True, blank=True)
    group_min_credits = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    credits = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    deadline_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(LONGEST_DEADLINE_DAYS)]
    )
    deadline_on = models.DateField(null=True, blank=True)
    retention = models.CharField(max_length=10, choices=Retention, default=Retention.STICKY)
    is_root = models.BooleanField(default=False)

    class Meta(VersionChild.Meta):
        db_table = "requirement_nodes"
        ordering: ClassVar[list[str]] = ["position", "key"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.UniqueConstraint(
                fields=["id", "version"], name="requirementnode_id_and_version"
            ),
            models.UniqueConstraint(
                fields=["version"], condition=Q(is_root=True), name="requirementnode_one_root"
            ),
            models.CheckConstraint(
                condition=reduce(or_, [_kind_says(kind) for kind in NodeKind]),
                name="requirementnode_says_what_its_kind_says",
            ),
            models.CheckConstraint(
                condition=~Q(kind=NodeKind.ATTENDANCE.value)
                | Q(attendance_count__isnull=True, attendance_percent__isnull=False)
                | Q(attendance_count__isnull=False, attendance_percent__isnull=True),
                name="requirementnode_attendance_by_count_or_share",
            ),
            models.CheckConstraint(
                condition=Q(group_min_count__isnull=True) | Q(group_min_credits__isnull=True),
                name="requirementnode_group_by_count_or_credits",
            ),
            models.CheckConstraint(
                condition=(Q(min_percent=None) | Q(min_percent__gte=0, min_percent__lte=100))
                & (
                    Q(attendance_percent=None)
                    | Q(attendance_percent__gt=0, attendance_percent__lte=100)
                )
                & (Q(attendance_count=None) | Q(attendance_count__gte=1))
                & (Q(group_min_count=None) | Q(group_min_count__gte=1))
                & (Q(group_min_credits=None) | Q(group_min_credits__gt=0))
                & (Q(credits=None) | Q(credits__gte=0)),
                name="requirementnode_numbers_in_range",
            ),
            models.CheckConstraint(
                condition=(Q(deadline_days=None) | Q(deadline_on=None))
                & (
                    Q(deadline_days=None)
                    | Q(deadline_days__gte=0, deadline_days__lte=LONGEST_DEADLINE_DAYS)
                ),
                name="requirementnode_one_deadline",
            ),
            models.CheckConstraint(
                condition=Q(retention__in=Retention.values), name="requirementnode_retention_known"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def spec(self) -> NodeSpec:
        """Return the node as the evaluator reads it."""
        return NodeSpec(
            key=self.key,
            kind=NodeKind(self.kind),
            title=self.title,
            course=self.course_id,
            module_key=self.module_key,
            item_key=self.item_key,
            assessment=self.assessment_id,
            min_percent=self.min_percent,
            attendance_count=self.attendance_count,
            attendance_percent=self.attendance_percent,
            signoff_capability=self.signoff_capability,
            credential_program=self.credential_program_id,
            group_min_count=self.group_min_count,
            group_min_credits=self.group_min_credits,
            credits=self.credits,
            deadline_days=self.deadline_days,
            deadline_on=self.deadline_on,
            retention=Retention(self.retention),
            is_root=self.is_root,
        )


class RequirementEdge(VersionChild):
    """`source` is a member of, comes before, or unlocks `target`.

    Only unlocking edges carry a condition other than "satisfied". The key is made of the ends,
    the kind and the condition, so that an edge is recognised in the next version.
    """

    version = models.ForeignKey(
        RequirementSetVersion, on_delete=models.CASCADE, related_name="edges"
    )
    source = models.ForeignKey(RequirementNode, on_delete=models.CASCADE, related_name="edges_out")
    target = models.ForeignKey(RequirementNode, on_delete=models.CASCADE, related_name="edges_in")
    kind = models.CharField(max_length=20, choices=EdgeKind)
    condition = models.CharField(
        max_length=20, choices=EdgeCondition, default=EdgeCondition.SATISFIED
    )
    threshold = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )

    class Meta(VersionChild.Meta):
        db_table = "requirement_edges"
        ordering: ClassVar[list[str]] = ["key"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(source=F("target")), name="requirementedge_between_two_nodes"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=EdgeKind.values), name="requirementedge_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(condition=EdgeCondition.SATISFIED)
                | Q(kind=EdgeKind.UNLOCK, condition__in=EdgeCondition.values),
                name="requirementedge_condition_unlocks",
            ),
            models.CheckConstraint(
                condition=Q(
                    condition__in=(EdgeCondition.SATISFIED, EdgeCondition.FAILED), threshold=None
                )
                | Q(
                    condition__in=(EdgeCondition.SCORE_AT_LEAST, EdgeCondition.SCORE_BELOW),
                    threshold__isnull=False,
                    threshold__gte=0,
                    threshold__lte=100,
                ),
                name="requirementedge_threshold_of_a_score",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = edge_key(self.spec())
        super().save(*args, **kwargs)

    def spec(self) -> EdgeSpec:
        """Return the edge as the evaluator reads it."""
        return EdgeSpec(
            source=self.source.key,
            target=self.target.key,
            kind=EdgeKind(self.kind),
            condition=EdgeCondition(self.condition),
            threshold=self.threshold,
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
        return f"{self.enrollment_id} · {self.set_version_id}"


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
