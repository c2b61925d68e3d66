"""Facts: what dashboards count, one flat row a thing, with what they filter by beside it.

Nothing is known only here. The last stage of `learner.advance` brings an enrolment's rows up to
date, and `manage.py rebuild_facts` gives the same rows from nothing. Dates are days on the clock
of the place: a session's own zone, else the cohort's.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.assessment.models import AssessmentAttempt, AssessmentResult, AssessmentTemplate
from apps.cohorts.models import (
    AttendanceStatus,
    Cohort,
    CohortEnrollment,
    CohortSession,
    EnrollmentState,
    ProgressStatus,
)
from apps.contacts.models import Contact
from apps.core.models import TenantModel
from apps.programs.models import Course, CourseVersion, Program


class Fact(TenantModel):
    """A fact about one enrolment. Composite keys hold learner and cohort to those it names."""

    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="+", db_index=False)
    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True


class FactAttendance(Fact):
    """What is known of one learner at one session that was not cancelled.

    There is a row before anything was said: its status is empty and its revision 0. Who left has
    rows for the sessions until then, and for those where somebody spoke of them all the same.
    """

    session = models.ForeignKey(CohortSession, on_delete=models.CASCADE, related_name="+")
    held_on = models.DateField()
    starts_at = models.DateTimeField()
    is_required = models.BooleanField()
    status = models.CharField(max_length=10, choices=AttendanceStatus, blank=True, default="")
    minutes = models.PositiveIntegerField(null=True)
    revision = models.PositiveIntegerField()
    recorded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "fact_attendance"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "session"], name="factattendance_once_per_session"
            ),
            models.CheckConstraint(
                condition=Q(revision=0, status="", minutes=None, recorded_at=None)
                | Q(
                    revision__gte=1,
                    status__in=AttendanceStatus.values,
                    recorded_at__isnull=False,
                ),
                name="factattendance_status_as_recorded",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["cohort", "held_on"], name="factattendance_by_cohort"),
            models.Index(fields=["program", "held_on"], name="factattendance_by_program"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment_id} · {self.session_id} · {self.status or '–'}"


class FactAssessment(Fact):
    """The result of record of one learner in one assessment. `attempts` count towards it."""

    template = models.ForeignKey(AssessmentTemplate, on_delete=models.CASCADE, related_name="+")
    attempt = models.ForeignKey(
        AssessmentAttempt, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    result = models.ForeignKey(
        AssessmentResult, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    attempts = models.PositiveIntegerField()
    score = models.DecimalField(max_digits=14, decimal_places=6)
    max_score = models.DecimalField(max_digits=14, decimal_places=6)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    passed = models.BooleanField()
    is_final = models.BooleanField()
    submitted_at = models.DateTimeField(null=True)
    submitted_on = models.DateField(null=True)

    class Meta:
        db_table = "fact_assessment"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "template"], name="factassessment_once_per_assessment"
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100),
                name="factassessment_percent_within_0_and_100",
            ),
            models.CheckConstraint(
                condition=Q(passed=False) | Q(is_final=True),
                name="factassessment_only_a_final_one_passes",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None, submitted_on=None)
                | Q(submitted_at__isnull=False, submitted_on__isnull=False),
                name="factassessment_submitted_on_its_day",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["cohort", "submitted_on"], name="factassessment_by_cohort"),
            models.Index(fields=["program", "submitted_on"], name="factassessment_by_program"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment_id} · {self.template_id} · {self.percent} %"


class FactProgress(Fact):
    """How far one learner is in one course of the program, and what became of the enrolment.

    `is_required` marks what completes the program: its required courses, or all where none is.
    `begins_on` is the day from which time counts: that of the enrolment, or of the cohort's start
    where that is later.
    """

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="+", db_index=False)
    course_version = models.ForeignKey(
        CourseVersion, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    is_required = models.BooleanField()
    status = models.CharField(max_length=12, choices=ProgressStatus)
    percent_complete = models.PositiveSmallIntegerField()
    time_spent_seconds = models.PositiveBigIntegerField()
    begins_on = models.DateField()
    last_activity_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    completed_on = models.DateField(null=True)
    enrollment_state = models.CharField(max_length=12, choices=EnrollmentState)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "fact_progress"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "course"], name="factprogress_once_per_course"
            ),
            models.CheckConstraint(
                condition=Q(percent_complete__gte=0, percent_complete__lte=100),
                name="factprogress_percent_within_0_and_100",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=ProgressStatus.COMPLETED,
                    completed_at__isnull=False,
                    completed_on__isnull=False,
                )
                | Q(
                    status__in=(ProgressStatus.NOT_STARTED, ProgressStatus.IN_PROGRESS),
                    completed_at=None,
                    completed_on=None,
                ),
                name="factprogress_completed_has_its_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["cohort", "begins_on"], name="factprogress_by_cohort"),
            models.Index(fields=["program", "begins_on"], name="factprogress_by_program"),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment_id} · {self.course_id} · {self.percent_complete} %"
