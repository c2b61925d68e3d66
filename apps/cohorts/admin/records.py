"""What happened, to be looked at: rows that only services write."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from apps.cohorts.models import AttendanceRecord, CohortEnrollment, CourseProgress, ProgressEvent
from apps.cohorts.selectors import of_staffed
from apps.contacts.admin_base import ReadOnlyAdmin, Section, principal_of
from apps.contacts.capabilities import Capability


class LearnerRecordAdmin(ReadOnlyAdmin):
    """Rows about learners, narrowed to the cohorts that whoever is at work staffs."""

    change_capability = Capability.VIEW_LEARNERS
    view_capability = Capability.VIEW_LEARNERS
    cohort_lookup: ClassVar[str] = "enrollment__cohort"
    related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related(*self.related)
        return of_staffed(rows, principal_of(request), cohort=self.cohort_lookup)


@admin.register(CohortEnrollment)
class EnrollmentAdmin(LearnerRecordAdmin):
    """Who takes or took part; changed on the roster of the cohort."""

    section, place = Section.RECORDS, 10
    menu = gettext_lazy("Enrolments")
    nothing_yet = gettext_lazy("Nobody is enrolled yet.")
    cohort_lookup = "cohort"
    related = ("cohort", "contact")
    list_display = ("contact", "cohort", "state", "enrolled_at", "ended_at")
    list_filter = ("state",)
    search_fields = ("contact__display_name", "contact__external_id", "cohort__title")
    ordering = ("-created_at",)


@admin.register(ProgressEvent)
class ProgressEventAdmin(LearnerRecordAdmin):
    """What happened to learners."""

    section, place = Section.RECORDS, 40
    nothing_yet = gettext_lazy("Nothing has happened yet.")
    related = ("contact", "enrollment__cohort", "enrollment__contact", "course", "asserted_by")
    list_display = ("recorded_at", "contact", "type", "course", "occurred_at", "asserted_by")
    search_fields = ("contact__display_name", "type")
    ordering = ("-recorded_at",)


@admin.register(AttendanceRecord)
class AttendanceRecordAdmin(LearnerRecordAdmin):
    """Who was there, revision by revision."""

    section, place = Section.RECORDS, 20
    menu = gettext_lazy("Attendance")
    nothing_yet = gettext_lazy("No attendance was taken yet.")
    cohort_lookup = "cohort"
    related = ("session", "contact", "recorded_by", "enrollment__cohort", "enrollment__contact")
    list_display = ("recorded_at", "session", "contact", "status", "revision", "recorded_by")
    list_filter = ("status", "method")
    search_fields = ("contact__display_name", "session__title")
    ordering = ("-recorded_at",)


@admin.register(CourseProgress)
class CourseProgressAdmin(LearnerRecordAdmin):
    """How far everybody is in each course."""

    section, place = Section.RECORDS, 30
    nothing_yet = gettext_lazy("Nobody has begun a course yet.")
    related = ("enrollment__contact", "enrollment__cohort", "course", "course_version__definition")
    list_display = ("enrollment", "course", "status", "percent_complete", "last_activity_at")
    list_filter = ("status",)
    search_fields = ("enrollment__contact__display_name", "course__title")
