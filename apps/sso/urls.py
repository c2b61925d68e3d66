"""Addresses below accounts/sso/ on an organisation's host."""

from django.urls import path

from apps.sso import views

urlpatterns = [
    path("", views.begin, name="sso_begin"),
    path("test/", views.test, name="sso_test"),
    path("saml/acs/", views.acs, name="sso_acs"),
    path("saml/finish/", views.finish, name="sso_finish"),
    path("saml/metadata/", views.metadata, name="sso_metadata"),
    path("oidc/callback/", views.callback, name="sso_callback"),
]
