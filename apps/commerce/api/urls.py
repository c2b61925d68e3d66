"""Addresses under /v1 of shops, orders and entitlements."""

from rest_framework.routers import SimpleRouter

from apps.commerce.api import orders, views

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("commerce/sources", views.SourceViewSet, basename="commercesource")
router.register("commerce/sellables", views.SellableViewSet, basename="sellable")
router.register("commerce/orders", orders.OrderViewSet, basename="order")
router.register("commerce/order-lines", orders.OrderLineViewSet, basename="orderline")
router.register("commerce/entitlements", views.EntitlementViewSet, basename="entitlement")

urlpatterns = router.urls
