"""Back office of cohorts: people, sessions, attendance, and the records of what happened."""

from apps.cohorts.admin.cohorts import CohortAdmin
from apps.cohorts.admin.records import (
    AttendanceRecordAdmin,
    CourseProgressAdmin,
    EnrollmentAdmin,
    ProgressEventAdmin,
)
from apps.cohorts.admin.sessions import SessionAdmin

__all__ = [
    "AttendanceRecordAdmin",
    "CohortAdmin",
    "CourseProgressAdmin",
    "EnrollmentAdmin",
    "ProgressEventAdmin",
    "SessionAdmin",
]
