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
from apps.cohorts.services.sessions import (
    Meeting,
    cancel_session,
    reschedule_session,
    schedule_series,
    schedule_session,
)
from apps.cohorts.services.uploads import KeptRoster, forget_roster, keep_roster, kept_roster

__all__ = [
    "Assertion",
    "AssertionOutcome",
    "AttendanceEntry",
    "Joined",
    "KeptRoster",
    "Meeting",
    "RosterReport",
    "RowOutcome",
    "add_learner",
    "add_staff",
    "assert_progress",
    "cancel_cohort",
    "cancel_session",
    "cohort_to_join",
    "create_cohort",
    "end_cohort",
    "end_enrollment",
    "enroll",
    "enroll_all",
    "enroll_in_course",
    "fill_seats",
    "forget_roster",
    "import_roster",
    "invite",
    "keep_roster",
    "kept_roster",
    "lock_cohorts",
    "notify_promoted",
    "open_cohort",
    "project_course_progress",
    "project_progress",
    "rebuild_course_progress",
    "record_attendance",
    "record_event",
    "remove_staff",
    "reschedule_session",
    "schedule_series",
    "schedule_session",
    "update_cohort",
    "withdraw",
    "withdraw_all",
]
