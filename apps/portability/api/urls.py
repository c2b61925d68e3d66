"""Addresses under /v1 of packages and the catalog."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.portability.api import catalog, packages

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("catalog", catalog.CatalogViewSet, basename="catalog")
router.register("package-imports", packages.PackageImportViewSet, basename="packageimport")

urlpatterns = [
    path(
        "course-versions/<uuid:pk>/package",
        packages.CourseExportView.as_view({"get": "retrieve"}),
        name="course-package",
    ),
    path(
        "program-versions/<uuid:pk>/package",
        packages.ProgramExportView.as_view({"get": "retrieve"}),
        name="program-package",
    ),
    *router.urls,
]
