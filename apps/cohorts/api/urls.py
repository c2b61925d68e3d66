"""Addresses under /v1 of cohorts and progress."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.cohorts.api.cohort_views import CohortStaffViewSet, CohortViewSet
from apps.cohorts.api.enrollment_views import EnrollmentViewSet, EnrollView
from apps.cohorts.api.progress_views import CourseProgressViewSet, ProgressEventViewSet
from apps.cohorts.api.roster_imports import RosterImportViewSet
from apps.cohorts.api.rosters import RosterView
from apps.cohorts.api.session_views import AttendanceViewSet, SessionViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("cohorts", CohortViewSet, basename="cohort")
router.register("cohort-staff", CohortStaffViewSet, basename="cohortstaff")
router.register("sessions", SessionViewSet, basename="session")
router.register("attendance", AttendanceViewSet, basename="attendance")
router.register("roster-imports", RosterImportViewSet, basename="rosterimport")
router.register("enrollments", EnrollmentViewSet, basename="enrollment")
router.register("course-progress", CourseProgressViewSet, basename="courseprogress")
router.register("progress/events", ProgressEventViewSet, basename="progressevent")

urlpatterns = [
    path("cohorts/<uuid:pk>/roster", RosterView.as_view(), name="cohort-roster"),
    path("courses/<uuid:pk>/enroll", EnrollView.as_view(), name="course-enroll"),
    *router.urls,
]
