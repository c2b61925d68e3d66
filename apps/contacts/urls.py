"""Addresses under /v1 that concern people."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.contacts import views

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("contacts", views.ContactViewSet, basename="contact")
router.register("members", views.MemberViewSet, basename="member")
router.register("tokens", views.TokenViewSet, basename="token")
router.register("admin-actions", views.AdminActionViewSet, basename="admin-action")

urlpatterns = [path("me", views.MeView.as_view(), name="me"), *router.urls]
