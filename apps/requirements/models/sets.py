"""What must be met: sets with frozen versions, their nodes and edges."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any, ClassVar

from django.core.validators import BaseValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.assessment.models import AssessmentTemplate
from apps.core.models import Definition, Version, VersionChild
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
from apps.requirements.kinds import SAYS, TEXTS, TYPED
from apps.requirements.publication import graph_faults
from apps.requirements.targets import targets_of

LONGEST_DEADLINE_DAYS = 36_500
SMALLEST = Decimal("0.01")


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

    @property
    def is_settled(self) -> bool:
        """Whether a version was ever published: program and purpose stay what they are then."""
        return self.versions.filter(number__isnull=False).exists()


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


def _amount(digits: int, *, at_least: Decimal, at_most: int | None = None) -> Any:
    """Return a column for a number with two places, or nothing."""
    bounds: list[BaseValidator] = [MinValueValidator(at_least)]
    if at_most is not None:
        bounds.append(MaxValueValidator(at_most))
    return models.DecimalField(
        max_digits=digits, decimal_places=2, null=True, blank=True, validators=bounds
    )


def _count() -> Any:
    """Return a column for a whole number from 1, or nothing."""
    return models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )


def _is_empty(field: str) -> Q:
    return Q(**{field: ""}) if field in TEXTS else Q(**{f"{field}__isnull": True})


def _kind_says(kind: NodeKind) -> Q:
    says = SAYS[kind]
    others = [field for field in TYPED if field not in says.fields]
    said = [Q(kind=kind.value)]
    said += [_is_empty(field) for field in others]
    said += [~_is_empty(field) for field in says.required]
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
    min_percent = _amount(5, at_least=Decimal(0), at_most=100)
    attendance_count = _count()
    attendance_percent = _amount(5, at_least=SMALLEST, at_most=100)
    signoff_capability = models.CharField(max_length=50, blank=True, default="")
    credential_program = models.ForeignKey(
        Program, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    group_min_count = _count()
    group_min_credits = _amount(7, at_least=SMALLEST)
    credits = _amount(7, at_least=Decimal(0))
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
    threshold = _amount(5, at_least=Decimal(0), at_most=100)

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
