"""What an attempt was given, by whom and why, and what that adds up to."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from apps.assessment.models.attempts import AssessmentAttempt
from apps.assessment.models.templates import (
    AssessmentItem,
    AssessmentTemplate,
    AssessmentVersion,
)
from apps.assessment.vocabulary import (
    ATTEMPT_KINDS,
    AUTOMATIC_KINDS,
    ITEM_KINDS,
    GradingKind,
    TaskState,
)
from apps.cohorts.models import Cohort
from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, HistoryModel, RevisionModel, TenantModel

WITHOUT_SCORE = (GradingKind.VOID, GradingKind.OVERRIDE_WITHDRAWN)


def score_field(*, null: bool = False) -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=14, decimal_places=6, null=null)


class GradingTask(TenantModel):
    """An answer that waits for a person. The lease says who is at it, and until when."""

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    attempt = models.ForeignKey(
        AssessmentAttempt, on_delete=models.PROTECT, related_name="grading_tasks"
    )
    item = models.ForeignKey(AssessmentItem, on_delete=models.PROTECT, related_name="grading_tasks")
    version = models.ForeignKey(AssessmentVersion, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=TaskState, default=TaskState.OPEN)
    leased_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "grading_tasks"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["attempt", "item"], name="gradingtask_one_per_item"),
            models.CheckConstraint(
                condition=Q(state=TaskState.OPEN, closed_at=None)
                | Q(
                    state__in=(TaskState.DONE, TaskState.CANCELLED),
                    closed_at__isnull=False,
                    leased_by=None,
                ),
                name="gradingtask_state_has_its_times",
            ),
            models.CheckConstraint(
                condition=Q(leased_by=None, leased_until=None)
                | Q(leased_by__isnull=False, leased_until__isnull=False),
                name="gradingtask_lease_whole",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], condition=Q(state=TaskState.OPEN), name="gradingtask_open"),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id} · {self.item_id}"


class GradingEvent(RevisionModel):
    """What somebody, or the engine, gave an item of an attempt; without an item, the attempt.

    `contact` repeats the attempt's learner so that nobody can grade their own work: a composite
    foreign key ties it to the attempt, a check keeps the grader apart. A person's event is never
    outranked by an automatic one (`rules.results`). `details` keep what an automatic score was
    computed from.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("attempt", "item")

    attempt = models.ForeignKey(
        AssessmentAttempt, on_delete=models.PROTECT, related_name="grading_events"
    )
    item = models.ForeignKey(
        AssessmentItem, null=True, on_delete=models.PROTECT, related_name="grading_events"
    )
    version = models.ForeignKey(AssessmentVersion, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30, choices=GradingKind)
    score = score_field(null=True)
    max_score = score_field()
    grader = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="+")
    rubric_levels: models.JSONField[Any, Any] = models.JSONField(default=list)
    feedback = models.TextField(blank=True, default="")
    reason = models.TextField(blank=True, default="")
    details: models.JSONField[Any, Any] = models.JSONField(default=dict)
    engine_version = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        db_table = "grading_events"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["attempt", "item", "revision"],
                nulls_distinct=False,
                name="gradingevent_revision_once",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ITEM_KINDS, item__isnull=False)
                | Q(kind__in=ATTEMPT_KINDS, item=None),
                name="gradingevent_kind_has_its_subject",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=WITHOUT_SCORE, score=None)
                | (
                    ~Q(kind__in=WITHOUT_SCORE)
                    & Q(score__isnull=False, score__gte=0, score__lte=F("max_score"))
                ),
                name="gradingevent_score_within_maximum",
            ),
            models.CheckConstraint(
                condition=Q(kind=GradingKind.AUTO, grader=None)
                | (~Q(kind=GradingKind.AUTO) & Q(grader__isnull=False)),
                name="gradingevent_person_named",
            ),
            models.CheckConstraint(
                condition=Q(grader=None) | ~Q(grader=F("contact")),
                name="gradingevent_not_ones_own_work",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ITEM_KINDS) | ~Q(reason=""),
                name="gradingevent_reason_given",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=AUTOMATIC_KINDS) | ~Q(engine_version=""),
                name="gradingevent_engine_named",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id} · {self.kind}"


class AssessmentResult(RevisionModel):
    """What an attempt's events add up to, with the facts that the decision was given."""

    subject_fields: ClassVar[tuple[str, ...]] = ("attempt",)

    attempt = models.ForeignKey(AssessmentAttempt, on_delete=models.PROTECT, related_name="results")
    raw = score_field()
    penalty = score_field()
    override = score_field(null=True)
    score = score_field()
    max_score = score_field()
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    passed = models.BooleanField()
    is_final = models.BooleanField()
    is_void = models.BooleanField()
    facts: models.JSONField[Any, Any] = models.JSONField()
    facts_hash = models.CharField(max_length=64)
    engine_version = models.CharField(max_length=40)

    class Meta:
        db_table = "assessment_results"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["attempt", "revision"], name="assessmentresult_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=F("max_score"))
                & Q(raw__gte=0, raw__lte=F("max_score"))
                & Q(penalty__gte=0, penalty__lte=F("raw"))
                & (Q(override=None) | Q(override=F("score"))),
                name="assessmentresult_scores_within_maximum",
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100),
                name="assessmentresult_percent_within_0_and_100",
            ),
            models.CheckConstraint(
                condition=Q(passed=False) | Q(is_final=True),
                name="assessmentresult_only_a_final_one_passes",
            ),
            models.CheckConstraint(
                condition=Q(is_final=False) | Q(is_void=False),
                name="assessmentresult_a_void_one_is_not_final",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id} · {self.percent} %"


class ResultRelease(HistoryModel):
    """A recorded decision to release results, or to hold them: of one attempt or of a cohort.

    The latest decision counts; one about the attempt itself goes before one about its cohort.
    """

    template = models.ForeignKey(
        AssessmentTemplate, on_delete=models.PROTECT, related_name="releases"
    )
    cohort = models.ForeignKey(Cohort, null=True, on_delete=models.PROTECT, related_name="+")
    attempt = models.ForeignKey(
        AssessmentAttempt, null=True, on_delete=models.PROTECT, related_name="releases"
    )
    is_released = models.BooleanField()
    actor = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="")

    class Meta:
        db_table = "result_releases"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(cohort=None, attempt__isnull=False)
                | Q(cohort__isnull=False, attempt=None),
                name="resultrelease_of_a_cohort_or_an_attempt",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["template", "cohort"], name="resultrelease_by_cohort"),
        ]

    def __str__(self) -> str:
        return "released" if self.is_released else "held"
