"""Addresses under /v1 of programs and courses."""

from rest_framework.routers import SimpleRouter

from apps.programs.api import views

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("programs", views.ProgramViewSet, basename="program")
router.register("program-versions", views.ProgramVersionViewSet, basename="programversion")
router.register("program-courses", views.ProgramCourseViewSet, basename="programcourse")
router.register("courses", views.CourseViewSet, basename="course")
router.register("course-versions", views.CourseVersionViewSet, basename="courseversion")
router.register("course-modules", views.CourseModuleViewSet, basename="coursemodule")
router.register("module-items", views.ModuleItemViewSet, basename="moduleitem")

urlpatterns = router.urls
