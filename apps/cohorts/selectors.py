"""Reads that span cohorts, sessions, attendance and events, each in a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count, Max, Model, Q, QuerySet, Sum

from apps.cohorts.models import (
    AttendanceRecord,
    AttendanceStatus,
    Cohort,
    CohortEnrollment,
    CohortSession,
    CohortStaff,
    CohortStatus,
    CourseProgress,
    EnrollmentState,
    ProgressEvent,
    ProgressStatus,
)
from apps.cohorts.rules.progress import (
    FOLDED,
    CoursePlan,
    Happening,
    ItemPlan,
    ModulePlan,
    item_completions,
)
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.contacts.selectors import alias_ids
from apps.core.models import VersionStatus
from apps.programs.models import ProgramCourse, ProgramVersion
from apps.programs.selectors import pinned_courses

Row = TypeVar("Row", bound=Model)

PLAN_SHAPE: Final = 1
"""Changes with the shape of what is cached."""
KEPT_SECONDS: Final = 24 * 60 * 60


@dataclass(frozen=True)
class SheetRow:
    """One learner's line on the attendance sheet of a session; `revision` 0: nothing said yet."""

    enrollment_id: UUID
    contact_id: UUID
    display_name: str
    state: str
    revision: int
    record: AttendanceRecord | None


@dataclass(frozen=True)
class Standing:
    """How one enrolment is doing: `percent` is the mean over its courses, floored."""

    enrollment: CohortEnrollment
    percent: int | None
    courses_completed: int
    courses: int
    last_activity_at: datetime | None
    attendance: AttendanceSummary | None


@dataclass(frozen=True)
class AttendanceSummary:
    """One enrolment's attendance: of the sessions that were not cancelled, the required ones."""

    required: int
    present: int = 0
    late: int = 0
    excused: int = 0
    absent: int = 0
    minutes: int = 0

    @property
    def attended(self) -> int:
        return self.present + self.late

    @property
    def unrecorded(self) -> int:
        return self.required - self.attended - self.excused - self.absent


def staffed_cohort_ids(contact_id: UUID) -> frozenset[UUID]:
    """Return the cohorts that this person works with, under any of their aliases."""
    staff = CohortStaff.objects.filter(contact_id__in=alias_ids(contact_id))
    return frozenset(staff.values_list("cohort_id", flat=True))


def staffed_by(principal: Principal) -> frozenset[UUID] | None:
    """Return the cohorts whose people this caller may see, None for all of them."""
    may_look = principal.has(Capability.VIEW_LEARNERS)
    return principal.visible_cohorts if may_look else frozenset()


def of_staffed(rows: QuerySet[Row], principal: Principal, *, cohort: str) -> QuerySet[Row]:
    """Return the rows of cohorts whose people the caller may see; `cohort` is the lookup."""
    staffed = staffed_by(principal)
    return rows if staffed is None else rows.filter(**{f"{cohort}__in": staffed})


def of_staffed_or_own(
    rows: QuerySet[Row], principal: Principal, *, cohort: str, contact: str
) -> QuerySet[Row]:
    """Return those rows and the caller's own, under any alias; `contact` is the lookup."""
    staffed = staffed_by(principal)
    if staffed is None:
        return rows
    own = Q(**{f"{contact}__in": alias_ids(principal.contact_id)})
    return rows.filter(own | Q(**{f"{cohort}__in": staffed})) if staffed else rows.filter(own)


def visible_cohorts(principal: Principal) -> QuerySet[Cohort]:
    """Return the cohorts that the caller works with, takes part in, or may join unasked."""
    staffed = staffed_by(principal)
    if staffed is None:
        return Cohort.objects.all()
    own = CohortEnrollment.objects.filter(contact_id__in=alias_ids(principal.contact_id))
    return Cohort.objects.filter(
        Q(id__in=staffed)
        | Q(id__in=own.values("cohort_id"))
        | Q(status=CohortStatus.OPEN, is_self_paced=True)
    )


def visible_sessions(principal: Principal) -> QuerySet[CohortSession]:
    """Return the sessions of the cohorts that the caller works with or really takes part in.

    Who waits or left does not learn where the others meet.
    """
    staffed = staffed_by(principal)
    if staffed is None:
        return CohortSession.objects.all()
    own = CohortEnrollment.objects.took_part().filter(
        contact_id__in=alias_ids(principal.contact_id)
    )
    return CohortSession.objects.filter(
        Q(cohort_id__in=staffed) | Q(cohort_id__in=own.values("cohort_id"))
    )


def own_enrollments(contact_id: UUID) -> list[CohortEnrollment]:
    """Return everything this person takes or took part in, the newest first."""
    return list(
        CohortEnrollment.objects.filter(contact_id__in=alias_ids(contact_id))
        .select_related("cohort__program_version__definition")
        .order_by("-created_at")
    )


def readable_program_versions(contact_id: UUID) -> frozenset[UUID]:
    """Return the program versions that a learner takes or took, or may begin on their own."""
    taken = Q(
        enrollments__contact_id__in=alias_ids(contact_id),
        enrollments__enrolled_at__isnull=False,
    )
    free = Q(status=CohortStatus.OPEN, is_self_paced=True)
    return frozenset(Cohort.objects.filter(taken | free).values_list("program_version", flat=True))


def self_paced_cohort(course_id: UUID) -> Cohort | None:
    """Return the open self-paced cohort in which a learner may take this course, the newest."""
    return (
        Cohort.objects.filter(
            status=CohortStatus.OPEN,
            is_self_paced=True,
            program_version__courses__course_version__definition_id=course_id,
        )
        .order_by("-starts_on", "-id")
        .first()
    )


def teaches(*, cohort: Cohort, course_id: UUID) -> bool:
    """Whether the course is part of what this cohort takes."""
    pins = ProgramCourse.objects.filter(version_id=cohort.program_version_id)
    return pins.filter(course_version__definition_id=course_id).exists()


def enrollment_with_course(contact_id: UUID, course_id: UUID) -> CohortEnrollment | None:
    """Return the newest enrolment under which this person is taking the course now, or None."""
    return (
        CohortEnrollment.objects.enrolled()
        .filter(
            contact_id__in=alias_ids(contact_id),
            cohort__status=CohortStatus.OPEN,
            cohort__program_version__courses__course_version__definition_id=course_id,
        )
        .order_by("-enrolled_at", "-id")
        .first()
    )


def attendance_sheet(session: CohortSession) -> list[SheetRow]:
    """Return a line for everybody who takes part, or of whom something was said, by name."""
    records = {
        record.enrollment_id: record
        for record in AttendanceRecord.objects.filter(session=session)
        .current()
        .select_related("recorded_by")
    }
    enrollments = (
        CohortEnrollment.objects.filter(
            Q(state=EnrollmentState.ENROLLED) | Q(id__in=list(records)),
            cohort_id=session.cohort_id,
        )
        .select_related("contact")
        .order_by("contact__display_name", "id")
    )
    return [
        SheetRow(
            enrollment_id=enrollment.id,
            contact_id=enrollment.contact_id,
            display_name=enrollment.contact.display_name,
            state=enrollment.state,
            revision=record.revision if record else 0,
            record=record,
        )
        for enrollment in enrollments
        for record in [records.get(enrollment.id)]
    ]


def attendance_summary(enrollment_ids: Collection[UUID]) -> dict[UUID, AttendanceSummary]:
    """Return each enrolment's attendance at the required sessions that were not cancelled."""
    required = dict(
        CohortEnrollment.objects.filter(id__in=enrollment_ids)
        .annotate(
            required=Count(
                "cohort__sessions",
                filter=Q(cohort__sessions__is_required=True, cohort__sessions__cancelled_at=None),
            )
        )
        .values_list("id", "required")
    )
    said: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for enrollment_id, status, minutes in (
        AttendanceRecord.objects.filter(
            enrollment_id__in=enrollment_ids,
            session__is_required=True,
            session__cancelled_at=None,
        )
        .current()
        .values_list("enrollment_id", "status", "minutes")
    ):
        said[enrollment_id][AttendanceStatus(status).value] += 1
        said[enrollment_id]["minutes"] += minutes or 0
    return {
        enrollment_id: AttendanceSummary(required=count, **said[enrollment_id])
        for enrollment_id, count in required.items()
    }


def standings(enrollments: Collection[CohortEnrollment]) -> list[Standing]:
    """Return how these enrolments are doing, in their order, in three statements."""
    ids = [enrollment.id for enrollment in enrollments]
    progress = {
        row["enrollment_id"]: row
        for row in CourseProgress.objects.filter(enrollment_id__in=ids)
        .values("enrollment_id")
        .annotate(
            total=Sum("percent_complete"),
            courses=Count("id"),
            completed=Count("id", filter=Q(status=ProgressStatus.COMPLETED)),
            last=Max("last_activity_at"),
        )
    }
    attendance = attendance_summary(ids)
    return [
        Standing(
            enrollment=enrollment,
            percent=row["total"] // row["courses"] if row else None,
            courses_completed=row["completed"] if row else 0,
            courses=row["courses"] if row else 0,
            last_activity_at=row["last"] if row else None,
            attendance=attendance.get(enrollment.id),
        )
        for enrollment in enrollments
        for row in [progress.get(enrollment.id)]
    ]


def course_plans(program_version_ids: Collection[UUID]) -> dict[UUID, tuple[CoursePlan, ...]]:
    """Return program version -> the courses it pins, as the projection counts them.

    Cohorts pin published programs, which never change: their plans are cached.
    """
    keys = {f"cohorts.course_plans.{PLAN_SHAPE}.{one}": one for one in program_version_ids}
    plans = {keys[key]: plan for key, plan in cache.get_many(keys).items()}
    loaded = _course_plans([one for one in program_version_ids if one not in plans])
    frozen = ProgramVersion.objects.filter(id__in=loaded).exclude(status=VersionStatus.DRAFT)
    kept = set(frozen.values_list("id", flat=True)) if loaded else set()
    cache.set_many({key: loaded[one] for key, one in keys.items() if one in kept}, KEPT_SECONDS)
    return plans | loaded


def _course_plans(program_version_ids: Collection[UUID]) -> dict[UUID, tuple[CoursePlan, ...]]:
    if not program_version_ids:
        return {}
    return {
        program_version_id: tuple(
            CoursePlan(
                course_id=course.course_id,
                course_version_id=course.course_version_id,
                modules=tuple(
                    ModulePlan(
                        id=module.id,
                        key=module.key,
                        items=tuple(
                            ItemPlan(id=item.id, is_required=item.is_required)
                            for item in module.items
                        ),
                    )
                    for module in course.modules
                ),
            )
            for course in courses
        )
        for program_version_id, courses in pinned_courses(program_version_ids).items()
    }


def happenings(enrollment_ids: Collection[UUID]) -> dict[UUID, list[Happening]]:
    """Return each enrolment's events that count towards progress, as they were recorded."""
    events: dict[UUID, list[Happening]] = defaultdict(list)
    for enrollment_id, type_, entity_id, payload, occurred_at in (
        ProgressEvent.objects.filter(enrollment_id__in=enrollment_ids, type__in=FOLDED)
        .order_by("recorded_at", "id")
        .values_list("enrollment_id", "type", "entity_id", "payload", "occurred_at")
    ):
        placed = payload.get("module_items")
        events[enrollment_id].append(
            Happening(
                type=type_,
                entity_id=entity_id,
                items=_ids(placed) if placed is not None else frozenset(filter(None, [entity_id])),
                occurred_at=occurred_at,
                time_spent_seconds=_seconds(payload.get("time_spent")),
            )
        )
    return events


def completed_items(enrollment_ids: Collection[UUID]) -> dict[UUID, dict[UUID, datetime]]:
    """Return enrolment -> {item -> the moment since which it is complete}: one query."""
    return {
        enrollment_id: item_completions(events)
        for enrollment_id, events in happenings(enrollment_ids).items()
    }


def _ids(values: Iterable[Any]) -> frozenset[UUID]:
    return frozenset(UUID(str(value)) for value in values)


def _seconds(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
