"""Addresses under /v1 that concern people."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.contacts import people_api

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("contacts", people_api.ContactViewSet, basename="contact")
router.register("members", people_api.MemberViewSet, basename="member")
router.register("tokens", people_api.TokenViewSet, basename="token")
router.register("admin-actions", people_api.AdminActionViewSet, basename="admin-action")

urlpatterns = [path("me", people_api.MeView.as_view(), name="me"), *router.urls]
