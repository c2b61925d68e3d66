"""Writes of this app, by noun; other apps import them from here."""

from apps.cohorts.services.assertions import Assertion, AssertionOutcome, assert_progress
from apps.cohorts.services.attendance import AttendanceEntry, record_attendance
from apps.cohorts.services.cohorts import (
    add_staff,
    cancel_cohort,
    create_cohort,
    end_cohort,
    open_cohort,
    remove_staff,
    update_cohort,
)
from apps.cohorts.services.enrollments import (
    end_enrollment,
    enroll,
    enroll_all,
    fill_seats,
    invite,
    lock_cohorts,
    withdraw,
    withdraw_all,
)
from apps.cohorts.services.imports import RosterReport, RowOutcome, import_roster
from apps.cohorts.services.joining import Joined, add_learner, cohort_to_join, enroll_in_course
from apps.cohorts.services.notices import notify_promoted
from apps.cohorts.services.progress import (
    project_course_progress,
    project_progress,
    rebuild_course_progress,
    record_event,
)
from apps.cohorts.services.roster_imports import (
    FORGET,
    IMPORT,
    carry_out_import,
    confirm_import,
    forget_import,
    request_import,
)
from apps.cohorts.services.sessions import (
    Meeting,
    cancel_session,
    reschedule_session,
    schedule_series,
    schedule_session,
)

__all__ = [
    "FORGET",
    "IMPORT",
    "Assertion",
    "AssertionOutcome",
    "AttendanceEntry",
    "Joined",
    "Meeting",
    "RosterReport",
    "RowOutcome",
    "add_learner",
    "add_staff",
    "assert_progress",
    "cancel_cohort",
    "cancel_session",
    "carry_out_import",
    "cohort_to_join",
    "confirm_import",
    "create_cohort",
    "end_cohort",
    "end_enrollment",
    "enroll",
    "enroll_all",
    "enroll_in_course",
    "fill_seats",
    "forget_import",
    "import_roster",
    "invite",
    "lock_cohorts",
    "notify_promoted",
    "open_cohort",
    "project_course_progress",
    "project_progress",
    "rebuild_course_progress",
    "record_attendance",
    "record_event",
    "remove_staff",
    "request_import",
    "reschedule_session",
    "schedule_series",
    "schedule_session",
    "update_cohort",
    "withdraw",
    "withdraw_all",
]
