"""Addresses under /v1 of packages and the catalog."""

from rest_framework.routers import SimpleRouter

from apps.portability.api import catalog

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("catalog", catalog.CatalogViewSet, basename="catalog")

urlpatterns = router.urls
