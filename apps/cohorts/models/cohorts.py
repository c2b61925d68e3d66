"""Who learns what together, who was there, and what happened."""

from __future__ import annotations

from typing import ClassVar, Self
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from apps.contacts.models import Contact
from apps.core.models import ClockTimestamp, HistoryModel, RevisionModel, TenantModel
from apps.programs.models import Course, CourseVersion, ProgramVersion


def validate_timezone(value: str) -> None:
    """Accept only names of the IANA time zone database."""
    if value not in available_timezones():
        raise ValidationError("“%(value)s” is not an IANA time zone.", "timezone", {"value": value})


class CohortStatus(models.TextChoices):
    PLANNED = "planned"
    OPEN = "open"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Cohort(TenantModel):
    """A group that takes one version of a program, between two dates or open-ended.

    Self-paced learning is a cohort without an end. `capacity` counts seats, null is no limit. The
    row is also the lock under which seats are given away. Written by `services.cohorts`.
    """

    program_version = models.ForeignKey(
        ProgramVersion, on_delete=models.PROTECT, related_name="cohorts"
    )
    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    status = models.CharField(
        max_length=10, choices=CohortStatus, default=CohortStatus.PLANNED, editable=False
    )
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    is_self_paced = models.BooleanField(default=False)
    capacity = models.PositiveIntegerField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "program_cohorts"
        ordering: ClassVar[list[str]] = ["-starts_on", "title"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(status__in=CohortStatus.values), name="cohort_status_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="cohort_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(capacity=None) | Q(capacity__gt=0), name="cohort_capacity_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class StaffRole(models.TextChoices):
    INSTRUCTOR = "instructor"
    GRADER = "grader"
    ASSISTANT = "assistant"


class CohortStaff(TenantModel):
    """A person who works with a cohort, in one role."""

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="staff")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="cohort_staff")
    role = models.CharField(max_length=20, choices=StaffRole, default=StaffRole.INSTRUCTOR)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    class Meta:
        db_table = "cohort_staff"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["cohort", "contact", "role"], name="cohortstaff_role_once"
            ),
            models.CheckConstraint(
                condition=Q(role__in=StaffRole.values), name="cohortstaff_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.role}"


class CohortSession(TenantModel):
    """One meeting of a cohort, at a place, at an address on the web, or both.

    Stored as moments; `timezone` is what its wall clock means. Whether it is required is decided
    when it is scheduled and never changes, because attendance requirements count it. To change
    that, cancel it and schedule another.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="sessions")
    title = models.CharField(max_length=200)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    timezone = models.CharField(max_length=64, validators=[validate_timezone])
    location = models.CharField(max_length=200, blank=True, default="")
    url = models.CharField(max_length=2000, blank=True, default="")
    is_required = models.BooleanField(default=True)
    series_id = models.UUIDField(null=True, blank=True, editable=False, db_index=True)
    position = models.PositiveIntegerField(editable=False)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "program_cohort_sessions"
        ordering: ClassVar[list[str]] = ["starts_at", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="session_ends_after_it_starts"
            ),
            models.UniqueConstraint(fields=["id", "cohort"], name="session_id_and_cohort"),
            models.UniqueConstraint(
                fields=["cohort", "position"], name="session_position_once_per_cohort"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class EnrollmentState(models.TextChoices):
    INVITED = "invited"
    WAITLISTED = "waitlisted"
    ENROLLED = "enrolled"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


ACTIVE_STATES = (EnrollmentState.INVITED, EnrollmentState.WAITLISTED, EnrollmentState.ENROLLED)
"""An enrolment in one of these states is the only one of its contact in its cohort."""

CLOSED_STATES = (EnrollmentState.WITHDRAWN, EnrollmentState.ENDED)


class EnrollmentQuerySet(models.QuerySet["CohortEnrollment"]):
    def active(self) -> Self:
        return self.filter(state__in=ACTIVE_STATES)

    def enrolled(self) -> Self:
        return self.filter(state=EnrollmentState.ENROLLED)

    def took_part(self) -> Self:
        """Return who takes part or did to the end: they go on seeing what was theirs."""
        return self.filter(
            state__in=(EnrollmentState.ENROLLED, EnrollmentState.ENDED), enrolled_at__isnull=False
        )

    def waitlist(self) -> Self:
        """Return who waits for a seat, the next to get one first."""
        return self.filter(state=EnrollmentState.WAITLISTED).order_by("waitlisted_at", "id")


class CohortEnrollment(TenantModel):
    """One person's participation in one cohort, and the context of everything earned there.

    The state says who takes part; competence is never stored here. Rows are kept for ever: who
    comes back after leaving gets a new one, so that a yearly re-certification starts anew. The
    (id, contact) and (id, cohort) keys let other tables prove that they speak of the same learner
    and cohort. Written by `services.enrollments` under the cohort's lock.
    """

    grants: ClassVar[tuple[str, ...]] = ("SELECT", "INSERT", "UPDATE")

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="enrollments")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="enrollments")
    state = models.CharField(max_length=12, choices=EnrollmentState)
    waitlisted_at = models.DateTimeField(null=True, blank=True)
    enrolled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    objects = EnrollmentQuerySet.as_manager()

    class Meta:
        db_table = "cohort_enrollments"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["cohort", "contact"],
                condition=Q(state__in=ACTIVE_STATES),
                name="enrollment_one_active_per_cohort",
            ),
            models.UniqueConstraint(fields=["id", "contact"], name="enrollment_id_and_contact"),
            models.UniqueConstraint(fields=["id", "cohort"], name="enrollment_id_and_cohort"),
            models.CheckConstraint(
                condition=Q(state=EnrollmentState.INVITED, ended_at=None)
                | Q(state=EnrollmentState.WAITLISTED, ended_at=None, waitlisted_at__isnull=False)
                | Q(state=EnrollmentState.ENROLLED, ended_at=None, enrolled_at__isnull=False)
                | Q(state__in=CLOSED_STATES, ended_at__isnull=False),
                name="enrollment_state_has_its_times",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["cohort", "state", "waitlisted_at"], name="enrollment_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.cohort}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES


class AttendanceStatus(models.TextChoices):
    PRESENT = "present"
    LATE = "late"
    EXCUSED = "excused"
    ABSENT = "absent"


class AttendanceMethod(models.TextChoices):
    MANUAL = "manual"
    CODE = "code"
    IMPORT = "import"


class AttendanceRecord(RevisionModel):
    """What was said, this time, about one learner at one session.

    `cohort` and `contact` repeat what session and enrolment say: composite foreign keys hold all
    four together, so attendance for a session of another cohort cannot be written.
    """

    subject_fields: ClassVar[tuple[str, ...]] = ("session", "enrollment")

    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(CohortSession, on_delete=models.PROTECT, related_name="attendance")
    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="attendance"
    )
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="attendance")
    status = models.CharField(max_length=10, choices=AttendanceStatus)
    minutes = models.PositiveIntegerField(null=True, blank=True)
    method = models.CharField(
        max_length=10, choices=AttendanceMethod, default=AttendanceMethod.MANUAL
    )
    recorded_by = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    note = models.TextField(blank=True, default="")

    class Meta:
        db_table = "session_attendance_records"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["session", "enrollment", "revision"], name="attendance_revision_once"
            ),
            models.CheckConstraint(
                condition=Q(status__in=AttendanceStatus.values), name="attendance_status_known"
            ),
            models.CheckConstraint(
                condition=Q(minutes=None) | Q(minutes__gte=0), name="attendance_minutes_positive"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["enrollment", "session"], name="attendance_by_enrollment"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.session} · {self.status}"


class ProgressEvent(HistoryModel):
    """Something that happened to a learner.

    `asserted_by` is who says so, null when the platform found it itself. `idempotency_key` is
    unique per contact unless empty; keys that clients choose are kept apart from ours by a prefix,
    so nobody can occupy the key of an event that only the platform may write. What each type
    carries is told in `events`. Written by `services.progress`.
    """

    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="progress_events")
    enrollment = models.ForeignKey(
        CohortEnrollment, null=True, blank=True, on_delete=models.PROTECT, related_name="events"
    )
    course = models.ForeignKey(
        Course, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    type = models.CharField(max_length=50)
    entity_type = models.CharField(max_length=63, blank=True, default="")
    entity_id = models.UUIDField(null=True, blank=True)
    payload = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    idempotency_key = models.CharField(max_length=255, blank=True, default="")
    asserted_by = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        db_table = "progress_events"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["contact", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="progressevent_key_once_per_contact",
            ),
            models.CheckConstraint(condition=~Q(type=""), name="progressevent_type_given"),
            models.CheckConstraint(
                condition=Q(entity_type="", entity_id=None)
                | (~Q(entity_type="") & Q(entity_id__isnull=False)),
                name="progressevent_entity_whole",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["enrollment", "recorded_at"], name="progressevent_by_enrollment"),
            models.Index(fields=["contact", "type"], name="progressevent_by_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} · {self.type}"


class ProgressStatus(models.TextChoices):
    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


class CourseProgress(TenantModel):
    """How far an enrolment is in one course, as its progress events add up to.

    A projection: nothing is known only here, and `manage.py rebuild_projections` gives the same
    rows. `course_version` is the one that the enrolment's program version pins.
    """

    enrollment = models.ForeignKey(
        CohortEnrollment, on_delete=models.PROTECT, related_name="course_progress"
    )
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="+")
    course_version = models.ForeignKey(CourseVersion, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=12, choices=ProgressStatus, default=ProgressStatus.NOT_STARTED
    )
    percent_complete = models.PositiveSmallIntegerField(default=0)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    time_spent_seconds = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "course_progress"
        verbose_name_plural = "course progress"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["enrollment", "course"], name="courseprogress_once_per_enrollment"
            ),
            models.CheckConstraint(
                condition=Q(percent_complete__gte=0, percent_complete__lte=100),
                name="courseprogress_percent_within_0_and_100",
            ),
            models.CheckConstraint(
                condition=Q(status=ProgressStatus.COMPLETED, completed_at__isnull=False)
                | Q(
                    status__in=(ProgressStatus.NOT_STARTED, ProgressStatus.IN_PROGRESS),
                    completed_at=None,
                ),
                name="courseprogress_completed_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrollment} · {self.course} · {self.percent_complete} %"
